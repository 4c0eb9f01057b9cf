"""Run Command of AWS Systems Manager: which agents answer, commands sent to many at once, what they print.

Everything here blocks: call it on a thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from siems.clouds import aws
from siems.errors import Conflict, SiemsError

if TYPE_CHECKING:
    from siems.config import Aws

MOST_AT_ONCE = 50
"""Instances that one command may name."""
INLINE = 24_000
"""Characters of output that Systems Manager keeps by itself; of errors it keeps 8,000."""
OBJECT_AT_MOST = 1 << 20
OVER = frozenset({"Success", "Cancelled", "TimedOut", "Failed"})
DELIVERY_SECONDS = 60
"""For so long a command waits for an agent that answered a moment ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """What Systems Manager says of one machine. `ping`: Online, ConnectionLost or Inactive."""

    id: str
    region: str
    ping: str
    seen_at: datetime | None
    version: str = ""
    latest: bool = True
    platform: str = ""
    name: str = ""

    @property
    def online(self) -> bool:
        return self.ping == "Online"


@dataclass(frozen=True, slots=True)
class Invocation:
    """How a command stands on one instance; `output` is the beginning of what it printed so far."""

    id: str
    status: str
    details: str
    output: str


@dataclass(frozen=True, slots=True)
class Printed:
    """What an instance printed in all. `note` says what is not here, and why."""

    out: str
    err: str
    exit_code: int | None
    status: str
    details: str
    note: str = ""


