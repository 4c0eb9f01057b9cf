"""Dead Man's Snitch, its webhook integration: a job that missed its check-in, failed, or reports again."""

from __future__ import annotations

from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import alert_of, document
from siems.sources.shapes import joined, some
from siems.vocabulary import Severity


def read(body: bytes, headers: Headers) -> Read:
    """One change of a snitch."""
    doc = document(body, headers)
    event, snitch = doc.first("type").lower(), doc.doc("data.snitch")
    name = snitch.first("name", "token")
    if not event or not name:
        raise InvalidField("it has no type, or no snitch")
    if event == "snitch.paused":
        return Read(said=f"{name} was paused")
    firing, notes = event != "snitch.reporting", snitch.first("notes")
    errored = "errored" in (event.removeprefix("snitch."), snitch.first("previous_status") if not firing else "")
    said = "reported an error" if errored else "missed its check-in"
    return Read(
        (
            alert_of(
                tool="dead-mans-snitch",
                asset=name,
                signature="job failed" if errored else "check-in missed",
                severity=Severity.HIGH,
                message=f"{name} {said if firing else 'reports again'}" + (f"\n{notes}" if notes and firing else ""),
                firing=firing,
                key=snitch.first("token"),
                tags=some(snitch, "status", "previous_status", tags=joined(snitch.at("tags"))),
                starts=doc.first("timestamp") if firing else None,
            ),
        )
    )


tool = Tool(
    name="dead-mans-snitch",
    title="Dead Man's Snitch",
    read=read,
    setup=Setup(
        steps=("Integrations → Webhook → Add.", "URL:  {url}  Save. It tells of all snitches of the case."),
        docs="https://deadmanssnitch.com/docs/integrations/webhooks",
    ),
)
