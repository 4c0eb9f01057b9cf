"""Scripts by AWS Systems Manager: one Run Command for up to 50 instances, followed until each has an end."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from siems.clouds.aws import Refused
from siems.clouds.aws_ssm import DELIVERY_SECONDS, MOST_AT_ONCE, OVER, Agent, Invocation, Manager, Printed
from siems.domain.environment import refuse
from siems.domain.run_script import prelude
from siems.domain.runbook import Shell
from siems.errors import InvalidField, SiemsError, Unavailable
from siems.executors import Ended, Heard, Host, Outcome, Output, Script
from siems.vocabulary import Platform

if TYPE_CHECKING:
    from siems.config import Aws, Settings

DOCUMENTS = {Shell.SH: "AWS-RunShellScript", Shell.POWERSHELL: "AWS-RunPowerShellScript"}
GRACE = 60.0
"""So much longer than the script and its delivery a command is waited for."""
TRIES = 6
_UNREACHABLE = frozenset({
    "DeliveryTimedOut", "Undeliverable", "Terminated", "InvalidPlatform", "AccessDenied", "RateExceeded",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait between two looks, in seconds: it grows while nothing happens."""

    first: float = 0.8
    longest: float = 8.0
    growth: float = 1.6


def commands(script: Script) -> list[str]:
    """The lines that the agent is given. Raises InvalidField for values that must not go there.

    Systems Manager replaces `{{ name }}` wherever it finds it. In a value that is refused; in the text of a runbook
    it belongs to a tool (docker's templates), so such a text travels in base 64.
    """
    refuse(script.values)
    first = prelude(script.shell, script.values)
    if "{{" not in script.text:
        return [*first, *script.text.splitlines()]
    packed = b64encode(script.text.encode()).decode()
    if script.shell is Shell.POWERSHELL:
        text = f"[Text.Encoding]::UTF8.GetString([Convert]::FromBase64String('{packed}'))"
        return [*first, f"& ([ScriptBlock]::Create({text}))"]
    return [*first, f"siems_script=$(printf %s '{packed}' | base64 -d) || exit 126", 'eval "$siems_script"']


class Ssm:
    """Run Command in the accounts of companies."""

    def __init__(self, settings: Aws, pace: Pace | None = None) -> None:
        self._settings = settings
        self._pace = pace or Pace()
        self._managers: dict[tuple[str, ...], Manager] = {}

    def check(self, host: Host) -> None:
        if not host.instance_id.startswith(("i-", "mi-")):
            raise InvalidField(
                f"{host.name} has no instance id of AWS",
                hint="siems asset import --aws, or siems asset edit NAME --instance-id i-...",
            )
        if not host.access.get("role_arn") or not host.access.get("external_id"):
            raise InvalidField(
                f"nobody has said how to reach the account of {host.name}", hint="siems company aws setup COMPANY"
            )

    async def run(self, script: Script, hosts: Sequence[Host], heard: Heard) -> None:
        try:
            lines = commands(script)
        except InvalidField as why:
            for host in hosts:
                heard(Outcome(host.name, Ended.FAILED, None, why.message))
            return
        groups: dict[tuple[str, ...], list[Host]] = {}
        for host in hosts:
            try:
                self.check(host)
                groups.setdefault(_key(host.access), []).append(host)
            except InvalidField as why:
                heard(Outcome(host.name, Ended.UNREACHABLE, None, why.message))
        async with asyncio.TaskGroup() as tasks:
            for group in groups.values():
                tasks.create_task(self._in_account(script, lines, group, heard))

    async def _in_account(self, script: Script, lines: list[str], hosts: list[Host], heard: Heard) -> None:
        try:
            manager = self._manager(hosts[0].access)
            where = await asyncio.to_thread(_located, manager, hosts)
        except SiemsError as why:
            for host in hosts:
                heard(Outcome(host.name, Ended.UNREACHABLE, None, why.message))
            return
        regions: dict[str, list[Host]] = {}
        for host in hosts:
            agent = where.get(host.instance_id)
            if doubt := _doubt(script, agent, manager.regions):
                heard(Outcome(host.name, Ended.UNREACHABLE, None, doubt))
            elif agent is not None:
                regions.setdefault(agent.region, []).append(host)
        async with asyncio.TaskGroup() as tasks:
            for region, group in regions.items():
                for start in range(0, len(group), MOST_AT_ONCE):
                    part = group[start : start + MOST_AT_ONCE]
                    tasks.create_task(_Sent(manager, region, script, lines, part, heard, self._pace).through())

    def _manager(self, access: Mapping[str, str]) -> Manager:
        key = _key(access)
        if key not in self._managers:
            self._managers[key] = Manager(self._settings, access)
        return self._managers[key]

    async def close(self) -> None:
        self._managers.clear()


