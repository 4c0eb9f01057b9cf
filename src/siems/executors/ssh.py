"""Runs scripts over SSH: nothing is installed there, and a host whose key is not known is not spoken to.

A script goes to `sh -s` by its input, its values as quoted lines before it: servers refuse to take an environment.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from siems.config import Settings
from siems.domain.run_script import block, with_values
from siems.domain.runbook import Shell
from siems.errors import InvalidField
from siems.executors import Ended, Heard, Host, Outcome, Output, Script

if TYPE_CHECKING:
    import asyncssh

CONNECT_SECONDS = 15.0
STOP_SECONDS = 5.0
ALIVE_SECONDS = 15
PIECE = 8_192
MARK = "siems-pid:"
_SH = f"exec sh -c 'echo {MARK}$$; exec sh -s'"
_POWERSHELL = (
    "$ErrorActionPreference = 'Stop'; $text = [Console]::In.ReadToEnd(); "
    "& ([ScriptBlock]::Create($text)); if ($null -ne $LASTEXITCODE) { exit $LASTEXITCODE }"
)


class Ssh:
    """One connection for each script and host. `access`: username, port, known_hosts, private_key or password."""

    name = "ssh"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def check(self, host: Host) -> None:
        for name, flag in (("username", "--login NAME"), ("known_hosts", "--known-hosts FILE")):
            if not host.access.get(name, "").strip():
                raise InvalidField(
                    f"{host.name}: ssh needs {name.replace('_', ' ')}", hint=f"siems runbook access set ssh {flag}"
                )
        if not (host.access.get("private_key") or host.access.get("password")):
            raise InvalidField(
                f"{host.name}: ssh needs a key or a password", hint="siems runbook access set ssh --key-file FILE"
            )

    async def run(self, script: Script, hosts: Sequence[Host], heard: Heard) -> None:
        await asyncio.gather(*(self._run(script, host, heard) for host in hosts))

    async def close(self) -> None:
        return None

    async def _run(self, script: Script, host: Host, heard: Heard) -> None:
        try:
            self.check(host)
            options = _options(host)
        except InvalidField as why:
            heard(Outcome(host.name, Ended.UNREACHABLE, None, why.message))
            return
        try:
            heard(await _walk(script, host, options, heard))
        except asyncio.CancelledError:
            heard(Outcome(host.name, Ended.CANCELLED, None, "stopped"))
            raise


async def _walk(script: Script, host: Host, options: Mapping[str, Any], heard: Heard) -> Outcome:
    import asyncssh

    problems = []
    for address in host.addresses or (host.name,):
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                connection = await asyncssh.connect(address, **_for(address, host, options))
        except asyncssh.HostKeyNotVerifiable:
            problems.append(f"{address}: its key is not among the known hosts, so nothing was sent")
            continue
        except asyncssh.PermissionDenied:
            problems.append(f"{address}: {options['username']} is not let in")
            continue
        except TimeoutError:
            problems.append(f"{address}: no answer within {CONNECT_SECONDS:g} s")
            continue
        except (OSError, asyncssh.Error) as why:
            problems.append(f"{address}: {_said(why)}")
            continue
        async with connection:
            return await _on(connection, script, host, heard)
    return Outcome(host.name, Ended.UNREACHABLE, None, "; ".join(problems)[:1_000])


def _options(host: Host) -> dict[str, Any]:
    """What every connection is told. Raises InvalidField for a key or a list that cannot be read."""
    import asyncssh

    access = host.access
    try:
        known = asyncssh.import_known_hosts(access["known_hosts"])
        keys = []
        if access.get("private_key"):
            keys.append(asyncssh.import_private_key(access["private_key"], access.get("passphrase") or None))
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError) as why:
        raise InvalidField(f"{host.name}: the key or the known hosts cannot be read ({_said(why)})") from why
    return {
        "username": access["username"], "port": int(access.get("port") or 22), "known_hosts": known,
        "client_keys": keys or None, "password": access.get("password") or None, "agent_path": None, "config": None,
        "keepalive_interval": ALIVE_SECONDS, "login_timeout": CONNECT_SECONDS, "host_based_auth": False,
        "gss_auth": False, "gss_kex": False,
    }  # fmt: skip


def _for(address: str, host: Host, options: Mapping[str, Any]) -> dict[str, Any]:
    """With the asset's name in place of the address where only that is among the known hosts."""
    known, port = options["known_hosts"], options["port"]
    if any(known.match(address, address, port)) or not any(known.match(host.name, "", port)):
        return dict(options)
    return {**options, "host_key_alias": host.name}


