"""An AWS in which commands really run: moto, with a Systems Manager whose agents are shells of this machine.

A role lets in only who names its external id, a right can be taken away, and agents can be silent, slow or gone.
"""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

from .conftest import REGION, Cloud, serving

START = 1_770_000_000.0
OVER = ("Success", "Failed", "TimedOut", "Cancelled")


@dataclass
class Agent:
    """A machine: what is sent to it runs in a shell, in a folder of its own."""

    id: str
    region: str = REGION
    ping: str = "Online"
    seen: float = START
    platform: str = "Linux"
    version: str = "3.3.0.0"
    name: str = ""
    delivers: bool = True
    """Whether a command gets there at all."""
    folder: Path = Path("/")
    environment: dict[str, str] = field(default_factory=dict)
    patches: dict[str, Any] | None = None


@dataclass
class Invocation:
    """One command on one machine."""

    agent: Agent
    status: str = "Pending"
    details: str = "Pending"
    out: Path = Path()
    err: Path = Path()
    code: int = -1
    process: subprocess.Popen[bytes] | None = None
    cancelled: bool = False

    def read(self, file: Path) -> str:
        return file.read_text(errors="replace") if file.is_file() else ""


@dataclass
class Command:
    id: str
    ask: dict[str, Any]
    invocations: dict[str, Invocation]


class Trouble(Exception):
    """An error as AWS words it."""

    def __init__(self, code: str, status: int = 400) -> None:
        super().__init__(code)
        self.status = status


