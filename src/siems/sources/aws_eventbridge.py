"""Amazon EventBridge: events of any service of AWS, by an API destination or by SNS."""

from __future__ import annotations

from siems.sources import Setup, Tool
from siems.sources.aws_events import REDACT, reader

tool = Tool(
    name="aws-eventbridge",
    title="Amazon EventBridge",
    read=reader("aws-eventbridge"),
    setup=Setup(
        steps=(
            "In the EventBridge console open API destinations, Connections, Create connection: authorization type "
            "API Key, API key name X-API-Key, value {key}",
            "Create an API destination with that connection. Endpoint: {url}  Method: POST.",
            "Under Rules create a rule on the bus default with the pattern below, "
            "with the kinds of events that you want to hear of.",
            "As its target choose EventBridge API destination and the one just made. Let the rule send the whole "
            "matched event.",
        ),
        snippet="""{
  "detail-type": [
    "CloudWatch Alarm State Change",
    "EC2 Instance State-change Notification",
    "Glue Job State Change",
    "CodePipeline Pipeline Execution State Change",
    "Security Hub Findings - Imported"
  ]
}
""",
        snippet_name="Event pattern",
        docs="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html",
    ),
    proves="sns",
    redact=REDACT,
    tenant="account",
)