def _said(why: BaseException) -> str:
    return str(getattr(why, "reason", "") or getattr(why, "strerror", "") or why) or type(why).__name__


# --- a script --------------------------------------------------------------------------------------------------


class _Pid:
    """The first line tells under which number the script runs there, and is not part of what it prints."""

    def __init__(self) -> None:
        self.number = 0
        self._line: str | None = ""

    def take(self, text: str) -> str:
        """What is left of it to be told."""
        if self._line is None:
            return text
        self._line += text
        head, newline, rest = self._line.partition("\n")
        if not newline and len(head) < 64 and MARK.startswith(head[: len(MARK)]):
            return ""
        self._line = None
        if head.startswith(MARK) and head.removeprefix(MARK).strip().isdigit():
            self.number = int(head.removeprefix(MARK))
            return rest
        return head + newline + rest


async def _on(connection: asyncssh.SSHClientConnection, script: Script, host: Host, heard: Heard) -> Outcome:
    import asyncssh

    posix = script.shell is Shell.SH
    command = _SH if posix else f"powershell -NoProfile -NonInteractive -EncodedCommand {_encoded(_POWERSHELL)}"
    text = with_values(script.shell, script.values, block(script.text) if posix else script.text)
    pid = _Pid()
    try:
        process = await connection.create_process(command, encoding="utf-8", errors="replace")
        try:
            async with asyncio.timeout(script.timeout.total_seconds()):
                await _talk(process, text, pid if posix else None, host.name, heard)
                await process.wait_closed()
        except TimeoutError:
            await _stop(connection, process, pid.number)
            return Outcome(
                host.name, Ended.TIMED_OUT, None, f"stopped after {script.timeout.total_seconds():g} s"
            )  # fmt: skip
        except asyncio.CancelledError:
            await asyncio.shield(_stop(connection, process, pid.number))
            raise
    except (OSError, asyncssh.Error) as why:
        return Outcome(host.name, Ended.UNREACHABLE, None, f"the connection was lost: {_said(why)}")
    if process.exit_status == 0:
        return Outcome(host.name, Ended.SUCCEEDED, 0)
    if process.exit_status is None or process.exit_status < 0:
        sign = process.exit_signal
        if sign:
            return Outcome(host.name, Ended.FAILED, None, f"ended by signal {sign[0]}")
        return Outcome(host.name, Ended.UNREACHABLE, None, "the connection was lost: how it ended is not known")
    return Outcome(host.name, Ended.FAILED, process.exit_status, f"exit code {process.exit_status}")


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode("utf-16-le")).decode()


async def _talk(process: Any, text: str, pid: _Pid | None, host: str, heard: Heard) -> None:
    """Send the script, and tell what comes back until both streams end."""

    async def read(stream: Any, *, error: bool) -> None:
        while piece := await stream.read(PIECE):
            said = piece if pid is None or error else pid.take(piece)
            if said:
                heard(Output(host, said, error))

    async def write() -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionError):  # it had read enough
            process.stdin.write(text)
            await process.stdin.drain()
            process.stdin.write_eof()

    parts = (write(), read(process.stdout, error=False), read(process.stderr, error=True))
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _stop(connection: Any, process: Any, pid: int) -> None:
    """End it over there: closing the connection alone would leave it running."""
    import asyncssh

    with contextlib.suppress(TimeoutError, OSError, asyncssh.Error):
        async with asyncio.timeout(STOP_SECONDS):
            if pid:
                both = f"kill -{{0}} -{pid} 2>/dev/null || kill -{{0}} {pid} 2>/dev/null"
                await connection.run(f"sh -c '{both.format('TERM')}; sleep 1; {both.format('KILL')}; true'")
            else:
                process.terminate()
                process.kill()
    process.close()
