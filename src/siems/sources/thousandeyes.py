"""ThousandEyes, its classic webhooks: an alert of a test, an agent or a device that begins or clears."""

from __future__ import annotations

from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of, document
from siems.sources.shapes import joined, site, some
from siems.vocabulary import Severity

_WORDS = {
    "critical": Severity.CRITICAL,
    "major": Severity.HIGH,
    "minor": Severity.MEDIUM,
    "info": Severity.LOW,
}

_OVER = frozenset(["0", "false", "clear", "cleared", "inactive", "resolved"])


def read(body: bytes, headers: Headers) -> Read:
    """One alert that begins or clears."""
    doc = document(body, headers)
    event = doc.first("eventType", "type").upper()
    if "TEST" in event.split("_"):
        return Read(said="test message of ThousandEyes")
    alert = next((found for name in ("alert", "agentAlert", "deviceAlert") if (found := doc.doc(name)).value), doc)
    rule, test = alert.first("ruleName", "rule.name"), alert.first("testName", "test.name")
    key = alert.first("alertId", "id") or doc.first("alertId", "eventId")
    if not (rule or test) or not (event or key):
        raise InvalidField("it has no alert with a ruleName or a testName")
    if event:
        firing = "CLEAR" not in event
    else:
        firing = alert.first("active", "state", "status").lower() not in _OVER
    targets = alert.at("testTargetsDescription")
    target = joined(targets[:1]) if isinstance(targets, list) else alert.first("testTargetsDescription", "target")
    asset = alert.first("hostname") or site(target) or alert.first("deviceName", "agentName", "prefix") or test
    expression = alert.first("ruleExpression", "rule.expression")
    word = alert.first("severity", "alertSeverity") or doc.first("severity")
    seen = [_agent(agent) for name in ("agents", "monitors") for agent in alert.docs(name)]
    title = f"{test or asset}: {rule}{'' if firing else ' (cleared)'}"
    lines = [title, expression, alert.first("summary", "details"), *seen[:20]]
    return Read(
        (
            alert_of(
                tool="thousandeyes",
                asset=asset,
                signature=rule or test,
                word=word,
                words=_WORDS,
                message="\n".join(filter(None, lines)),
                firing=firing,
                key=key,
                tags=some(
                    alert, "type", "testName", "testId", "ruleName", "agentName", "ipAddress", "violationCount",
                    labels=joined(alert.at("testLabels")), target=target,
                ),
                urls=[alert.first("permalink"), *(link.first("href") for link in alert.docs("apiLinks"))],
                starts=alert.first("dateStart", "dateStartZoned").removesuffix(" UTC"),
            ),
        )
    )  # fmt: skip


def _agent(agent: Doc) -> str:
    """Where it was seen, and what was measured there."""
    name, measured = agent.first("agentName", "monitorName"), agent.first("metricsAtStart")
    return f"{name}: {measured}" if measured else name


tool = Tool(
    name="thousandeyes",
    title="ThousandEyes",
    read=read,
    setup=Setup(
        steps=(
            "Alerts → Alert Rules → open a rule → Notifications → Webhooks → Edit webhooks → Add New Webhook.",
            "Name: siems. URL:  {url}  Auth Type: None. Press Test, then Add New Webhook.",
            "Select the webhook in each rule; it tells of begin and clear.",
        ),
        docs="https://docs.thousandeyes.com/product-documentation/alerts/standard-notification-methods",
    ),
)
