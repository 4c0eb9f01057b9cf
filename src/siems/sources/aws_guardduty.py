"""Amazon GuardDuty: findings of threats, and malware scans."""

from __future__ import annotations

from siems.sources import Setup, Tool
from siems.sources.aws_events import REDACT, reader

tool = Tool(
    name="aws-guardduty",
    title="Amazon GuardDuty",
    read=reader("aws-guardduty"),
    setup=Setup(
        steps=(
            "In the EventBridge console open API destinations, Connections, Create connection: authorization type "
            "API Key, API key name X-API-Key, value {key}",
            "Create an API destination with that connection. Endpoint: {url}  Method: POST.",
            "Under Rules create a rule on the bus default with the pattern below, "
            "in each region that GuardDuty watches.",
            "As its target choose EventBridge API destination and the one just made. Let the rule send the whole "
            "matched event.",
        ),
        snippet="""{
  "source": ["aws.guardduty"],
  "detail-type": ["GuardDuty Finding", "GuardDuty Malware Protection Object Scan Result"]
}
""",
        snippet_name="Event pattern",
        docs="https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings_eventbridge.html",
    ),
    proves="sns",
    redact=REDACT,
    tenant="account",
)
