"""Putting the agent of AWS on the machines of a company, by the ways in that it has: planned first, then done."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from siems import executors
from siems.clouds import aws_agents, aws_install
from siems.daemon.clouds import Clouds
from siems.domain.agents import Look, Path, Step
from siems.domain.asset import Asset
from siems.domain.permissions import Actor
from siems.domain.runbook import Shell
from siems.errors import Conflict, SiemsError
from siems.executors import Ended, Host, Outcome, Output, Script
from siems.services import agent_views
from siems.services.agent_views import Estate
from siems.services.run_access import access
from siems.vocabulary import Platform
from siems.wire import Installed, InstallStep

if TYPE_CHECKING:
    from siems.daemon.runtime import Runtime

PATIENCE = timedelta(minutes=10)
OUTPUT_AT_MOST = 4_000
SHELLS = {Path.SSH: Shell.SH, Path.WINRM: Shell.POWERSHELL}


class Installing:
    """One installation on many machines."""

    def __init__(self, runtime: Runtime, actor: Actor, estate: Estate) -> None:
        self._runtime = runtime
        self._actor = actor
        self._estate = estate
        self._clouds = Clouds(runtime.settings, runtime.vault)
        self._steps: list[tuple[Asset, Step]] = []
        self._done: dict[str, InstallStep] = {}
        self._warnings: list[str] = []

    async def plan(self, hosts: list[str]) -> None:
        """How it would come to each. Raises NotFound."""
        look = await self._clouds.look(self._estate.accounts)
        self._warnings = [f"{account}: {why}" for account, why in sorted(look.failed.items())]
        self._steps = await self._runtime.database.read(self._planned, look, hosts)

    def _planned(self, connection: Connection, look: Look, hosts: list[str]) -> list[tuple[Asset, Step]]:
        now = self._runtime.clock.now()
        return agent_views.install_plan(connection, self._estate, look, hosts, now)

    async def carry_out(self, reason: str) -> None:
        """Do what was planned; what cannot be done is told of each."""
        todo = [(asset, step) for asset, step in self._steps if step.path in SHELLS]
        if not todo:
            return
        named = {"hosts": [asset.name for asset, _ in todo], "reason": reason}
        await self._note("agents.installing", named)
        groups: dict[tuple[Path, bool, str], list[Asset]] = {}
        for asset, step in todo:
            groups.setdefault((step.path, step.hybrid, step.region), []).append(asset)
        await asyncio.gather(*(self._group(*key, assets) for key, assets in groups.items()))
        ends = {name: "installed" if step.done else step.output[-200:] for name, step in self._done.items()}
        await self._note("agents.installed", {"hosts": ends, "reason": reason})

    async def _note(self, type: str, details: dict[str, Any]) -> None:
        company = self._estate.company_id
        await self._runtime.database.write(
            agent_views.note_install, self._actor, company, type, details, companies=(company,)
        )

    async def _group(self, path: Path, hybrid: bool, region: str, assets: list[Asset]) -> None:
        """Those that take the same script with the same values."""
        heard: dict[str, str] = {asset.name: "" for asset in assets}

        def hear(told: Output | Outcome) -> None:
            if isinstance(told, Output):
                heard[told.host] = (heard[told.host] + told.text)[-OUTPUT_AT_MOST:]
            else:
                said = "\n".join(filter(None, (heard[told.host].strip(), told.detail)))
                self._end(told.host, told.ended is Ended.SUCCEEDED, said)

        try:
            values = await self._values(hybrid, region, len(assets))
            hosts = await self._runtime.database.read(self._hosts, path, assets)
            executor = executors.registry.get(path.value)(self._runtime.settings)
        except SiemsError as why:
            for asset in assets:
                self._end(asset.name, False, why.message)
            return
        script = Script(
            key=f"agent:{self._estate.company_id}", shell=SHELLS[path], text=aws_install.script(SHELLS[path]),
            values=values, timeout=PATIENCE,
        )  # fmt: skip
        try:
            await executor.run(script, hosts, hear)
        finally:
            await executor.close()

    async def _values(self, hybrid: bool, region: str, machines: int) -> dict[str, str]:
        if not hybrid:
            return {"SIEMS_REGION": region}
        account = next((a for a in self._estate.accounts if a.hybrid), None)
        if account is None:
            raise Conflict("no account takes in machines outside of AWS", hint="siems company aws setup C --hybrid")
        made = await asyncio.to_thread(
            aws_agents.activate, self._clouds.manager(account), machines=machines, now=self._runtime.clock.now()
        )
        return {"SIEMS_REGION": made[2], "SIEMS_ACTIVATION_ID": made[0], "SIEMS_ACTIVATION_CODE": made[1]}

    def _hosts(self, connection: Connection, path: Path, assets: list[Asset]) -> list[Host]:
        return [
            Host(
                name=asset.name, platform=Platform(asset.platform or "linux"), addresses=asset.addresses,
                access=access(connection, asset, path.value, self._runtime.vault)[1],
            )
            for asset in assets
        ]  # fmt: skip

    def _end(self, name: str, done: bool, output: str) -> None:
        step = next(step for asset, step in self._steps if asset.name == name)
        self._done[name] = InstallStep(**_shown(step), done=done, output=output)

    # --- telling -----------------------------------------------------------------------------------------------

    def told(self) -> Installed:
        items = [self._done.get(a.name) or InstallStep(**_shown(step)) for a, step in self._steps]
        region = next((r for account in self._estate.accounts for r in account.regions), "us-east-1")
        both = {Platform.LINUX.value: Shell.SH, Platform.WINDOWS.value: Shell.POWERSHELL}
        return Installed(
            items=items, scripts={name: aws_install.script(shell) for name, shell in both.items()},
            user_data={name: aws_install.user_data(shell, region) for name, shell in both.items()},
            warnings=self._warnings,
        )  # fmt: skip


def _shown(step: Step) -> dict[str, Any]:
    return {
        "asset": step.asset, "path": step.path.value, "why": step.why, "platform": step.platform,
        "hybrid": step.hybrid,
    }  # fmt: skip
