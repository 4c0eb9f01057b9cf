"""Azure Monitor action groups: the common alert schema, and the older ones of metric, log and activity log alerts."""

from __future__ import annotations

from urllib.parse import quote

from siems.domain.alert import SEVERITY_WORDS, Reading
from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of, document
from siems.sources.shapes import documents, some, whole_key
from siems.vocabulary import Severity

LOW, MEDIUM, HIGH, CRITICAL = Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL

_SCALE = (CRITICAL, HIGH, MEDIUM, LOW, LOW)
_WORDS = {f"{sev}{number}": level for sev in ("", "sev") for number, level in enumerate(_SCALE)}
# What the activity log calls a level, in words or as a number; that of an alert on it is always Sev4.
_LEVELS = SEVERITY_WORDS | {"1": CRITICAL, "2": HIGH, "3": MEDIUM, "4": LOW, "informational": LOW}
_HEALTH = {"unavailable": HIGH, "degraded": MEDIUM, "unknown": MEDIUM}
_INCIDENTS = {"incident": HIGH, "security": HIGH, "actionrequired": MEDIUM, "maintenance": LOW}
_OVER = ("complete", "completed", "canceled", "rca")
_MACHINES = ("Computer", "HostName", "Host", "hostname", "host", "VMName", "InstanceName", "instance", "node", "pod")


def read(body: bytes, headers: Headers) -> Read:
    """An alert that fired or was resolved."""
    stripped = body.strip()
    if stripped.startswith(b"[") and b"Microsoft.EventGrid.SubscriptionValidationEvent" in stripped:
        asked = next(iter(documents(body, headers))).first("data.validationUrl")
        return Read(said=f"Event Grid asks for a subscription to be confirmed; open within 10 minutes: {asked}")
    doc = document(body, headers)
    data = doc.doc("data") if doc.doc("data").value else doc
    log = data.doc("context.activityLog")
    if data.doc("essentials").value:
        return Read((_common(data.doc("essentials"), data.doc("alertContext"), data),))
    if log.value:
        return Read((_activity(log, "", log.first("resourceId", "authorization.scope"), data),))
    if data.doc("context").value and (data.first("status") or data.first("context.name")):
        return Read((_metric(data, data.doc("context")),))
    if data.first("AlertRuleName") or data.has("SearchQuery"):
        return Read((_log(data),))
    if data.first("BudgetName"):
        return Read((_budget(data, "", ""),))
    raise InvalidField("this is in none of the schemas of Azure Monitor: it has neither essentials nor context")


def _common(essentials: Doc, context: Doc, data: Doc) -> Reading:
    service, target = essentials.first("monitoringService"), essentials.first("alertTargetIDs.0")
    rule = essentials.first("alertRule")
    if service == "CostAlerts" or context.doc("AlertData").first("BudgetName"):
        return _budget(context.doc("AlertData"), essentials.first("description"), essentials.first("firedDateTime"))
    if essentials.first("signalType").replace(" ", "") == "ActivityLog" or context.first("operationName"):
        return _activity(context, rule, target, data)
    by_log = essentials.first("signalType") == "Log"
    conditions = list(context.docs("condition.allOf"))
    dimensions = _named(*conditions, context)
    labels = {name: Doc(context.doc("labels").value).first(name) for name in context.doc("labels").value}
    machine = next(
        (found for name in _MACHINES if (found := labels.get(name) or (by_log and dimensions.get(name)))), ""
    )
    # One rule split by dimensions says the same id for each of them.
    split = [f"{name}={value}" for name, value in sorted(dimensions.items())] if by_log else []
    origin = essentials.first("originAlertId")
    key = whole_key(origin, *split) if origin else essentials.first("alertId") or None
    details = [_condition(one) for one in conditions]
    details.append(context.first("annotations.summary", "annotations.description", "DetectionSummary", "expression"))
    if context.first("SearchQuery"):
        details.append(_search(context))
    word = essentials.first("severity")
    return alert_of(
        tool="azure-monitor", asset=machine or essentials.first("configurationItems.0") or _last(target) or rule,
        signature=rule or service, word=word, words=_WORDS, severity=None if word else LOW,
        message="\n".join(filter(None, (rule, essentials.first("description"), *details))),
        firing=essentials.first("monitorCondition").lower() != "resolved",
        key=key, starts=essentials.first("firedDateTime"),
        tags=_of(target) | dimensions | labels | _custom(data, context)
        | some(essentials, "monitoringService", "signalType", metric=conditions[0].first("metricName") if conditions
               else ""),
        urls=_links(essentials, target, *conditions, context),
    )  # fmt: skip


