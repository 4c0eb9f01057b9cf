"""Scripts on machines of Google Cloud: SSH through the Identity-Aware Proxy, by a key that is known for an hour.

Nothing is installed there and no port is open to the internet. The key is made in memory, one for each project, and
taken back at the end; host keys are those that the machine's guest agent has told Google. Scripts run as root, by the
sudo that `osAdminLogin` gives.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from siems.clouds.gcp import Project, parted, platform_of
from siems.clouds.iap import tunnel
from siems.domain.environment import refuse
from siems.domain.runbook import Shell
from siems.errors import Conflict, InvalidField, SiemsError
from siems.executors import Ended, Heard, Host, Outcome, Script
from siems.executors.ssh_talk import carry_out, said
from siems.vocabulary import Platform

if TYPE_CHECKING:
    from siems.config import Gcp as GcpSettings
    from siems.config import Settings

KEY_SECONDS = 3_600
RENEW_SECONDS = KEY_SECONDS / 2
CONNECT_SECONDS = 30.0
ALIVE_SECONDS = 15


@dataclass
class _Door:
    """A key that OS Login knows, and by which name it logs in."""

    project: Project
    lock: asyncio.Lock
    key: Any = None
    user: str = ""
    until: float = 0.0

    async def entered(self) -> tuple[str, Any]:
        """(user, key), made known once for all machines. Raises Denied, Unavailable."""
        import asyncssh

        async with self.lock:
            now = asyncio.get_running_loop().time()
            if now >= self.until:
                fresh = asyncssh.generate_private_key("ssh-ed25519", comment="siems")
                public = fresh.export_public_key().decode().strip()
                self.user = await self.project.let_in(public, KEY_SECONDS)
                self.key, self.until = fresh, now + RENEW_SECONDS
            return self.user, self.key

    async def close(self) -> None:
        if self.key is not None:
            import hashlib

            with contextlib.suppress(SiemsError):  # it ends by itself within the hour
                await self.project.put_out(hashlib.sha256(self.key.public_data).hexdigest())
        await self.project.close()


class Gcp:
    """One connection for each script and machine. `wait`: seconds before the first try again."""

    name = "gcp"

    def __init__(self, settings: Settings, *, wait: float = 1.0) -> None:
        self._settings: GcpSettings = settings.gcp
        self._wait = wait
        self._doors: dict[tuple[str, ...], _Door] = {}
        self._keys: dict[tuple[str, str], list[str]] = {}

    def check(self, host: Host) -> None:
        if not host.access.get("project"):
            raise InvalidField(f"nobody has said how to reach {host.name}", hint="siems company gcp setup COMPANY")
        if host.platform is Platform.WINDOWS:
            raise InvalidField(
                f"{host.name}: OS Login is for Linux, Windows at Google is reached by WinRM",
                hint="siems runbook access set winrm",
            )
        parted(host.instance_id, host.access["project"])

    async def run(self, script: Script, hosts: Sequence[Host], heard: Heard) -> None:
        await asyncio.gather(*(self._one(script, host, heard) for host in hosts))

    async def close(self) -> None:
        for door in self._doors.values():
            await door.close()
        self._doors.clear()

    def _door(self, access: Mapping[str, str]) -> _Door:
        key = tuple(access.get(name, "") for name in ("project", "secret"))
        if key not in self._doors:
            self._doors[key] = _Door(Project(self._settings, access, wait=self._wait), asyncio.Lock())
        return self._doors[key]

    async def _one(self, script: Script, host: Host, heard: Heard) -> None:
        try:
            refuse(script.values)
        except InvalidField as why:
            heard(Outcome(host.name, Ended.FAILED, None, why.message))
            return
        try:
            self.check(host)
            if script.shell is not Shell.SH:
                raise InvalidField(f"{host.name} is reached by SSH, and this is {script.shell.value}")
            outcome = await self._through(self._door(host.access), script, host, heard)
        except SiemsError as why:
            told = f"{why.message} ({why.hint})" if why.hint else why.message
            outcome = Outcome(host.name, Ended.UNREACHABLE, None, told[:1_000])
        except asyncio.CancelledError:
            heard(Outcome(host.name, Ended.CANCELLED, None, "stopped"))
            raise
        heard(outcome)

    async def _through(self, door: _Door, script: Script, host: Host, heard: Heard) -> Outcome:
        import asyncssh

        user, key = await door.entered()
        zone, name = parted(host.instance_id, door.project.id)
        trusted = await self._trusted(door.project, host.instance_id)
        token = await door.project.token()
        async with tunnel(self._settings.tunnel, token, project=door.project.id, zone=zone, name=name) as sock:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    connection = await asyncssh.connect(
                        name, sock=sock, username=user, client_keys=[key], known_hosts=(trusted, [], []),
                        agent_path=None, config=None, keepalive_interval=ALIVE_SECONDS, login_timeout=CONNECT_SECONDS,
                        host_based_auth=False, gss_auth=False, gss_kex=False, password_auth=False,
                    )  # fmt: skip
            except asyncssh.HostKeyNotVerifiable as why:
                self._keys.pop((door.project.id, host.instance_id), None)
                raise Conflict("its key is not the one that its guest agent has told, so nothing was sent") from why
            except asyncssh.PermissionDenied as why:
                raise Conflict(f"{user} is not let in", hint="is enable-oslogin TRUE there?") from why
            except (OSError, TimeoutError, asyncssh.Error) as why:
                return Outcome(host.name, Ended.UNREACHABLE, None, f"SSH: {said(why)}")
            async with connection:
                outcome = await carry_out(connection, script, host, heard, root=True)
        return outcome

    async def _trusted(self, project: Project, instance_id: str) -> list[Any]:
        """Its host keys. Raises Conflict where it is not running, runs Windows, or has told none."""
        import asyncssh

        known = self._keys.get((project.id, instance_id))
        if known is None:
            vm = await project.machine(instance_id)
            if vm.get("status") != "RUNNING":
                raise Conflict(f"it is {str(vm.get('status', 'not there')).lower()}", hint="start it")
            if platform_of(vm) == Platform.WINDOWS.value:
                raise Conflict("it runs windows, and OS Login is for Linux", hint="siems runbook access set winrm")
            known = await project.host_keys(instance_id)
            if not known:
                raise Conflict(
                    "its host keys are not known, so nothing was sent",
                    hint="set enable-guest-attributes to TRUE in its metadata; its guest agent tells them at its start",
                )
            self._keys[project.id, instance_id] = known
        try:
            return [asyncssh.import_public_key(key) for key in known]
        except asyncssh.KeyImportError as why:
            raise Conflict(f"its host keys cannot be read ({why})") from why