class Manager:
    """Systems Manager of one account, in any region. Credentials are taken anew as they end."""

    def __init__(self, settings: Aws, access: Mapping[str, str]) -> None:
        """`access` as `domain.cloud.access_of` gives it. Raises Conflict without an external id of ours."""
        role, external_id = access.get("role_arn", ""), access.get("external_id", "")
        if not role or not external_id:
            raise Conflict("no role is entered without an external id of ours", hint="siems company aws setup COMPANY")
        self._settings = settings.model_copy(update={"role": role, "external_id": external_id})
        self.regions = tuple(r for r in access.get("regions", "").split(",") if r) or settings.region_list
        self.bucket = access.get("bucket", "")
        if not self.regions:
            raise Conflict("which region are its machines in?", hint="siems company aws setup COMPANY --region ...")
        self._session: tuple[float, Any] = (0.0, None)
        self._clients: dict[tuple[str, str, bool], Any] = {}
        self._lock = Lock()

    # --- which answer ------------------------------------------------------------------------------------------

    def agents(self, region: str, ids: Iterable[str] = ()) -> dict[str, Agent]:
        """The machines that are known in a region: these, or all."""
        wanted = list(ids)
        parts = [wanted[i : i + MOST_AT_ONCE] for i in range(0, len(wanted), MOST_AT_ONCE)] or [[]]
        found: dict[str, Agent] = {}
        for part in parts:
            more = {"Filters": [{"Key": "InstanceIds", "Values": part}]} if part else {}
            ask = partial(self._pages, region, "ssm", "describe_instance_information", "InstanceInformationList", more)
            entries = self.asked("ssm:DescribeInstanceInformation", region, ask)
            found |= {entry["InstanceId"]: _agent(entry, region) for entry in entries}
        return found

    def _pages(self, region: str, service: str, method: str, key: str, more: Mapping[str, Any]) -> list[Any]:
        pages = self.client(service, region).get_paginator(method).paginate(**more)
        return [entry for page in pages for entry in page[key]]

    # --- commands ----------------------------------------------------------------------------------------------

    def send(
        self, region: str, ids: Sequence[str], *, document: str, lines: Sequence[str], seconds: int, comment: str
    ) -> str:
        """One command for up to 50 instances; its id. Repeats nothing by itself: what timed out may be running."""
        more: dict[str, Any] = {}
        if self.bucket:
            more = {"OutputS3BucketName": self.bucket, "OutputS3KeyPrefix": "siems"}
        ask = lambda: [  # noqa: E731
            self.client("ssm", region, once=True).send_command(
                InstanceIds=list(ids), DocumentName=document, Comment=comment, TimeoutSeconds=DELIVERY_SECONDS,
                Parameters={"commands": list(lines), "executionTimeout": [str(max(1, seconds))]}, **more,
            )["Command"]["CommandId"]
        ]  # fmt: skip
        return str(self.asked("ssm:SendCommand", region, ask)[0])

    def find(self, region: str, comment: str, ids: Sequence[str]) -> str:
        """A command that was sent to these with this comment, among the newest; "" when there is none."""
        ask = lambda: self.client("ssm", region).list_commands(MaxResults=50)["Commands"]  # noqa: E731
        for command in self.asked("ssm:ListCommands", region, ask):
            if command.get("Comment") == comment and set(command.get("InstanceIds", ())) == set(ids):
                return str(command["CommandId"])
        return ""

    def invocations(self, region: str, command_id: str) -> dict[str, Invocation]:
        """How it stands on each instance; one that has not heard of it yet is missing."""
        more = {"CommandId": command_id, "Details": True}
        ask = partial(self._pages, region, "ssm", "list_command_invocations", "CommandInvocations", more)
        return {
            i["InstanceId"]: Invocation(
                i["InstanceId"], i["Status"], _word(i.get("StatusDetails")),
                "".join(plugin.get("Output", "") for plugin in i.get("CommandPlugins", ())),
            )
            for i in self.asked("ssm:ListCommandInvocations", region, ask)
        }  # fmt: skip

    def printed(self, region: str, command_id: str, instance_id: str) -> Printed:
        """All that an instance printed: from the bucket where Systems Manager has cut it and there is one."""
        ask = lambda: [  # noqa: E731
            self.client("ssm", region).get_command_invocation(CommandId=command_id, InstanceId=instance_id)
        ]
        [told] = self.asked("ssm:GetCommandInvocation", region, ask)
        out, err, note = told.get("StandardOutputContent", ""), told.get("StandardErrorContent", ""), ""
        if _cut(out, INLINE):
            out, note = self._whole(region, told.get("StandardOutputUrl", ""), out)
        if _cut(err, INLINE // 3):
            err, more = self._whole(region, told.get("StandardErrorUrl", ""), err)
            note = note or more
        code = told.get("ResponseCode", -1)
        return Printed(
            out, err, None if code < 0 else code, told["Status"], _word(told.get("StatusDetails")), note
        )  # fmt: skip

    def cancel(self, region: str, command_id: str, ids: Sequence[str] = ()) -> None:
        more = {"InstanceIds": list(ids)} if ids else {}
        ask = lambda: [self.client("ssm", region).cancel_command(CommandId=command_id, **more)]  # noqa: E731
        self.asked("ssm:CancelCommand", region, ask)

    def _whole(self, region: str, url: str, cut: str) -> tuple[str, str]:
        """(all of it, "") from the bucket; (what there is, why it is not all) without one."""
        if not self.bucket or not url:
            return cut, f"cut at {len(cut)} characters: a bucket for output keeps all of it"
        path = unquote(urlsplit(url).path).strip("/")
        key = path.removeprefix(f"{self.bucket}/")
        ask = lambda: [  # noqa: E731
            self.client("s3", region)
            .get_object(Bucket=self.bucket, Key=key, Range=f"bytes=0-{OBJECT_AT_MOST - 1}")["Body"]
            .read()
        ]
        try:
            [body] = self.asked("s3:GetObject", region, ask)
        except SiemsError as why:
            return cut, f"cut at {len(cut)} characters: {why.message}"
        note = f"cut at {OBJECT_AT_MOST >> 20} MiB" if len(body) == OBJECT_AT_MOST else ""
        return body.decode("utf-8", "replace"), note

    # --- the connection ----------------------------------------------------------------------------------------

    def asked(self, right: str, region: str, ask: Callable[[], Any]) -> list[Any]:
        """As `aws.asked`; after a failure the credentials are taken anew."""
        try:
            return aws.asked(right, region, ask)
        except SiemsError:
            self._session = (0.0, None)
            raise

    def client(self, service: str, region: str, *, once: bool = False) -> Any:
        """A client with the credentials of the role. Raises Conflict when it cannot be entered."""
        with self._lock:
            made, session = self._session
            if session is None or time.monotonic() - made > aws.FRESH:
                session = aws.open_session(self._settings, "", region=region)
                self._session, self._clients = (time.monotonic(), session), {}
            known = self._clients.get((service, region, once))
            if known is None:
                patience = {"patience": aws.ONCE} if once else {}
                known = aws.open_client(session, self._settings, service, region, **patience)
                self._clients[service, region, once] = known
        return known


def _agent(entry: Mapping[str, Any], region: str) -> Agent:
    return Agent(
        id=entry["InstanceId"], region=region, ping=entry.get("PingStatus", "?"), seen_at=entry.get("LastPingDateTime"),
        version=entry.get("AgentVersion", ""), latest=entry.get("IsLatestVersion", True),
        platform=entry.get("PlatformType", "").lower(), name=entry.get("Name") or entry.get("ComputerName", ""),
    )  # fmt: skip


def _word(details: str | None) -> str:
    """Details come with spaces and without, by the door they come through."""
    return (details or "").replace(" ", "")


def _cut(text: str, limit: int) -> bool:
    return len(text) >= limit or text.rstrip().lower().endswith(("--output truncated--", "--error truncated--"))