def _activity(log: Doc, rule: str, target: str, data: Doc) -> Reading:
    """An entry of the activity log: of the health of a resource or a service, or something that was done."""
    said, level = log.doc("properties"), log.first("level")
    health = said.first("currentHealthStatus").lower()
    incident = said.first("incidentType").lower()
    operation = log.first("operationName")
    # an event that begins and the one that ends it differ in the last steps of the operation only
    what_of = "resource health" if "resourcehealth/healthevent" in operation.lower() else operation
    word = said.first("severity") if not health and not incident else ""
    severity = _HEALTH.get(health) or _INCIDENTS.get(incident) or _LEVELS.get((word or level).lower(), LOW)
    stage = said.first("stage") or log.first("status")
    over = health == "available" or stage.lower() == "resolved" or bool(incident and stage.lower() in _OVER)
    over = over or data.first("essentials.monitorCondition").lower() == "resolved"
    where = f"{said.first('service')} {said.first('region')}".strip()
    what = said.first("title", "description", "message", "threatStatus") or log.first("description")
    tracking = said.first("trackingId") if incident else ""
    done = f"{operation} {log.first('status')} {log.first('subStatus')}".strip()
    return alert_of(
        tool="azure-monitor",
        asset=(f"Azure {where}" if incident and where else "") or said.first("compromisedEntity")
        or _last(target or log.first("authorization.scope")) or "Azure",
        signature=rule or what_of or "activity log", word=health or incident or word or level, severity=severity,
        message="\n".join(filter(None, (what if what != operation else "", _change(said), done, log.first("caller")))),
        firing=not over, key=tracking or (whole_key(target.lower(), (rule or what_of).lower()) if target else None),
        starts=said.first("impactStartTime") or log.first("eventTimestamp", "submissionTimestamp"),
        tags=_of(target) | _custom(data, Doc({})) | some(
            said, "cause", "type", "service", "region", "trackingId", "incidentType", "stage", "actionTaken", "filePath"
        ) | some(log, "eventSource", "operationName", "level", "status", "caller", "correlationId"),
        urls=_links(data.doc("essentials"), target),
    )  # fmt: skip


def _change(said: Doc) -> str:
    now, before = said.first("currentHealthStatus"), said.first("previousHealthStatus")
    return f"{before} → {now}" if before and now else now


def _metric(data: Doc, context: Doc) -> Reading:
    """A metric alert outside the common schema, new or classic."""
    conditions = list(context.docs("condition.allOf")) or [context.doc("condition")]
    name, target, word = context.first("name"), context.first("resourceId"), context.first("severity")
    return alert_of(
        tool="azure-monitor", asset=context.first("resourceName") or _last(target) or name, signature=name,
        word=word, words=_WORDS, severity=None if word else MEDIUM,
        message="\n".join(filter(None, (name, context.first("description"), *map(_condition, conditions)))),
        firing=data.first("status").lower() not in ("deactivated", "resolved"),
        key=whole_key(context.first("id"), target), starts=context.first("timestamp"),
        tags=_of(target) | _named(*conditions) | _custom(data, Doc({})),
        urls=[context.first("portalLink")],
    )  # fmt: skip


def _log(data: Doc) -> Reading:
    """A log alert of the first version outside the common schema; it has no end."""
    name, target, word = data.first("AlertRuleName"), data.first("ResourceId"), data.first("Severity")
    dimensions = _named(data)
    return alert_of(
        tool="azure-monitor",
        asset=next(filter(None, map(dimensions.get, _MACHINES)), "") or data.first("AffectedConfigurationItems.0")
        or _last(target) or name,
        signature=name or "log alert", word=word, words=_WORDS | SEVERITY_WORDS, severity=None if word else MEDIUM,
        message="\n".join(filter(None, (name, data.first("Description"), _search(data)))),
        starts=data.first("SearchIntervalEndtimeUtc"), tags=_of(target) | dimensions, urls=_links(Doc({}), "", data),
    )  # fmt: skip


