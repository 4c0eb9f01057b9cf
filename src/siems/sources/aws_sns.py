"""Amazon SNS: whatever is published to a topic, by a service of AWS or by somebody's own program."""

from __future__ import annotations

from siems.sources import Setup, Tool
from siems.sources.aws_events import REDACT, reader

tool = Tool(
    name="aws-sns",
    title="Amazon SNS",
    read=reader("aws-sns"),
    setup=Setup(
        steps=(
            "In the SNS console open Topics, choose the topic that is published to, and choose Create subscription.",
            "Protocol: HTTPS.  Endpoint: {url}",
            "Leave Enable raw message delivery off: without its envelope a message carries no signature.",
            "Choose Create subscription. siems confirms it; its status turns to Confirmed within a minute.",
        ),
        snippet="aws sns subscribe --topic-arn TOPIC_ARN --protocol https --notification-endpoint '{url}'",
        snippet_name="AWS CLI",
        docs="https://docs.aws.amazon.com/sns/latest/dg/sns-http-https-endpoint-as-subscriber.html",
    ),
    proves="sns",
    redact=REDACT,
    tenant="TopicArn",
)
