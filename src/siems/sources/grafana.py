"""Grafana: unified alerting, which sends groups as Alertmanager does with more in them, and the legacy alerting."""

from __future__ import annotations

import re
from typing import Any

from siems.domain.alert import Reading
from siems.domain.changing import replace
from siems.errors import InvalidField
from siems.sources import Headers, Read, Remark, Setup, Tool
from siems.sources.groups import group, tells_machine
from siems.sources.reading import Doc, alert_of, document, filled, host_in, links, message, name, without_port
from siems.sources.shapes import plain

# where an alert has none of the labels that name a machine: what comes nearest
_ASSETS = ("server", "vm", "container", "cluster", "namespace", "database", "queue", "url", "zone", "region",
           "datacenter", "site", "grafana_folder")  # fmt: skip
_HOSTS = ("instance", "host", "hostname", "node", "nodename", "server", "pod", "device", "target", "service", "job")
_HOST_IN_VALUES = re.compile(r"\b(?:instance|host|hostname|node|nodename|server)=([^,}\]\s]{1,200})")
_TEST_GROUP = re.compile(r"[^\n]{0,200}-[0-9a-f]{16}-\d{10}")
_LINKS = ("dashboardURL", "panelURL", "silenceURL", "imageURL")
_ABSENT = ("DatasourceNoData", "DatasourceError")  # Grafana's own names; which rule it is about is in a label


def read(body: bytes, headers: Headers) -> Read:
    """A group of alerts, or one rule of the legacy alerting."""
    doc = document(body, headers)
    if not doc.has("alerts") and any(doc.has(path) for path in ("ruleId", "ruleName", "evalMatches")):
        return _legacy(doc)
    if doc.first("alert_group.id", "alert_group_id") or (doc.has("alert_uid", "title") and not doc.has("alerts")):
        return _oncall(doc)
    found = group(
        doc.value, tool="grafana", title="Grafana",
        hint="use a contact point of the type Webhook without a custom payload",
    )  # fmt: skip
    alerts = list(doc.docs("alerts"))
    if alerts and (_TEST_GROUP.fullmatch(doc.first("groupKey")) or all(map(_is_test, alerts))):
        return Read(said="test message of a contact point of Grafana")
    told = doc.first("title") if len(alerts) == 1 else ""
    pairs = zip(found.readings, alerts, strict=True)
    return replace(found, readings=tuple(_better(reading, alert, told) for reading, alert in pairs))


def _is_test(alert: Doc) -> bool:
    return alert.first("labels.alertname") == "TestAlert" and alert.first("labels.instance") == "Grafana"


def _better(reading: Reading, alert: Doc, told: str) -> Reading:
    """The reading with what only Grafana tells: the values, its links, the rule behind a lack of data."""
    tags = Doc(reading.labels)
    asset, signature = reading.asset_name, reading.signature
    if not tells_machine(reading.labels):
        hosts = set(_HOST_IN_VALUES.findall(alert.first("valueString")))
        asset = without_port(hosts.pop()) if len(hosts) == 1 else host_in(tags.first(*_ASSETS)) or asset
    if signature in _ABSENT and tags.first("rulename"):
        signature = f"{signature}: {tags.first('rulename')}"
    said = [reading.message or told, _values(alert.at("values"))]
    return replace(
        reading, asset_name=name(asset), signature=name(signature), message=message("\n".join(filter(None, said))),
        links=links([*reading.links, *(alert.at(path) for path in _LINKS)]),
    )  # fmt: skip


def _values(values: Any) -> str:
    if not isinstance(values, dict) or not values:
        return ""
    return "Values: " + ", ".join(f"{key}={filled(value, 64)}" for key, value in list(values.items())[:16])


_ONCALL_NOTES = ("acknowledge", "unacknowledge", "silence", "unsilence", "escalation", "status change", "manual")