def _key(access: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(access.get(name, "") for name in ("role_arn", "external_id", "regions", "bucket"))


def _located(manager: Manager, hosts: Sequence[Host]) -> dict[str, Agent]:
    """Where each is, as far as any region knows it. Raises when no region could be asked."""
    missing, found = {host.instance_id for host in hosts}, dict[str, Agent]()
    for region in manager.regions:
        if missing:
            here = manager.agents(region, sorted(missing))
            found |= here
            missing -= here.keys()
    return found


def _doubt(script: Script, agent: Agent | None, regions: Sequence[str]) -> str:
    """Why a command would not get there; "" when it should."""
    if agent is None:
        return (
            f"Systems Manager does not know it in {', '.join(regions)}: no agent, or no instance profile"
            " (siems asset list --agent says which)"
        )
    if not agent.online:
        since = f" since {agent.seen_at:%Y-%m-%d %H:%M} UTC" if agent.seen_at else ""
        return f"its agent does not answer{since} ({agent.ping})"
    if (agent.platform == Platform.WINDOWS.value) != (script.shell is Shell.POWERSHELL) and agent.platform:
        return f"it runs {agent.platform}, and this is a script for {script.shell.value}"
    return ""


@dataclass
class _Sent:
    """One command on its way: some instances of one region."""

    manager: Manager
    region: str
    script: Script
    lines: list[str]
    hosts: Sequence[Host]
    heard: Heard
    pace: Pace
    command_id: str = ""
    told: dict[str, str] = field(default_factory=dict)
    """What was passed on of each, by instance."""

    def __post_init__(self) -> None:
        self._open = {host.instance_id: host for host in self.hosts}

    @property
    def comment(self) -> str:
        """By this a command is found again; AWS takes 100 characters."""
        return f"siems {self.script.key}"[:100]

    async def through(self) -> None:
        """From sending to the last end."""
        sending = asyncio.ensure_future(self._send())
        try:
            try:
                self.command_id = await asyncio.shield(sending)
            except asyncio.CancelledError:
                self.command_id = await sending
                raise
            await self._follow()
        except Refused as why:
            if why.error == "InvalidInstanceId" and len(self.hosts) > 1:
                await self._one_by_one()  # one of them has gone in this moment: the others need not suffer
            else:
                self._end_all(Ended.UNREACHABLE, f"{why.message}: {why.words}".rstrip(": "))
        except SiemsError as why:
            self._end_all(Ended.UNREACHABLE, why.message)
        except asyncio.CancelledError:
            await asyncio.shield(self._cancel())
            self._end_all(Ended.CANCELLED, "")
            raise

    async def _one_by_one(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for host in self.hosts:
                alone = replace(self, hosts=[host], told={})
                tasks.create_task(alone.through())

    async def _send(self) -> str:
        """Throttling is waited out. After silence it is looked for: nothing is sent twice."""
        wait = self.pace.first
        for left in reversed(range(TRIES)):
            try:
                return await asyncio.to_thread(
                    self.manager.send, self.region, list(self._open), document=DOCUMENTS[self.script.shell],
                    lines=self.lines, seconds=int(self.script.timeout.total_seconds()), comment=self.comment,
                )  # fmt: skip
            except Unavailable as why:
                if "does not answer" in why.message:
                    return await self._found(why)
                if not left:
                    raise
                await asyncio.sleep(wait)
                wait = min(wait * self.pace.growth, self.pace.longest)
        raise AssertionError("the last try returns or raises")

    async def _found(self, why: Unavailable) -> str:
        found = await asyncio.to_thread(self.manager.find, self.region, self.comment, list(self._open))
        if not found:
            raise Unavailable(f"{why.message}; whether the command runs is not known")
        return found

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + self.script.timeout.total_seconds() + DELIVERY_SECONDS + GRACE
        wait = self.pace.first
        while self._open:
            await asyncio.sleep(wait)
            if loop.time() > end:
                await self._cancel()
                self._end_all(Ended.TIMED_OUT, "Systems Manager told no end in time")
                return
            try:
                moved = await self._look()
            except Unavailable:  # throttled, or gone for a moment: what runs goes on
                moved = False
            wait = self.pace.first if moved else min(wait * self.pace.growth, self.pace.longest)

    async def _look(self) -> bool:
        """Pass on what is new; whether anything was."""
        seen = await asyncio.to_thread(self.manager.invocations, self.region, self.command_id)
        moved = False
        for invocation in seen.values():
            if invocation.id not in self._open:
                continue
            if invocation.status in OVER:
                whole = await asyncio.to_thread(self.manager.printed, self.region, self.command_id, invocation.id)
                self._end(invocation, whole)
                moved = True
            else:
                moved |= self._pass_on(invocation.id, invocation.output)
        return moved

    def _pass_on(self, instance_id: str, output: str) -> bool:
        """What is new of the beginning that Systems Manager shows while it runs."""
        before = self.told.get(instance_id, "")
        if len(output) <= len(before) or not output.startswith(before) or "--output truncated--" in output.lower():
            return False
        self.told[instance_id] = output
        self.heard(Output(self._open[instance_id].name, output[len(before) :]))
        return True

    def _end(self, invocation: Invocation, whole: Printed) -> None:
        host = self._open.pop(invocation.id)
        before = self.told.get(invocation.id, "")
        rest = whole.out.removeprefix(before)
        if rest:
            self.heard(Output(host.name, rest))
        if whole.err:
            self.heard(Output(host.name, whole.err, error=True))
        self.heard(_outcome(host.name, whole))

    def _end_all(self, ended: Ended, detail: str) -> None:
        for host in self._open.values():
            self.heard(Outcome(host.name, ended, None, detail))
        self._open.clear()

    async def _cancel(self) -> None:
        try:
            if self.command_id and self._open:
                await asyncio.to_thread(self.manager.cancel, self.region, self.command_id, list(self._open))
        except SiemsError:
            return  # it ends by its own timeout


def _outcome(host: str, whole: Printed) -> Outcome:
    detail = whole.note
    match whole.status:
        case "Success":
            ended = Ended.SUCCEEDED
        case "Cancelled":
            ended = Ended.CANCELLED
        case "TimedOut" if whole.details != "DeliveryTimedOut":
            ended = Ended.TIMED_OUT
        case _ if whole.details in _UNREACHABLE:
            ended, detail = Ended.UNREACHABLE, f"the command did not get there ({whole.details})"
        case _:
            ended = Ended.FAILED
            detail = "; ".join(filter(None, (detail, "" if whole.details in ("Failed", "") else whole.details)))
    return Outcome(host, ended, whole.exit_code if ended in (Ended.SUCCEEDED, Ended.FAILED) else None, detail)


def open_ssm(settings: Settings) -> Ssm:
    return Ssm(settings.aws)
