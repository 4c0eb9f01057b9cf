"""AWS by boto3: machines of EC2, what Systems Manager knows besides, queues of SQS, mail and text messages."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any

from siems.clouds import Found, Instance, Message
from siems.errors import Conflict, InvalidField, SiemsError, Unavailable
from siems.vocabulary import Platform

if TYPE_CHECKING:
    from siems.config import Aws
    from siems.domain.particulars import Queue

_REGION = re.compile(r"[a-z]{2}(-[a-z]+){1,3}-[0-9]{1,2}")
GONE = ("terminated", "shutting-down")
_PLATFORMS = {"windows": Platform.WINDOWS, "linux": Platform.LINUX}


def inventory(settings: Aws, *, regions: Sequence[str] = (), role: str = "") -> Found:
    """Every instance of these regions, or of those in the settings. Blocks: call it on a thread.

    Raises InvalidField, Conflict for missing credentials and rights, Unavailable when AWS does not answer.
    """
    session = open_session(settings, role)
    chosen = [region for region in (*regions, *(() if regions else settings.region_list)) if region]
    chosen = chosen or [region for region in (session.region_name,) if region]
    if not chosen:
        raise InvalidField("which region?", hint="--region eu-west-1, or regions in [aws] of siems.toml")
    instances: dict[str, Instance] = {}
    warnings: list[str] = []
    for region in dict.fromkeys(chosen):
        if not _REGION.fullmatch(region):
            raise InvalidField(f"{region[:40]!r} is no region of AWS", hint="--region eu-west-1")
        here = {i.id: i for i in asked("ec2:DescribeInstances", region, partial(_ec2, session, settings, region))}
        try:
            told = asked("ssm:DescribeInstanceInformation", region, partial(_ssm, session, settings, region))
            for said in told:
                here[said.id] = _both(here[said.id], said) if said.id in here else said
        except SiemsError as why:
            warnings.append(f"without Systems Manager: {why.message}")
        instances |= here
    ordered = sorted(instances.values(), key=lambda i: (i.name, i.id))
    return Found(f"aws {' '.join(dict.fromkeys(chosen))}", tuple(ordered), tuple(warnings))


def _both(ec2: Instance, ssm: Instance) -> Instance:
    """EC2 knows the name and the account; what runs on it is known by its agent."""
    addresses = tuple(dict.fromkeys((*ec2.addresses, *ssm.addresses)))
    return replace(ec2, addresses=addresses, platform=ssm.platform or ec2.platform, name=ec2.name or ssm.name)


def _ec2(session: Any, settings: Aws, region: str) -> Iterator[Instance]:
    pages = open_client(session, settings, "ec2", region).get_paginator("describe_instances").paginate()
    for reservation in (r for page in pages for r in page["Reservations"]):
        for found in reservation["Instances"]:
            if found["State"]["Name"] in GONE:
                continue
            tags = {tag["Key"]: tag["Value"] for tag in found.get("Tags", ())}
            interfaces = found.get("NetworkInterfaces", ())
            inside = [found.get("PrivateIpAddress"), *(i.get("PrivateIpAddress") for i in interfaces)]
            addresses = dict.fromkeys(filter(None, (*inside, found.get("PublicIpAddress"))))
            yield Instance(
                id=found["InstanceId"], name=_one_line(tags.get("Name", "")), account=reservation.get("OwnerId", ""),
                addresses=tuple(addresses)[:8],
                platform=Platform.WINDOWS if found.get("Platform", "").lower() == "windows" else Platform.LINUX,
            )  # fmt: skip


def _ssm(session: Any, settings: Aws, region: str) -> Iterator[Instance]:
    """What has the agent; machines outside of AWS (`mi-…`) are only known here."""
    pages = open_client(session, settings, "ssm", region).get_paginator("describe_instance_information").paginate()
    for found in (entry for page in pages for entry in page["InstanceInformationList"]):
        address = found.get("IPAddress", "")
        yield Instance(
            id=found["InstanceId"], name=_one_line(found.get("Name") or found.get("ComputerName", "")), account="",
            addresses=(address,) if address else (),
            platform=_PLATFORMS.get(found.get("PlatformType", "").lower(), Platform.OTHER),
        )  # fmt: skip


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text).strip()[:200]


# --- queues ----------------------------------------------------------------------------------------------------

HIDDEN_SECONDS = 60
"""So long a message that was taken is hidden from others; what is not deleted by then comes again."""
FRESH = 30 * 60.0
"""A connection is made anew after so many seconds: the credentials of a role end."""


class QueueReader:
    """One queue of SQS. Its methods block: call them on a thread, one at a time."""

    def __init__(self, settings: Aws, queue: Queue) -> None:
        self._queue = queue
        if queue.role_arn:
            settings = settings.model_copy(update={"role": queue.role_arn, "external_id": queue.external_id})
        self._settings = settings
        self._made = 0.0
        self._sqs: Any = None

    def receive(self, seconds: int) -> list[Message]:
        """Up to ten messages, waiting so long for the first. Raises Conflict and Unavailable."""
        asked = self._call(
            "sqs:ReceiveMessage",
            lambda sqs: sqs.receive_message(
                QueueUrl=self._queue.url, MaxNumberOfMessages=10, WaitTimeSeconds=seconds,
                VisibilityTimeout=HIDDEN_SECONDS, AttributeNames=["ApproximateReceiveCount"],
            ).get("Messages", []),
        )  # fmt: skip
        return [
            Message(
                m["MessageId"], m["Body"].encode("utf-8", "surrogatepass"), m["ReceiptHandle"],
                int(m.get("Attributes", {}).get("ApproximateReceiveCount", 1)),
            )
            for m in asked
        ]  # fmt: skip

    def delete(self, receipts: Sequence[str]) -> int:
        """Delete what was taken; how many could not be, and will come again."""
        entries = [{"Id": str(number), "ReceiptHandle": receipt} for number, receipt in enumerate(receipts)]
        failed = self._call(
            "sqs:DeleteMessage",
            lambda sqs: sqs.delete_message_batch(QueueUrl=self._queue.url, Entries=entries).get("Failed", []),
        )
        return len(failed)

    def _call(self, right: str, ask: Callable[[Any], Any]) -> list[Any]:
        if self._sqs is None or time.monotonic() - self._made > FRESH:
            self._sqs = open_client(open_session(self._settings, ""), self._settings, "sqs", self._queue.region)
            self._made = time.monotonic()
        try:
            return asked(right, self._queue.region, lambda: ask(self._sqs))
        except SiemsError:
            self._sqs = None  # new credentials may do better
            raise


# --- messages --------------------------------------------------------------------------------------------------


class Messenger:
    """Mail by SES and text messages by SNS. Its methods block, on any thread, for no longer than ten seconds.

    They raise Conflict for what AWS will never take, Unavailable for what it may take later. Nothing is repeated
    here: what timed out may have been sent.
    """

    def __init__(self, settings: Aws, region: str = "") -> None:
        self._settings = settings
        self.region = region or next(iter(settings.region_list), "")
        self._clients: dict[str, tuple[float, Any]] = {}
        self._lock = Lock()

    def mail(self, raw: bytes, *, sender: str, to: str) -> str:
        """Send a whole message of RFC 5322; the id that SES gives it."""
        return self._call(
            "ses:SendRawEmail", "ses",
            lambda ses: ses.send_raw_email(Source=sender, Destinations=[to], RawMessage={"Data": raw}),
        )  # fmt: skip

    def text(self, text: str, *, sender: str, to: str) -> str:
        """Send a text message to a number; the id that SNS gives it."""
        said = {"AWS.SNS.SMS.SMSType": "Transactional"}
        if sender:
            said["AWS.MM.SMS.OriginationNumber" if sender.startswith("+") else "AWS.SNS.SMS.SenderID"] = sender
        attributes = {name: {"DataType": "String", "StringValue": value} for name, value in said.items()}
        return self._call(
            "sns:Publish", "sns",
            lambda sns: sns.publish(PhoneNumber=to, Message=text, MessageAttributes=attributes),
        )  # fmt: skip

    def _call(self, right: str, service: str, ask: Callable[[Any], dict[str, Any]]) -> str:
        try:
            [answer] = asked(right, self.region, lambda: [ask(self._client(service))])
        except SiemsError:
            self._clients.pop(service, None)  # new credentials may do better
            raise
        return str(answer["MessageId"])

    def _client(self, service: str) -> Any:
        with self._lock:
            made, client = self._clients.get(service, (0.0, None))
            if client is None or time.monotonic() - made > FRESH:
                session = open_session(self._settings, "")
                self.region = self.region or session.region_name or ""
                if not self.region:
                    raise Conflict("which region of AWS sends messages?", hint="regions in [aws] of siems.toml")
                client = open_client(session, self._settings, service, self.region, patience=ONCE)
                self._clients[service] = (time.monotonic(), client)
        return client


# --- the connection --------------------------------------------------------------------------------------------


def open_session(settings: Aws, role: str, *, region: str = "") -> Any:
    """Credentials as boto3 finds them, or those of a profile; with a role, those of the role."""
    import boto3
    from botocore.exceptions import BotoCoreError

    try:
        session = boto3.Session(profile_name=settings.profile or None)
    except BotoCoreError as why:
        raise Conflict(f"AWS: {why}", hint="profile in [aws] of siems.toml") from why
    role = role or settings.role
    if not role:
        return session
    more = {"ExternalId": settings.external_id} if settings.external_id else {}
    region = region or session.region_name or next(iter(settings.region_list), "us-east-1")

    def assume() -> list[Any]:
        client = open_client(session, settings, "sts", region)
        return [client.assume_role(RoleArn=role, RoleSessionName="siems", **more)["Credentials"]]

    [given] = asked("sts:AssumeRole", region, assume)
    return boto3.Session(
        aws_access_key_id=given["AccessKeyId"], aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"], region_name=session.region_name,
    )  # fmt: skip


class Refused(Conflict):
    """AWS has said no. `error` is its own word for it, `words` what it said besides."""

    def __init__(self, right: str, region: str, error: str, words: str = "") -> None:
        super().__init__(f"AWS refuses {right} in {region} ({error})", hint=_remedy(right, error))
        self.right = right
        self.error = error
        self.words = words

    @property
    def denied(self) -> bool:
        """Whether it is for want of a right, and not for what was asked."""
        return "AccessDenied" in self.error or "Unauthorized" in self.error or "NotAuthorized" in self.error


_UNKNOWN_KEYS = frozenset({
    "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "SignatureDoesNotMatch",
    "ExpiredToken", "ExpiredTokenException", "AuthFailure", "InvalidSignatureException",
})  # fmt: skip


def _remedy(right: str, error: str) -> str:
    """What helps: no right is missing where the credentials are wrong, or where nothing is there."""
    if error in _UNKNOWN_KEYS:
        return "the credentials are wrong, or have ended: renew them (profile in [aws] of siems.toml, or the machine's)"
    if "NonExistentQueue" in error or "QueueDoesNotExist" in error:
        return "there is no such queue in this account and region: look at its URL in the SQS console"
    return f"allow {right} to this identity"


_PATIENT = {"connect_timeout": 5, "read_timeout": 20, "retries": {"total_max_attempts": 3, "mode": "standard"}}
ONCE = {"connect_timeout": 3, "read_timeout": 7, "retries": {"total_max_attempts": 1}}
_THROTTLED = frozenset({
    "Throttling", "ThrottlingException", "ThrottledException", "TooManyRequestsException", "RequestLimitExceeded",
    "LimitExceededException", "SlowDown", "KMSThrottling", "ServiceUnavailable",
})  # fmt: skip


def open_client(
    session: Any, settings: Aws, service: str, region: str, *, patience: Mapping[str, Any] = _PATIENT
) -> Any:  # fmt: skip
    """A client of one service. `patience` ONCE repeats nothing by itself."""
    from botocore.config import Config

    return session.client(
        service, region_name=region, endpoint_url=settings.endpoint_url or None, config=Config(**patience)
    )


def asked(right: str, region: str, ask: Callable[[], Any]) -> list[Any]:
    """All that a call answers. Raises Refused, Conflict without credentials, Unavailable for what may go later."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError
    from botocore.parsers import ResponseParserError

    try:
        return list(ask())
    except (NoCredentialsError, PartialCredentialsError) as why:
        raise Conflict(
            "the daemon has no credentials for AWS", hint="profile in [aws] of siems.toml, or a role of the machine"
        ) from why
    except ClientError as why:
        code = why.response.get("Error", {}).get("Code", "?")
        if code in _THROTTLED or why.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
            raise Unavailable(f"AWS fails at {right} in {region} ({code})", hint="try again later") from why
        raise Refused(right, region, code, str(why.response.get("Error", {}).get("Message", ""))) from why
    except BotoCoreError as why:
        raise Unavailable(f"AWS does not answer to {right} in {region}: {why}", hint="try again later") from why
    except ResponseParserError as why:  # such as the page of a proxy; it holds the whole of it
        raise Unavailable(
            f"what came back for {right} in {region} is no answer of AWS", hint="is there a proxy in between?"
        ) from why
