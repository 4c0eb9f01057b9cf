"""Azure as far as siems asks it: tokens, machines, rights, and managed run commands that really run."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import web

from providers import Provider, Seen
from siems.config import Settings

SUBSCRIPTION = "00000000-1111-4222-8333-444455556666"
TENANT, LOGIN, SECRET = SUBSCRIPTION.replace("0", "9"), "aaaaaaaa-1111-4222-8333-444455556666", "azure-canary-secret"
RIGHTS = ["Microsoft.Compute/virtualMachines/*", "Microsoft.Authorization/*/read"]
KEPT = 4_096
ROOT = f"/subscriptions/{SUBSCRIPTION}"
COMPUTE = "/providers/Microsoft.Compute/virtualMachines"


@dataclass
class Vm:
    """One machine. `agent`: Ready, "Not Ready" or "" for none."""

    name: str
    system: str = "Linux"
    power: str = "running"
    agent: str = "Ready"
    group: str = "rg-web"

    @property
    def path(self) -> str:
        return f"{ROOT}/resourceGroups/{self.group}{COMPUTE}/{self.name}"

    @property
    def said(self) -> dict[str, Any]:
        disk = {"osDisk": {"osType": self.system}}
        return {"id": self.path, "location": "westeurope", "properties": {"storageProfile": disk}}

    @property
    def view(self) -> dict[str, Any]:
        at = "2026-02-02T10:00:00.1234567+00:00"
        found: dict[str, Any] = {"statuses": [{"code": f"PowerState/{self.power}"}]}
        if self.agent:
            told = {"displayStatus": self.agent, "message": "" if self.agent == "Ready" else "not heard of", "time": at}
            found["vmAgent"] = {"vmAgentVersion": "2.9", "statuses": [told]}
        return {"id": self.path.upper(), "properties": {"instanceView": found}}


@dataclass
class Command:
    """One run command of a machine."""

    ask: dict[str, Any]
    state: str = "Running"
    out: str = ""
    err: str = ""
    code: int | None = None
    process: Process | None = None
    task: asyncio.Task[None] | None = None

    @property
    def view(self) -> dict[str, Any]:
        found = {"executionState": self.state, "output": self.out[-KEPT:], "error": self.err[-KEPT:]}
        return found if self.code is None else found | {"exitCode": self.code}


@dataclass(eq=False)
class Microsoft(Provider):
    """One subscription; `vms` by name, `rights` of the application, `commands` by URL as long as they are there."""

    rights: list[str] = field(default_factory=lambda: list(RIGHTS))
    not_rights: list[str] = field(default_factory=list)
    vms: dict[str, Vm] = field(default_factory=dict)
    commands: dict[str, Command] = field(default_factory=dict)
    ran: list[Command] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    secret: str = SECRET
    per_page: int = 2

    def __post_init__(self) -> None:
        Provider.__init__(self)

    def vm(self, name: str, **more: Any) -> Vm:
        self.vms[name] = made = Vm(name, **more)
        return made

    def settings(self) -> Settings:
        return Settings(azure={"authority": self.url, "endpoint": self.url})

    async def answer(self, seen: Seen) -> web.Response:
        split = urlsplit(seen.path)
        query = {name: values[0] for name, values in parse_qs(split.query).items()}
        if split.path == f"/{TENANT}/oauth2/v2.0/token":
            if (seen.form["client_id"], seen.form["client_secret"]) != (LOGIN, self.secret):
                told = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret."}
                return web.json_response(told, status=401)
            return web.json_response({"access_token": "token-1", "expires_in": 3_599, "token_type": "Bearer"})
        if seen.headers.get("Authorization") != "Bearer token-1" or "api-version" not in query:
            return _no(401, "AuthenticationFailed", "no token")
        if split.path == f"{ROOT}/providers/Microsoft.Authorization/permissions":
            return web.json_response({"value": [{"actions": self.rights, "notActions": self.not_rights}]})
        if split.path == ROOT + COMPUTE:
            return self._page(query)
        vm = next((vm for vm in self.vms.values() if split.path.startswith(vm.path)), None)
        if vm is None:
            return _no(404, "ResourceNotFound", "The Resource was not found.")
        if split.path == vm.path:
            return web.json_response(vm.said)
        return await self._command(vm, split.path, seen)

    def _page(self, query: dict[str, str]) -> web.Response:
        start = int(query.get("skip", "0"))
        status = query.get("statusOnly") == "true"
        every = [vm.view if status else vm.said for vm in self.vms.values()]
        told: dict[str, Any] = {"value": every[start : start + self.per_page]}
        if len(every) > start + self.per_page:
            more = f"{self.url}{ROOT}{COMPUTE}?api-version=x&skip={start + self.per_page}"
            told["nextLink"] = more + ("&statusOnly=true" if status else "")
        return web.json_response(told)

    async def _command(self, vm: Vm, path: str, seen: Seen) -> web.Response:
        command = self.commands.get(path)
        if seen.method == "PUT":
            if vm.power != "running":
                return _no(409, "OperationNotAllowed", "The VM is not running.")
            if command is None:
                self.commands[path] = command = Command(seen.json)
                self.ran.append(command)
                command.task = asyncio.ensure_future(self._run_it(command))
            return web.json_response({"properties": {"provisioningState": "Creating"}}, status=201)
        if command is None:
            return _no(404, "ResourceNotFound", "The Resource was not found.")
        if seen.method == "DELETE":
            self.removed.append(path)
            del self.commands[path]
            await self._stop(command)
            return web.Response(status=202)
        return web.json_response({"properties": {"provisioningState": "Succeeded", "instanceView": command.view}})

    async def _run_it(self, command: Command) -> None:
        properties = command.ask["properties"]
        process = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", properties["source"]["script"], stdin=DEVNULL, stdout=PIPE, stderr=PIPE,
            start_new_session=True,
        )  # fmt: skip
        command.process = process

        async def read(stream: Any, name: str) -> None:
            while piece := await stream.read(65_536):
                setattr(command, name, getattr(command, name) + piece.decode())

        try:
            async with asyncio.timeout(properties["timeoutInSeconds"]):
                await asyncio.gather(read(process.stdout, "out"), read(process.stderr, "err"))
                command.code = await process.wait()
            command.state = "Succeeded"  # so Azure calls whatever ended by itself
        except TimeoutError:
            await self._stop(command)
            command.state, command.code = "TimedOut", None

    async def _stop(self, command: Command) -> None:
        process = command.process
        if process is not None and process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    def running(self) -> list[Command]:
        return [c for c in self.ran if c.process is not None and c.process.returncode is None]


def _no(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status)
