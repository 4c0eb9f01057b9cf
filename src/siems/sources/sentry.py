"""Sentry: integration webhooks (issues, alerts of both kinds, errors, comments) and the unsigned legacy plugin."""

from __future__ import annotations

from siems.domain.signature import Scheme
from siems.errors import InvalidField
from siems.sources import Headers, Read, Remark, Setup, Tool
from siems.sources.reading import Doc, alert_of, document, filled, header
from siems.sources.shapes import plain, some
from siems.vocabulary import Severity

_WORDS = {
    "fatal": Severity.CRITICAL, "critical": Severity.CRITICAL, "error": Severity.HIGH, "warning": Severity.MEDIUM,
    "info": Severity.LOW, "debug": Severity.LOW, "sample": Severity.LOW,
}  # fmt: skip
_NOTES = {"assigned": "assigned in Sentry", "ignored": "archived in Sentry", "archived": "archived in Sentry"}


def read(body: bytes, headers: Headers) -> Read:
    """What the header Sentry-Hook-Resource says it is; without it, what the body looks like."""
    doc = document(body, headers)
    data, action = doc.doc("data"), doc.first("action").lower()
    resource = header(headers, "Sentry-Hook-Resource").lower()
    if resource == "installation" or data.has("installation"):
        return Read(said=f"installation of the Sentry integration: {action}")
    if resource == "comment" or data.has("comment", "issue_id"):
        text = f"comment {action} in Sentry: {data.first('comment')}"
        return Read(remarks=(Remark(data.first("issue_id"), text),)) if data.first("issue_id") else Read(said=text)
    if data.has("metric_alert"):
        return _metric(data, action)
    for name in ("issue", "event", "error"):
        if data.has(name):
            return _issue(data.doc(name), data, action)
    if doc.has("group"):  # a service hook
        return _issue(doc.doc("event"), doc, action)
    if doc.has("event") or doc.has("project_slug") or doc.has("culprit"):  # the legacy plugin
        return _issue(doc.doc("event"), doc, action)
    if resource == "seer" or data.has("run_id", "group_id"):
        text = f"Sentry's own analysis: {action.replace('_', ' ')}"
        return Read(remarks=(Remark(data.first("group_id"), text),)) if data.first("group_id") else Read(said=text)
    raise InvalidField("this is no Sentry body: it has neither an issue, an event, an error nor a metric alert")


def _issue(it: Doc, around: Doc, action: str) -> Read:
    """An issue, or one event of it; what wraps an event says more than the event."""
    key = it.first("issue_id", "groupID") or around.first("id", "group.id") or it.first("id")
    level = it.first("level") or around.first("level")
    title = it.first("title") or around.first("group.title", "title") or it.first("metadata.title", "message")
    kind = it.first("metadata.type") or plain(it, "exception.values.0.type")
    value = it.first("metadata.value") or plain(it, "exception.values.0.value")
    culprit = it.first("culprit", "location", "transaction") or around.first("culprit")
    title = title or ": ".join(filter(None, [kind, value])) or around.first("message")
    if not title and not key:
        raise InvalidField("this is no Sentry body: it has neither a title nor an id")
    if action in _NOTES:
        who = plain(it, "assignedTo.name", "assignedTo.email") if action == "assigned" else ""
        text = f"{_NOTES[action]}{f' to {who}' if who else ''}: {title}"
        return Read(remarks=(Remark(key, text),)) if key else Read(said=text)
    firing = action != "resolved" and it.first("status").lower() != "resolved"
    rule = around.first("triggered_rule", "issue_alert.title") or plain(around, "triggering_rules")
    tags = _tags(it.at("tags"))
    where = " in ".join(filter(None, [kind, culprit]))
    reading = alert_of(
        tool="sentry",
        asset=_project(it, around),
        signature=where if kind else title,
        word=level,
        words=_WORDS,
        severity=None if level else Severity.HIGH,
        message="\n".join(dict.fromkeys(filter(None, [title, culprit, rule and f"Rule: {rule}"]))),
        firing=firing,
        key=key or None,
        tags=tags | some(it, "platform", "environment", "release", "shortId", "issueCategory", rule=rule),
        urls=[it.at("web_url"), it.at("permalink"), around.at("url"), around.at("group.url")],
        starts=(it.first("firstSeen", "datetime", "timestamp") or None) if firing else None,
    )
    return Read((reading,))


def _project(it: Doc, around: Doc) -> str:
    """The project's name as it is in addresses; events have only its number, and the name in their own address."""
    named = plain(it, "project.slug", "project.name") or around.first("project_slug", "project.slug", "project_name")
    parts = it.first("url").partition("/api/0/projects/")[2].split("/")
    return named or (parts[1] if len(parts) > 2 else "") or plain(it, "project") or plain(around, "project")


def _metric(data: Doc, action: str) -> Read:
    alert = data.doc("metric_alert")
    title = alert.first("alert_rule.name", "title") or data.first("description_title")
    key = alert.first("id")
    if action not in ("critical", "warning", "resolved") and alert.first("status") == "2":
        action = "resolved"  # the incident is closed
    reading = alert_of(
        tool="sentry",
        asset=plain(alert, "projects", "alert_rule.projects", "organization_id"),
        signature=title,
        word=None if action == "resolved" else action,
        words=_WORDS,
        severity=None if action in ("critical", "warning") else Severity.MEDIUM,
        message="\n".join(filter(None, map(data.first, ("description_title", "description_text")))) or title,
        firing=action != "resolved",
        key=f"metric-{key}" if key else None,
        tags=some(alert, "alert_rule.aggregate", "alert_rule.query", "alert_rule.environment", "identifier"),
        urls=[data.at("web_url")],
        starts=alert.first("date_started", "date_detected") or None,
    )
    return Read((reading,))


def _tags(pairs: object) -> dict[str, str]:
    """Tags come as a list of pairs, or of objects with key and value."""
    found: dict[str, str] = {}
    for pair in pairs if isinstance(pairs, list) else ():
        key, value = pair if isinstance(pair, list) and len(pair) == 2 else (None, None)
        if isinstance(pair, dict):
            key, value = pair.get("key"), pair.get("value")
        if isinstance(key, str) and filled(value):
            found[key] = filled(value)
    return found


tool = Tool(
    name="sentry",
    title="Sentry",
    read=read,
    setup=Setup(
        steps=(
            "In Sentry open Settings > Developer Settings > Custom Integrations and create a new Internal Integration.",
            "Name: siems.  Webhook URL:  {url}",
            "Switch on Alert Rule Action, give read permission for Issue & Event, and tick the webhook issue.",
            "Save it, copy its Client Secret, and give it to siems:  siems integration rotate {integration} --what hmac"
            " --secret-file -",
            "In Alerts add to the rules that siems shall get the action: send a notification via siems.",
        ),
        docs="https://docs.sentry.io/organization/integrations/integration-platform/webhooks/",
    ),
    signing=Scheme(header="Sentry-Hook-Signature", given=True),
)
