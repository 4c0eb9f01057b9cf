"""AWS Health: issues, planned changes and notices of AWS about what an account uses."""

from __future__ import annotations

from siems.sources import Setup, Tool
from siems.sources.aws_events import REDACT, reader

tool = Tool(
    name="aws-health",
    title="AWS Health",
    read=reader("aws-health"),
    setup=Setup(
        steps=(
            "In the EventBridge console open API destinations, Connections, Create connection: authorization type "
            "API Key, API key name X-API-Key, value {key}",
            "Create an API destination with that connection. Endpoint: {url}  Method: POST.",
            "Under Rules create a rule on the bus default with the pattern below, "
            "in each region that is used, and in us-east-1 for global services.",
            "As its target choose EventBridge API destination and the one just made. Let the rule send the whole "
            "matched event.",
        ),
        snippet="""{
  "source": ["aws.health"],
  "detail-type": ["AWS Health Event", "AWS Health Abuse Event"]
}
""",
        snippet_name="Event pattern",
        docs="https://docs.aws.amazon.com/health/latest/ug/aws-health-events-eventbridge-schema.html",
    ),
    proves="sns",
    redact=REDACT,
    tenant="account",
)
