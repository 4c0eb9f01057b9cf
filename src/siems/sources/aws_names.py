"""Names in AWS: of resources, accounts, topics and pages of the console, and times as mail writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from siems.domain.alert import Reading
from siems.sources import Read
from siems.sources.envelope import Notice
from siems.sources.reading import Doc

# A dimension that names what is ill, the most telling first; a load balancer before its target groups.
_DIMENSIONS = (
    "host", "Host", "hostname", "HostName", "ComputerName", "InstanceName", "InstanceId", "DBInstanceIdentifier",
    "DBClusterIdentifier", "FunctionName", "ServiceName", "ClusterName", "LoadBalancer", "LoadBalancerName",
    "TargetGroup", "BucketName", "QueueName", "TopicName", "TableName", "CacheClusterId", "ClusterIdentifier",
    "AutoScalingGroupName", "DomainName", "ApiName", "VolumeId", "FileSystemId", "NatGatewayId", "VpnId",
    "StateMachineArn", "ReplicationInstanceIdentifier", "DistributionId", "HealthCheckId",
)  # fmt: skip


def arn_name(arn: str) -> str:
    """The name of a resource by its ARN: `arn:aws:rds:eu-west-1:1234:db:shop` → `shop`; anything else as it is."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":
        return arn
    resource = parts[5].removesuffix(":*")
    if parts[2] in ("elasticloadbalancing", "cloudformation") and resource.count("/") > 1:  # the last is but a number
        return resource.split("/")[-2]
    if "/" in resource and not resource.startswith("log-group:"):
        return resource.rstrip("/").rpartition("/")[2]
    return resource.partition(":")[2] or resource


def region_of(arn: str) -> str:
    parts = arn.split(":", 4)
    return parts[3] if len(parts) == 5 else ""


def account_name(account: str, region: str) -> str:
    return f"AWS account {account}" if account else f"AWS {region}".strip()


def topic_name(notice: Notice) -> str:
    return arn_name(notice.topic) or "SNS"


def from_resources(doc: Doc) -> str:
    return arn_name(doc.first("resources.0"))


def ill(dimensions: Mapping[str, str]) -> str:
    """What the dimensions say is ill; "" when they tell of nothing in particular."""
    for name in _DIMENSIONS:
        if dimensions.get(name):
            said = dimensions[name]
            balanced = name in ("LoadBalancer", "TargetGroup") and said.count("/") > 1
            return said.split("/")[-2] if balanced else arn_name(said)  # app/web/50dc6c495c0c9188
    return next((arn_name(said) for said in dimensions.values() if said), "")


def console(arn: str, region: str, path: str) -> tuple[str, ...]:
    """A page of the console, for regions named as in an ARN; China and GovCloud have consoles of their own."""
    if not re.fullmatch(r"[a-z]{2}(-[a-z]{2,12}){1,3}-\d", region):
        return ()
    host = "console.aws.amazon.com"
    if region.startswith("cn-"):
        host = "console.amazonaws.cn"
    elif region.startswith("us-gov-"):
        host = "console.amazonaws-us-gov.com"
    return (f"https://{region}.{host}/{path.format(region)}",)


def instant_of(said: str) -> Any:
    """Health writes times as mail does: `Wed, 02 Apr 2031 01:00:00 GMT`."""
    if "," not in said:
        return said
    try:
        return parsedate_to_datetime(said).isoformat()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def only(reading: Reading) -> Read:
    return Read((reading,))
