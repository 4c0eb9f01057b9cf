"""IBM Instana, its webhook alert channel: issues and incidents that open and close, entities that come and go."""

from __future__ import annotations

from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import alert_of, document
from siems.sources.shapes import some
from siems.vocabulary import Severity

_WORDS = {"10": Severity.CRITICAL, "5": Severity.MEDIUM, "-1": Severity.LOW, "1": Severity.LOW}


def read(body: bytes, headers: Headers) -> Read:
    """One event. What closes may hold no more than the id."""
    issue = document(body, headers).doc("issue")
    key, text = issue.first("id"), issue.first("text")
    kind, state = issue.first("type").lower(), issue.first("state").upper()
    if not key and not text:
        raise InvalidField("it has no issue with an id or a text")
    label = issue.first("entityLabel", "entity")
    asset = (
        issue.first("fqdn", "host") or issue.first("containerNames.0", "container", "service", "application") or label
    )
    if kind == "change":
        return Read(said=f"change of {asset}: {text}")
    presence = kind == "presence"
    if presence and text.lower() not in ("online", "offline"):
        return Read(said=f"{asset}: {text}")
    firing = text.lower() == "offline" if presence else state != "CLOSED"
    about = issue.first("suggestion", "description")
    # measured values stand in brackets at the end: Garbage Collection Activity High (11%)
    what = text.partition(" (")[0] or text or "issue"
    title = f"{label}: {text}" if label and text else text or f"{key} {state}"
    return Read(
        (
            alert_of(
                tool="instana",
                asset=asset,
                signature=f"{issue.first('entity') or 'entity'} offline" if presence else what,
                word=issue.first("severity"),
                words=_WORDS,
                severity=Severity.MEDIUM if presence else None,
                message="\n".join(filter(None, [title, about])),
                firing=firing,
                # each coming and going of an entity has an id of its own
                key=None if presence else key,
                tags=some(
                    issue, "type", "zone", "availabilityZone", "fqdn", "entity", "entityLabel", "tags", "container",
                    "service", "application", "endpoint", "customZone",
                ),
                urls=issue.first("link"),
                starts=issue.first("start") if firing else None,
            ),
        )
    )  # fmt: skip


tool = Tool(
    name="instana",
    title="IBM Instana",
    read=read,
    setup=Setup(
        steps=(
            "Settings → Events & Alerts → Alert Channels → Add Alert Channel → Generic Webhook.",
            "Name: siems. Webhook URLs:  {url}  Press Test Channel, then Create.",
            "Add the channel to your alerts, for incidents and issues.",
        ),
        docs="https://www.ibm.com/docs/en/instana-observability/current?topic=alerting-webhooks",
    ),
)
