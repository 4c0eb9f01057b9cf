"""Netdata Cloud: an alert is raised or cleared, or a node is out of reach."""

from __future__ import annotations

from siems.domain.alert import Reading
from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of, document
from siems.sources.shapes import is_over, joined, plain, some
from siems.vocabulary import Severity

WORDS = {"critical": Severity.CRITICAL, "warning": Severity.MEDIUM, "info": Severity.LOW, "clear": Severity.LOW}
_HOST = ("host", "hostname", "node.hostname", "node.name", "node_name", "node")


def read(body: bytes, headers: Headers) -> Read:
    doc = document(body, headers)
    if doc.has("token") and not doc.has("severity"):
        return Read(said=f"test message of Netdata; the token to verify with is {doc.first('token')}")
    name = doc.first("alert", "alarm", "name")
    reachable = doc.first("status.reachable", "status.text").lower()
    if reachable and not name:
        return Read((_reach(doc, over=reachable in ("true", "reachable")),))
    level = doc.first("severity", "status")  # agents tell a status, the cloud a severity
    if not name or not level:
        raise InvalidField("this is no notification of Netdata: it has neither an alert nor a status")
    chart = doc.first("chart", "context")
    over = is_over(level)
    tags = ("space", "context", "family", "class", "duration", "chart")
    reading = alert_of(
        tool="netdata",
        # an alert names no node of its own: the space it is in is all that stays the same until it is cleared
        asset=plain(doc, *_HOST, "space"),
        signature=f"{name} ({chart})" if chart else name,
        word=level,
        words=WORDS,
        message="\n".join(dict.fromkeys(filter(None, (doc.first("message"), doc.first("info"))))) or name,
        firing=not over,
        tags=some(doc, *tags, rooms=_rooms(doc)),
        urls=[doc.first("alert_url", "alarm_url", "url")],
        starts=None if over else doc.at("date"),
    )
    return Read((reading,))


def _reach(doc: Doc, *, over: bool) -> Reading:
    return alert_of(
        tool="netdata",
        asset=plain(doc, *_HOST),
        signature="node unreachable",
        word=doc.first("severity") or "critical",
        words=WORDS,
        message=doc.first("message") or "the node is out of reach",
        firing=not over,
        tags=some(doc, "space", rooms=_rooms(doc)),
        urls=[doc.first("url", "alert_url")],
    )


def _rooms(doc: Doc) -> str:
    rooms = doc.at("Rooms") or doc.at("rooms")
    return ", ".join(map(str, rooms)) if isinstance(rooms, dict) else joined(rooms)


tool = Tool(
    name="netdata",
    title="Netdata",
    read=read,
    setup=Setup(
        steps=(
            "Space settings (the cog) → Alerts & Notifications → Add configuration → Webhook.",
            "Choose rooms, and All Alerts and unreachable among the notifications. Webhook URL:  {url}",
            "Authentication Mechanism: leave Mutual TLS.",
            "Press Test: siems keeps the message it gets, and says the token in it, which Verification asks for.",
        ),
        docs="https://learn.netdata.cloud/docs/alerts-&-notifications/notifications/centralized-cloud-notifications/webhook",
    ),
)
