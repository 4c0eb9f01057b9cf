"""Pingdom, its webhook integration: an uptime or transaction check that changed its state."""

from __future__ import annotations

from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import alert_of, document
from siems.sources.shapes import down, joined, site, some
from siems.vocabulary import Severity

_WORDS = {"high": Severity.CRITICAL, "low": Severity.MEDIUM}


def read(body: bytes, headers: Headers) -> Read:
    """One change of state."""
    doc = document(body, headers)
    name, state = doc.first("check_name", "name", "check_id"), doc.first("current_state", "state").upper()
    if not name or not state:
        raise InvalidField("it has no check_name, or no current_state")
    if state in ("PAUSED", "UNKNOWN", "UNCONFIRMED"):
        return Read(said=f"{name} is {state.lower()}")
    firing = state not in ("UP", "SUCCESS")
    url, kind = doc.first("check_params.full_url", "full_url"), doc.first("check_type")
    asset = site(doc.first("check_params.hostname", "hostname")) or site(url) or name
    importance = doc.first("importance_level")
    probes = [doc.first("first_probe.location"), doc.first("second_probe.location")]
    lines = (doc.first("description"), doc.first("long_description"), doc.first("custom_message"))
    return Read(
        (
            alert_of(
                tool="pingdom",
                asset=asset,
                signature=down(name, asset, kind),
                word=importance,
                words=_WORDS,
                severity=None if importance else Severity.HIGH,
                message="\n".join([f"{name} is {state}", *dict.fromkeys(line for line in lines if line)]),
                firing=firing,
                key=doc.first("check_id"),
                tags=some(
                    doc, "check_name", "check_type", "check_params.port", "importance_level", "previous_state",
                    tags=joined(doc.at("tags")), seen_from="; ".join(filter(None, probes)),
                ),
                urls=url,
                starts=doc.first("state_changed_timestamp", "state_changed_utc_time") if firing else None,
            ),
        )
    )  # fmt: skip


tool = Tool(
    name="pingdom",
    title="Pingdom",
    read=read,
    setup=Setup(
        steps=(
            "Settings → Integrations → Add integration. Type: Webhook.",
            "Name: siems. URL:  {url}  Active: on. Save.",
            "Edit each check: under Integrations tick siems, and choose its Importance (high becomes CRITICAL).",
        ),
        docs="https://www.pingdom.com/resources/webhooks/",
    ),
)
