"""AWS Backup: jobs that failed, expired or were aborted, and the next that succeeds."""

from __future__ import annotations

from siems.sources import Setup, Tool
from siems.sources.aws_events import REDACT, reader

tool = Tool(
    name="aws-backup",
    title="AWS Backup",
    read=reader("aws-backup"),
    setup=Setup(
        steps=(
            "In the EventBridge console open API destinations, Connections, Create connection: authorization type "
            "API Key, API key name X-API-Key, value {key}",
            "Create an API destination with that connection. Endpoint: {url}  Method: POST.",
            "Under Rules create a rule on the bus default with the pattern below, "
            "which lets successes through as well: they end the alert of a failure.",
            "As its target choose EventBridge API destination and the one just made. Let the rule send the whole "
            "matched event.",
        ),
        snippet="""{
  "source": ["aws.backup"],
  "detail-type": ["Backup Job State Change", "Copy Job State Change", "Restore Job State Change"],
  "detail": {
    "$or": [
      {"state": ["COMPLETED", "FAILED", "ABORTED", "EXPIRED", "PARTIAL"]},
      {"status": ["COMPLETED", "FAILED", "ABORTED"]}
    ]
  }
}
""",
        snippet_name="Event pattern",
        docs="https://docs.aws.amazon.com/aws-backup/latest/devguide/eventbridge.html",
    ),
    proves="sns",
    redact=REDACT,
    tenant="account",
)