def _oncall(doc: Doc) -> Read:
    """An alert group of Grafana OnCall or IRM, by its outgoing webhook; one alert of many stands for the group."""
    told, payload = doc.doc("alert_group"), doc.doc("alert_payload")
    key = doc.first("alert_group.id", "alert_group_id", "alert_uid")
    happened = doc.first("event.type").lower()
    title = doc.first("alert_group.title", "title")
    if happened in _ONCALL_NOTES and told.first("state").lower() != "resolved":
        who = doc.first("user.username", "user.email")
        return Read(
            remarks=(Remark(f"oncall:{key}", f"{happened} in Grafana OnCall{f' by {who}' if who else ''}: {title}"),)
        )
    tags: dict[str, Any] = {**payload.doc("commonLabels").value, **payload.doc("labels").value}
    tags = tags or dict(payload.doc("alerts.0.labels").value)
    labels = Doc(tags)
    asset = labels.first(*_HOSTS, *_ASSETS) or payload.first("host", "hostname", "service") or doc.first(
        "integration.name"
    )  # fmt: skip
    over = told.first("state").lower() == "resolved" or happened == "resolve" or doc.first("state").lower() == "ok"
    notes = payload.doc("annotations") if payload.doc("annotations").value else payload.doc("commonAnnotations")
    reading = alert_of(
        tool="grafana",
        asset=without_port(asset),
        signature=labels.first("alertname") or title,
        word=labels.first("severity", "priority", "level") or payload.first("severity"),
        message="\n".join(filter(None, [title, notes.first("summary", "description"), doc.first("message")])),
        firing=not over,
        key=f"oncall:{key}" if key else None,
        tags=tags,
        urls=[told.first("permalinks.web"), doc.first("link_to_upstream_details"), payload.first("generatorURL")],
        starts=told.first("created_at") if not over else None,
    )
    return Read((reading,))


def _legacy(doc: Doc) -> Read:
    """One rule of Grafana up to version 8: one state for all that it matches."""
    state = doc.first("state").lower()
    rule = doc.first("ruleName", "title")
    if not rule:
        raise InvalidField("this is no Grafana body: its rule has no name")
    if state in ("paused", "pending", "unknown"):
        return Read(said=f"{rule} of Grafana is {state}")
    if rule == "Test notification":
        return Read(said="test message of a notification channel of Grafana")
    matches = list(doc.docs("evalMatches"))
    url = doc.first("ruleUrl")
    ids = [doc.first(path).removesuffix(".0") for path in ("orgId", "ruleId")]
    tags = doc.doc("tags").value
    named = [plain(match, *(f"tags.{label}" for label in _HOSTS)) for match in matches[:64]]
    asset = next(filter(None, named), "") or Doc(tags).first(*_HOSTS) or _dashboard(url)
    measured = [f"{match.first('metric')}: {match.first('value')}" for match in matches[:16]]
    labels = {**{k: v for match in matches[:1] for k, v in match.doc("tags").value.items()}, **tags}
    reading = alert_of(
        tool="grafana",
        asset=without_port(asset),
        signature=rule,
        word=Doc(tags).first("severity", "priority", "level"),
        message="\n".join(filter(None, [doc.first("title"), doc.first("message"), *measured])),
        firing=state != "ok",
        key=":".join(filter(None, [host_in(url), *ids])) if ids[1] else None,
        tags=labels,
        urls=[url, doc.at("imageUrl")],
    )
    return Read((reading,))


def _dashboard(url: str) -> str:
    """The dashboard of a rule's address, which is the same when it fires and when it recovers."""
    return url.partition("?")[0].rstrip("/").rpartition("/")[2]


tool = Tool(
    name="grafana",
    title="Grafana",
    read=read,
    setup=Setup(
        steps=(
            "In Grafana open Alerting > Contact points and choose Create contact point.",
            "Name it siems, take the integration Webhook, and enter as URL:  {url}",
            "Leave HTTP Method at POST, leave Custom Payload empty and Disable resolved message off; press Test.",
            "Save it, and take it as contact point of a notification policy under Alerting > Notification policies.",
            "Give alert rules a label severity (critical, high, warning, info); without it they count as MEDIUM.",
        ),
        docs="https://grafana.com/docs/grafana/latest/alerting/configure-notifications/"
        "manage-contact-points/integrations/webhook-notifier/",
    ),
)