def _budget(budget: Doc, said: str, starts: str) -> Reading:
    name, kind = budget.first("BudgetName") or "budget", budget.first("ThresholdType") or "Cost"
    spent = f"{budget.first('SpentAmount', 'SpendingAmount')} of {budget.first('BudgetThreshold', 'Budget')}"
    at = budget.first("NotificationThresholdAmount")
    return alert_of(
        tool="azure-monitor", asset=name, signature=f"{kind.lower()} budget exceeded", severity=LOW,
        message="\n".join(filter(None, (said, f"spent {spent}, told at {at}"))), starts=starts,
        key=whole_key(budget.first("BudgetId") or name, kind, at),
        tags=some(budget, "Scope", "BudgetType", "SubscriptionName", "ResourceGroup", "Unit",
                  "ForecastedTotalForPeriod"),
    )  # fmt: skip


def _condition(one: Doc) -> str:
    what = one.first("metricName", "webTestName", "searchQuery")
    if not what:
        return ""
    value, operator, threshold = one.first("metricValue"), one.first("operator"), one.first("threshold")
    return f"{what}: {one.first('timeAggregation')} {value or 'no value'} ({operator} {threshold})"


def _search(context: Doc) -> str:
    operator = context.first("Operator", "AlertThresholdOperator")
    threshold = context.first("Threshold", "AlertThresholdValue")
    limit = f" ({operator} {threshold})" if operator else ""
    return f"{context.first('ResultCount') or 0} results{limit}: {context.first('SearchQuery')}"


def _named(*holders: Doc) -> dict[str, str]:
    """The dimensions of conditions, by name."""
    found = {
        one.first("name"): one.first("value")
        for holder in holders for path in ("dimensions", "Dimensions") for one in holder.docs(path)
    }  # fmt: skip
    return {name: value for name, value in found.items() if name and value}


def _custom(data: Doc, context: Doc) -> dict[str, str]:
    """What a rule's author added."""
    own = [data.doc("customProperties"), data.doc("properties"), context.doc("properties")]
    return {str(name): doc.first(str(name)) for doc in own for name in doc.value if doc.first(str(name))}


def _last(target: str) -> str:
    return target.rstrip("/").rpartition("/")[2]


def _of(target: str) -> dict[str, str]:
    """What the id of a resource tells: /subscriptions/…/resourceGroups/…/providers/…/name."""
    parts = target.strip("/").split("/")
    named = {name.lower(): value for name, value in zip(parts[::2], parts[1::2], strict=False)}
    found = {
        "subscription": named.get("subscriptions", ""), "resource_group": named.get("resourcegroups", ""),
        "resource_type": "/".join(parts[5:7]) if len(parts) > 7 and parts[4].lower() == "providers" else "",
    }  # fmt: skip
    return {name: value for name, value in found.items() if value}


def _links(essentials: Doc, target: str, *holders: Doc) -> list[str]:
    alert = essentials.first("alertId")
    links = [essentials.first("investigationLink")]
    if alert.startswith("/subscriptions/"):
        blade = "#blade/Microsoft_Azure_Monitoring/AlertDetailsTemplateBlade/alertId/"
        links.append(f"https://portal.azure.com/{blade}{quote(alert, safe='')}")
    if target.startswith("/subscriptions/"):
        links.append(f"https://portal.azure.com/#resource{quote(target)}")
    ways = ("linkToFilteredSearchResultsUI", "linkToSearchResultsUI", "LinkToFilteredSearchResultsUI",
            "LinkToSearchResults")  # fmt: skip
    return [*links, *(holder.first(*ways) for holder in holders)]


tool = Tool(
    name="azure-monitor",
    title="Azure Monitor",
    read=read,
    setup=Setup(
        steps=(
            "In the Azure portal open Monitor, Alerts, Action groups, and choose Create or one that exists.",
            "Under Actions choose the action type Webhook, and give it the URI {url}",
            "Set Enable the common alert schema to Yes.",
            "Add the action group to each alert rule; leave Automatically resolve alerts on, so that recoveries come.",
        ),
        docs="https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-common-schema",
    ),
)
