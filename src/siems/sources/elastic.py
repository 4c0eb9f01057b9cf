"""Elastic: rules of Kibana by a webhook connector, actions of Watcher, and ElastAlert's HTTP POST."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from siems.domain.alert import SEVERITY_WORDS, Reading
from siems.errors import InvalidField, UsageError
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of, document, host_in, parse
from siems.sources.shapes import MAX_DOCUMENTS, plain, some, whole_key
from siems.vocabulary import Severity

_RULE = ("rule.name", "ruleName", "rule_name", "kibana.alert.rule.name", "alertName", "alert_name", "watch_id",
         "ctx.watch_id", "watch", "metadata.name", "rule", "name", "title", "Title", "alert_subject")  # fmt: skip
_HOSTS = ("host.name", "host.hostname", "host", "hostname", "host_name", "context.host.name", "context.host.hostname",
          "agent.name", "agent.hostname", "beat.hostname", "beat.name", "asset", "instance", "server", "device",
          "_source.host.name", "_source.host.hostname", "_source.host", "_source.agent.name",
          "context.monitorName", "context.monitorUrl", "context.checkedUrl", "monitor.name", "url.full",
          "context.hits.0._source.host.name", "context.hits.0._source.host.hostname", "hits.0._source.host.name",
          "payload.hits.hits.0._source.host.name", "ctx.payload.hits.hits.0._source.host.name",
          "ctx.payload.hits.hits.0._source.host", "kubernetes.pod.name", "kubernetes.node.name",
          "context.container.id", "context.serviceName", "service.name", "context.service.name",
          "context.group", "group", "kibana.alert.instance.id", "alert.id", "alertInstanceId", "alertId", "alert_id",
          "context.clusterName",
          "cluster", "observer.name")  # fmt: skip
_NOBODY = re.compile(r"\*|query matched|all documents|[0-9a-f-]{20,}", re.IGNORECASE)
"""What Kibana calls the one alert of a rule that looks at everything, and ids that tell nobody anything."""
_SEVERITY = ("severity", "rule.severity", "kibana.alert.severity", "kibana.alert.rule.severity", "context.severity",
             "context.rule.severity", "event.severity_label", "urgency", "priority", "alert.severity", "log.level",
             "level")  # fmt: skip
_TEXT = ("message", "context.message", "reason", "context.reason", "kibana.alert.reason", "context.conditions",
         "alert_text", "text", "description", "body", "error.message", "event.original")  # fmt: skip
_GROUP = ("alert.actionGroup", "actionGroup", "action_group", "alertActionGroup", "alert.actionGroupName",
          "actionGroupName", "kibana.alert.action_group")  # fmt: skip
_STATE = ("alert.status", "status", "state", "alertState", "kibana.alert.status", "context.alertState", "event_action")
_OVER = ("recovered", "resolved", "ok", "closed", "resolve", "inactive")
_NESTED = ("context", "rule", "alert", "ctx", "params")


def read(body: bytes, headers: Headers) -> Read:
    """One alert, or the alerts of a security rule in a list."""
    doc = _unfolded(document(body, headers))
    alerts = doc.at("alerts") if isinstance(doc.at("alerts"), list) else doc.at("context.alerts")
    several = [item for item in alerts if isinstance(item, Mapping)] if isinstance(alerts, list) else []
    if len(several) > MAX_DOCUMENTS:
        raise InvalidField(f"a body holds at most {MAX_DOCUMENTS} alerts")
    if several:
        outer = {key: value for key, value in doc.value.items() if key not in ("alerts", "alert", "context")}
        return Read(tuple(_reading(Doc({**outer, **item})) for item in several), many=True)
    return Read((_reading(doc),))


def _unfolded(doc: Doc) -> Doc:
    """The body without wrappers; parts that a template rendered as JSON in a string become objects again."""
    value = dict(doc.doc("webhook_body").value or doc.value)
    for part in _NESTED:
        found: Any = value.get(part, value.get(f"{part}_info"))
        if isinstance(found, str) and found.lstrip().startswith("{"):
            with suppress(UsageError):
                found = parse(found.encode("utf-8", "replace"))
        if isinstance(found, dict):
            value[part] = found
    return Doc(value)


_MONITOR_NUMBERS = {
    "1": Severity.CRITICAL, "2": Severity.HIGH, "3": Severity.MEDIUM, "4": Severity.LOW, "5": Severity.LOW
}  # fmt: skip
"""Severities of OpenSearch's triggers, 1 the highest."""


