"""Amazon CloudWatch: alarms on metrics, on expressions over metrics and on other alarms."""

from __future__ import annotations

from siems.sources import Setup, Tool
from siems.sources.aws_events import REDACT, reader

tool = Tool(
    name="aws-cloudwatch",
    title="Amazon CloudWatch",
    read=reader("aws-cloudwatch"),
    setup=Setup(
        steps=(
            "In the SNS console create a Standard topic, say siems, and in it a subscription with the protocol HTTPS "
            "and the endpoint {url}. siems confirms it.",
            "In CloudWatch open Alarms, All alarms, choose an alarm, Actions, Edit, Next, and under Notification add "
            "the topic three times: for In alarm, for OK and for Insufficient data.",
            "Alarms have no severity and come as HIGH. For another write it into the alarm's description: "
            "severity: critical",
        ),
        snippet="aws cloudwatch put-metric-alarm ... --alarm-actions TOPIC_ARN --ok-actions TOPIC_ARN "
        "--insufficient-data-actions TOPIC_ARN",
        snippet_name="AWS CLI",
        docs="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html",
    ),
    proves="sns",
    redact=REDACT,
    tenant="AWSAccountId",
)
