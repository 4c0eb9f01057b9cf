"""Rollbar, its webhook notification: an item that is new, comes back, repeats or is resolved."""

from __future__ import annotations

from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import alert_of, document
from siems.sources.shapes import some
from siems.vocabulary import Severity

_LEVELS = {
    "critical": Severity.CRITICAL,
    "error": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "info": Severity.LOW,
    "debug": Severity.LOW,
}
_NUMBERS = {"50": "critical", "40": "error", "30": "warning", "20": "info", "10": "debug"}


def read(body: bytes, headers: Headers) -> Read:
    """One event of an item; deploys are no alerts."""
    doc = document(body, headers)
    event, data = doc.first("event_name").lower(), doc.doc("data")
    if event == "test":
        return Read(said="test message of Rollbar")
    if event == "deploy" or (data.has("deploy") and not data.has("item")):
        return Read(said=f"deploy of {data.first('deploy.revision') or 'a revision'}")
    item, last = data.doc("item"), data.doc("occurrence")
    if not last.value:
        last = item.doc("last_occurrence")
    key, title = (
        item.first("id") or last.first("item_id"),
        item.first("title") or last.first("title", "body.message.body"),
    )
    if not event or not (key or title):
        raise InvalidField("it has no event_name, or no item in its data")
    place, level = item.first("environment") or last.first("environment"), item.first("level") or last.first("level")
    host = last.first("server.host", "server.hostname", "request.headers.Host")
    project, many = item.first("project_id"), item.first("total_occurrences") or data.first("occurrences")
    numbered = f"#{item.first('counter')} " if item.first("counter") else ""
    return Read(
        (
            alert_of(
                tool="rollbar",
                asset=host or place or (f"project {project}" if project else "Rollbar"),
                signature=title or f"item {key}",
                word=_NUMBERS.get(level, level),
                words=_LEVELS,
                message=f"{numbered}{title} ({event.replace('_', ' ')})" + (f"\n{many} occurrences" if many else ""),
                firing=event != "resolved_item",
                key=key or None,
                tags=some(
                    item, "environment", "framework", "platform", "project_id", "counter", host=host,
                    language=last.first("language"), code_version=last.first("code_version"),
                ),
                urls=[data.first("url"), item.first("url"), last.first("request.url")],
                starts=item.first("first_occurrence_timestamp") if event == "new_item" else None,
            ),
        )
    )  # fmt: skip


tool = Tool(
    name="rollbar",
    title="Rollbar",
    read=read,
    redact=("access_token",),
    setup=Setup(
        steps=(
            "Open the project: Settings → Notifications → Webhook.",
            "URL:  {url}  Press Enable Webhook Integration.",
            "Add rules for New Item, Item Reactivated, Item Reopened, Item Resolved and High Occurrence Rate.",
        ),
        docs="https://docs.rollbar.com/docs/webhooks",
    ),
)
