"""Amazon SQS: a queue that siems empties, for what must not come in by an open port."""

from __future__ import annotations

from siems.sources import Setup, Tool
from siems.sources.aws_events import REDACT, reader

tool = Tool(
    name="sqs",
    title="Amazon SQS",
    read=reader("sqs"),
    setup=Setup(
        steps=(
            "In the SQS console create a Standard queue, say siems, with a message retention of 14 days.",
            "In the SNS console open the topic of the alarms, Create subscription, protocol Amazon SQS, endpoint: the "
            "ARN of the queue. The console adds the right to send to the queue's access policy. What EventBridge sends "
            "comes by a rule whose target is the queue.",
            "Give siems the rights sqs:ReceiveMessage and sqs:DeleteMessage on the queue, by the daemon's own identity "
            "or by a role that it may take on.",
            "Tell siems, unless you have:  siems integration add sqs --company {company} --queue-url {url} "
            "--source {source}",
            "siems asks the queue from then on. Set an alarm to In alarm once, and look:  "
            "siems integration show {integration}",
        ),
        snippet="aws sns subscribe --topic-arn TOPIC_ARN --protocol sqs --notification-endpoint QUEUE_ARN",
        snippet_name="AWS CLI",
        docs="https://docs.aws.amazon.com/sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html",
    ),
    redact=REDACT,
    tenant="TopicArn",
)
