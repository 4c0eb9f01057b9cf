"""Scripts by managed run commands of Azure: one for each machine, found again by its name, tidied away at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from siems.clouds.azure import Ran, Subscription, parted
from siems.domain.environment import refuse
from siems.domain.run_script import with_values
from siems.domain.runbook import Shell
from siems.errors import InvalidField, SiemsError, Unavailable
from siems.executors import Ended, Heard, Host, Outcome, Output, Script
from siems.vocabulary import Platform

if TYPE_CHECKING:
    from siems.config import Azure as AzureSettings
    from siems.config import Settings

GRACE = 120.0
"""So much longer than the script it is waited for: Azure takes its time to begin."""
KEPT = 4_096
"""Bytes of output that Azure keeps: the last ones."""
OVER = {
    "Succeeded": Ended.SUCCEEDED, "Failed": Ended.FAILED, "TimedOut": Ended.TIMED_OUT, "Canceled": Ended.CANCELLED,
}  # fmt: skip


class Azure:
    """Run commands in the subscriptions of companies. `wait`: seconds between the first looks."""

    name = "azure"

    def __init__(self, settings: Settings, *, wait: float = 1.0, longest: float = 10.0) -> None:
        self._settings: AzureSettings = settings.azure
        self._wait, self._longest = wait, longest
        self._open: dict[tuple[str, ...], Subscription] = {}

    def check(self, host: Host) -> None:
        if not host.access.get("subscription"):
            raise InvalidField(f"nobody has said how to reach {host.name}", hint="siems company azure setup COMPANY")
        parted(host.instance_id, host.access["subscription"])

    async def run(self, script: Script, hosts: Sequence[Host], heard: Heard) -> None:
        await asyncio.gather(*(self._one(script, host, heard) for host in hosts))

    async def close(self) -> None:
        for subscription in self._open.values():
            await subscription.close()
        self._open.clear()

    def _subscription(self, access: Mapping[str, str]) -> Subscription:
        key = tuple(access.get(name, "") for name in ("subscription", "tenant", "login", "secret"))
        if key not in self._open:
            self._open[key] = Subscription(self._settings, access, wait=self._wait)
        return self._open[key]

    async def _one(self, script: Script, host: Host, heard: Heard) -> None:
        try:
            refuse(script.values)
        except InvalidField as why:
            heard(Outcome(host.name, Ended.FAILED, None, why.message))
            return
        name = f"siems-{sha256(f'{script.key}/{host.name}'.encode()).hexdigest()[:24]}"
        try:
            self.check(host)
            there = self._subscription(host.access)
            try:
                outcome = await self._through(there, name, script, host, heard)
            except asyncio.CancelledError:
                await asyncio.shield(_removed(there, host, name))
                heard(Outcome(host.name, Ended.CANCELLED, None, "stopped"))
                raise
            await _removed(there, host, name)
        except SiemsError as why:
            outcome = Outcome(host.name, Ended.UNREACHABLE, None, why.message)
        heard(outcome)

    async def _through(self, there: Subscription, name: str, script: Script, host: Host, heard: Heard) -> Outcome:
        location, platform = await there.location(host.instance_id)
        if platform and (platform == Platform.WINDOWS.value) != (script.shell is Shell.POWERSHELL):
            return Outcome(host.name, Ended.UNREACHABLE, None, f"it runs {platform}, and this is {script.shell.value}")
        seconds = int(script.timeout.total_seconds())
        text = with_values(script.shell, script.values, script.text)
        await there.start(host.instance_id, name, location=location, script=text, seconds=max(1, seconds))
        loop, wait, told = asyncio.get_running_loop(), self._wait, ""
        end = loop.time() + seconds + GRACE
        while loop.time() < end:
            await asyncio.sleep(wait)
            wait = min(wait * 1.5, self._longest)
            try:
                ran = await there.look(host.instance_id, name)
            except Unavailable:
                continue
            if new := _new(told, ran.out):
                heard(Output(host.name, new))
                told, wait = ran.out, self._wait
            if ran.state in OVER:
                if ran.err:
                    heard(Output(host.name, ran.err, error=True))
                return _outcome(host.name, ran)
        return Outcome(host.name, Ended.TIMED_OUT, None, "Azure told no end in time")


def _new(before: str, now: str) -> str:
    """What was added: Azure keeps the last 4 KB, so the beginning may have gone."""
    if now.startswith(before):
        return now[len(before) :]
    for start in range(1, len(before)):
        if now.startswith(before[start:]):
            return now[len(before) - start :]
    return now


def _outcome(host: str, ran: Ran) -> Outcome:
    ended = OVER[ran.state]
    if ended is Ended.SUCCEEDED and ran.exit_code:  # Azure calls what ended by itself a success
        ended = Ended.FAILED
    notes = [ran.message if ended is not Ended.SUCCEEDED else ""]
    if len(ran.out.encode()) >= KEPT:
        notes.append("Azure keeps the last 4 KB of output only")
    known = ended in (Ended.SUCCEEDED, Ended.FAILED)
    return Outcome(host, ended, ran.exit_code if known else None, "; ".join(filter(None, notes))[:500])


async def _removed(there: Subscription, host: Host, name: str) -> None:
    try:
        await there.remove(host.instance_id, name)
    except SiemsError:
        return  # it ends by its own timeout, and its name is ours