class Fleet(Cloud):
    """`roles`: external id by ARN. `denied`: rights that nobody has. `troubles`: errors that the next calls meet."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.machines: dict[str, Agent] = {}
        self.commands: dict[str, Command] = {}
        self.roles: dict[str, str] = {}
        self.denied: set[str] = set()
        self.troubles: dict[str, list[Trouble]] = {}
        self.rights: list[str] = []
        """What was asked for, in order."""
        self.assumed: list[tuple[str, str]] = []
        self.activations: list[dict[str, Any]] = []
        self.lock = threading.Lock()

    def agent(self, id: str, **more: Any) -> Agent:
        folder = self.folder / id
        folder.mkdir()
        self.machines[id] = Agent(id, folder=folder, **more)
        return self.machines[id]

    def then(self, right: str, *troubles: Trouble) -> None:
        self.troubles.setdefault(right, []).extend(troubles)

    # --- HTTP --------------------------------------------------------------------------------------------------

    def answer(self, moto: Callable[..., Iterable[bytes]], environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        scope = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].partition(",")[0].split("/")
        region, service = (scope[2], scope[3]) if len(scope) > 3 else ("", "")
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        form = parse_qs(body.decode("latin-1")) if not target else {}
        action = target.rpartition(".")[2] or next(iter(form.get("Action", [])), "")
        right = f"{service}:{action}"
        if environ["PATH_INFO"].startswith("/moto-api"):
            return moto(environ, start)
        self.rights.append(right)
        self.asked.append(target)
        try:
            if self.troubles.get(right):
                raise self.troubles[right].pop(0)
            document = json.loads(body)["DocumentName"] if action == "SendCommand" else ""
            if {right, f"{right} {document}"} & self.denied:
                raise Trouble("UnauthorizedOperation" if service == "ec2" else "AccessDeniedException")
            if action == "AssumeRole":
                self._assume(form)
            own = getattr(self, f"do_{action}", None) if service == "ssm" else None
            if own is None:
                return moto(environ, start)
            with self.lock:
                said: dict[str, Any] = own(json.loads(body or b"{}"), region)
        except Trouble as why:
            return _refuse(start, service, why)
        return _say(start, "200 OK", json.dumps(said).encode(), "application/x-amz-json-1.1")

    def _assume(self, form: dict[str, list[str]]) -> None:
        arn, given = form["RoleArn"][0], form.get("ExternalId", [""])[0]
        self.assumed.append((arn, given))
        if self.roles.get(arn, given + "?") != given:
            raise Trouble("AccessDenied", 403)

    # --- Systems Manager ---------------------------------------------------------------------------------------

    def do_DescribeInstanceInformation(self, ask: dict[str, Any], region: str) -> dict[str, Any]:
        wanted = {v for f in ask.get("Filters", ()) if f["Key"] == "InstanceIds" for v in f["Values"]}
        assert len(wanted) <= 50
        found = [a for a in self.machines.values() if a.region == region and (not wanted or a.id in wanted)]
        return {
            "InstanceInformationList": [
                {"InstanceId": a.id, "PingStatus": a.ping, "LastPingDateTime": a.seen, "AgentVersion": a.version,
                 "IsLatestVersion": True, "PlatformType": a.platform, "ComputerName": a.name}
                for a in found
            ]
        }  # fmt: skip

    def do_SendCommand(self, ask: dict[str, Any], region: str) -> dict[str, Any]:
        ids = ask["InstanceIds"]
        if len(ids) > 50:
            raise Trouble("ValidationException")
        known = [self.machines.get(id) for id in ids]
        if any(a is None or a.region != region or a.ping != "Online" for a in known):
            raise Trouble("InvalidInstanceId")
        if any("{{" in line for line in ask["Parameters"]["commands"]):
            raise Trouble("InvalidParameters")
        command = Command(str(uuid4()), ask, {a.id: Invocation(a) for a in known if a is not None})
        self.commands[command.id] = command
        for invocation in command.invocations.values():
            self._begin(command, invocation)
        return {"Command": {"CommandId": command.id, "Comment": ask.get("Comment", ""), "InstanceIds": ids}}

    def _begin(self, command: Command, invocation: Invocation) -> None:
        agent, folder = invocation.agent, self.folder / command.id
        if not agent.delivers:
            invocation.status, invocation.details = "TimedOut", "DeliveryTimedOut"
            return
        folder.mkdir(exist_ok=True)
        invocation.out, invocation.err = folder / f"{agent.id}.out", folder / f"{agent.id}.err"
        script = "\n".join(command.ask["Parameters"]["commands"])
        environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"} | agent.environment
        with invocation.out.open("wb") as out, invocation.err.open("wb") as err:
            invocation.process = subprocess.Popen(
                ["sh", "-c", script], cwd=agent.folder, env=environment, stdout=out, stderr=err,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        invocation.status = invocation.details = "InProgress"
        limit = float(command.ask["Parameters"]["executionTimeout"][0])
        threading.Thread(target=self._wait, args=(invocation, limit), daemon=True).start()

    def _wait(self, invocation: Invocation, limit: float) -> None:
        process = invocation.process
        assert process is not None
        try:
            code = process.wait(limit)
            ended = "Cancelled" if invocation.cancelled else "Success" if code == 0 else "Failed"
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            code, ended = process.wait(), "TimedOut"
        with self.lock:
            invocation.code = code if code >= 0 else 128 - code
            invocation.status = ended
            invocation.details = "ExecutionTimedOut" if ended == "TimedOut" else ended

    def do_ListCommandInvocations(self, ask: dict[str, Any], region: str) -> dict[str, Any]:
        command = self._command(ask)
        return {
            "CommandInvocations": [
                {"CommandId": command.id, "InstanceId": i.agent.id, "Status": i.status, "StatusDetails": i.details,
                 "CommandPlugins": [{"Name": "aws:runShellScript", "Output": i.read(i.out)[:2500]}]}
                for i in command.invocations.values()
            ]
        }  # fmt: skip

    def _command(self, ask: dict[str, Any]) -> Command:
        if ask["CommandId"] not in self.commands:
            raise Trouble("InvalidCommandId")
        return self.commands[ask["CommandId"]]

    def do_ListCommands(self, ask: dict[str, Any], region: str) -> dict[str, Any]:
        return {
            "Commands": [
                {"CommandId": c.id, "Comment": c.ask.get("Comment", ""), "InstanceIds": c.ask["InstanceIds"]}
                for c in reversed(self.commands.values())
            ]
        }

    def do_GetCommandInvocation(self, ask: dict[str, Any], region: str) -> dict[str, Any]:
        command = self.commands.get(ask["CommandId"])
        found = command.invocations.get(ask["InstanceId"]) if command is not None else None
        if command is None or found is None:
            raise Trouble("InvocationDoesNotExist")
        out, err = found.read(found.out), found.read(found.err)
        url = ""
        if bucket := command.ask.get("OutputS3BucketName"):
            key = f"{command.ask['OutputS3KeyPrefix']}/{command.id}/{found.agent.id}/awsrunShellScript/stdout"
            self.client("s3").put_object(Bucket=bucket, Key=key, Body=out.encode())
            url = f"https://s3.{region}.amazonaws.com/{bucket}/{key}"
        return {
            "CommandId": command.id, "InstanceId": found.agent.id, "Status": found.status,
            "StatusDetails": found.details, "ResponseCode": found.code if found.status in OVER else -1,
            "StandardOutputContent": out[:24_000], "StandardErrorContent": err[:8_000], "StandardOutputUrl": url,
            "StandardErrorUrl": "",
        }  # fmt: skip

    def do_CancelCommand(self, ask: dict[str, Any], region: str) -> dict[str, Any]:
        for id, invocation in self._command(ask).invocations.items():
            if id in ask.get("InstanceIds", [id]) and invocation.status == "InProgress":
                assert invocation.process is not None
                invocation.cancelled = True
                os.killpg(invocation.process.pid, signal.SIGTERM)
        return {}

    def do_DescribeInstancePatchStates(self, ask: dict[str, Any], region: str) -> dict[str, Any]:
        found = [a for id in ask["InstanceIds"] if (a := self.machines.get(id)) and a.patches is not None]
        return {
            "InstancePatchStates": [
                {"InstanceId": a.id, "PatchGroup": "", "BaselineId": "pb-1", "OperationStartTime": START,
                 "OperationEndTime": START, "Operation": "Scan"} | (a.patches or {})
                for a in found
            ]
        }  # fmt: skip

    def do_CreateActivation(self, ask: dict[str, Any], region: str) -> dict[str, Any]:
        self.activations.append(ask)
        return {"ActivationId": "00000000-aaaa-4000-8000-000000000000", "ActivationCode": "c" * 20}

    def running(self) -> list[Invocation]:
        """What has not ended."""
        return [i for c in self.commands.values() for i in c.invocations.values() if i.status not in OVER]


def _refuse(start: Any, service: str, why: Trouble) -> Iterable[bytes]:
    code, status = str(why), f"{why.status} No"
    if service == "ssm":
        body = json.dumps({"__type": code, "message": "no"}).encode()
        return _say(start, status, body, "application/x-amz-json-1.1")
    if service == "ec2":
        text = f"<Response><Errors><Error><Code>{code}</Code><Message>no</Message></Error></Errors></Response>"
    else:
        text = f"<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
    return _say(start, status, text.encode(), "text/xml")


def _say(start: Any, status: str, body: bytes, kind: str) -> Iterable[bytes]:
    start(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [body]


@contextmanager
def a_fleet(folder: Path) -> Iterator[Fleet]:
    """A fleet for as long as it is needed; whatever still runs on it is killed at the end."""
    made = Fleet(folder)
    try:
        with serving(made):
            yield made
    finally:
        for invocation in made.running():
            if invocation.process is not None:
                os.killpg(invocation.process.pid, signal.SIGKILL)
        end = time.monotonic() + 5
        while made.running() and time.monotonic() < end:
            time.sleep(0.01)