def _monitor(doc: Doc) -> Reading:
    """A trigger of a monitor of OpenSearch, in the operator's template of its variables."""
    ctx = doc.doc("ctx") if doc.doc("ctx").value else doc
    monitor, trigger = plain(ctx, "monitor_name", "monitor.name"), plain(ctx, "trigger_name", "trigger.name")
    hosts = (plain(doc, path) for path in _HOSTS if path != "monitor.name")
    said = plain(doc, *_TEXT, "ctx.error", "error")
    return alert_of(
        tool="elastic",
        asset=host_in(next((host for host in hosts if host and not _NOBODY.fullmatch(host)), "") or monitor),
        signature=": ".join(filter(None, (monitor, trigger))),
        word=plain(ctx, "severity", "trigger_severity", "trigger.severity"),
        words=SEVERITY_WORDS | _MONITOR_NUMBERS,
        message="\n".join(filter(None, (f"{monitor}: {trigger}".strip(": "), said))),
        firing=plain(ctx, "state", "status", "alert_state").lower() not in (*_OVER, "completed"),
        key=whole_key(plain(ctx, "alert_id", "alert.id")),
        urls=[plain(doc, path) for path in ("opensearch_discover_url", "url", "link")],
        starts=plain(ctx, "periodStart", "period_start"),
    )


def _reading(doc: Doc) -> Reading:
    if any(doc.has(path) for path in ("trigger_name", "ctx.trigger.name", "ctx.monitor.name", "monitor_name")):
        return _monitor(doc)
    rule, text = plain(doc, *_RULE), plain(doc, *_TEXT)
    if not rule and not text:
        raise InvalidField("this is no body of Elastic: it names no rule and has no message")
    hosts = (plain(doc, path) for path in _HOSTS)
    host = next((host for host in hosts if host and host != rule and not _NOBODY.fullmatch(host)), "")
    ids = (
        plain(doc, "rule.id", "ruleId", "rule_id", "kibana.alert.rule.uuid"),
        plain(doc, "alert.id", "alertId", "alert_id", "kibana.alert.instance.id", "kibana.alert.uuid"),
    )
    group = plain(doc, *_GROUP)
    of_kibana = bool(group or ids[0] or doc.has("alert") or doc.has("kibana.alert.status"))
    state = plain(doc, *_STATE).lower() if of_kibana else ""  # elsewhere it is a field of some document
    firing = not group.lower().endswith("recovered") and state not in _OVER
    word = plain(doc, *_SEVERITY) or next((w for w in ("critical", "warning") if w in group.lower()), "")
    return alert_of(
        tool="elastic",
        asset=host_in(host),
        signature=rule or "Elastic alert",
        word=word,
        message="\n".join(dict.fromkeys(filter(None, [rule, text]))),
        firing=firing,
        key=whole_key(*ids) if all(ids) else None,
        tags=some(
            doc, "rule.type", "rule.spaceId", "service.name", "service.environment", "_index", "num_hits",
            "num_matches", "source.ip", "user.name", "event.action", "event.dataset", "process.name", "trigger",
            actionGroup=group, category=plain(doc, "category"), ruleTags=doc.first("rule.tags", "tags"),
        ),
        urls=[plain(doc, path) for path in (
            "context.alertDetailsUrl", "alertDetailsUrl", "kibana.alert.url", "context.viewInAppUrl", "rule.url",
            "context.link", "context.results_link", "kibana_discover_url", "opensearch_discover_url", "url", "link",
        )],
        starts=plain(
            doc, "kibana.alert.start", "context.timestamp", "@timestamp", "date", "context.date", "timestamp",
            "ctx.trigger.triggered_time", "ctx.execution_time",
        ) if firing else None,
    )  # fmt: skip


tool = Tool(
    name="elastic",
    title="Elastic (Kibana, Watcher, ElastAlert)",
    read=read,
    setup=Setup(
        steps=(
            "In Kibana open Stack Management > Connectors, choose Create connector > Webhook, method POST, and enter:"
            "  {url}",
            "Set Authentication to None and add the header Content-Type: application/json.",
            "In each rule add an action with this connector, Run when the rule's own condition is met, with the body "
            "below; write the rule's severity (critical, high, medium, low) into it.",
            "Add the same action once more with Run when: Recovered.",
            "For Watcher take a webhook action with a body of the same names; for ElastAlert use alert: post, "
            "http_post_url: {url} and http_post_static_payload with rule_name and severity.",
        ),
        snippet_name="Body",
        snippet="""{
  "rule": {"id": "{{rule.id}}", "name": "{{rule.name}}", "type": "{{rule.type}}", "url": "{{rule.url}}",
           "spaceId": "{{rule.spaceId}}", "tags": "{{rule.tags}}"},
  "alert": {"id": "{{alert.id}}", "actionGroup": "{{alert.actionGroup}}"},
  "severity": "high",
  "host": "{{context.host.name}}",
  "message": "{{context.message}}",
  "reason": "{{context.reason}}",
  "alertDetailsUrl": "{{context.alertDetailsUrl}}",
  "date": "{{date}}"
}
""",
        docs="https://www.elastic.co/docs/reference/kibana/connectors-kibana/webhook-action-type",
    ),
)
