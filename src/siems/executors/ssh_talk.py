"""A script over a connection of SSH: how it is sent, what it prints, and how it is ended over there."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from typing import TYPE_CHECKING, Any

from siems.domain.run_script import block, with_values
from siems.domain.runbook import Shell
from siems.executors import Ended, Heard, Host, Outcome, Output, Script

if TYPE_CHECKING:
    import asyncssh

STOP_SECONDS = 5.0
PIECE = 8_192
MARK = "siems-pid:"
_SH = f"exec sh -c 'echo {MARK}$$; exec sh -s'"
_AS_ROOT = "exec sudo -n"
_POWERSHELL = (
    "$ErrorActionPreference = 'Stop'; $text = [Console]::In.ReadToEnd(); "
    "& ([ScriptBlock]::Create($text)); if ($null -ne $LASTEXITCODE) { exit $LASTEXITCODE }"
)


def said(why: BaseException) -> str:
    """What a failed connection says of itself."""
    return str(getattr(why, "reason", "") or getattr(why, "strerror", "") or why) or type(why).__name__


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


async def carry_out(
    connection: asyncssh.SSHClientConnection, script: Script, host: Host, heard: Heard, *, root: bool = False
) -> Outcome:  # fmt: skip
    """Run it there, as root by sudo where that is wanted; raises nothing of its own."""
    import asyncssh

    posix = script.shell is Shell.SH
    command = _SH if posix else f"powershell -NoProfile -NonInteractive -EncodedCommand {_encoded(_POWERSHELL)}"
    if posix and root:
        command = _SH.replace("exec", _AS_ROOT, 1)
    text = with_values(script.shell, script.values, block(script.text) if posix else script.text)
    pid = _Pid()
    try:
        process = await connection.create_process(command, encoding="utf-8", errors="replace")
        try:
            async with asyncio.timeout(script.timeout.total_seconds()):
                await _talk(process, text, pid if posix else None, host.name, heard)
                await process.wait_closed()
        except TimeoutError:
            await _stop(connection, process, pid.number, root=root)
            return Outcome(
                host.name, Ended.TIMED_OUT, None, f"stopped after {script.timeout.total_seconds():g} s"
            )  # fmt: skip
        except asyncio.CancelledError:
            await asyncio.shield(_stop(connection, process, pid.number, root=root))
            raise
    except (OSError, asyncssh.Error) as why:
        return Outcome(host.name, Ended.UNREACHABLE, None, f"the connection was lost: {said(why)}")
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


async def _stop(connection: Any, process: Any, pid: int, *, root: bool) -> None:
    """End it over there: closing the connection alone would leave it running."""
    import asyncssh

    with contextlib.suppress(TimeoutError, OSError, asyncssh.Error):
        async with asyncio.timeout(STOP_SECONDS):
            if pid:
                both = f"kill -{{0}} -{pid} 2>/dev/null || kill -{{0}} {pid} 2>/dev/null"
                sudo = "sudo -n " if root else ""
                await connection.run(f"{sudo}sh -c '{both.format('TERM')}; sleep 1; {both.format('KILL')}; true'")
            else:
                process.terminate()
                process.kill()
    process.close()
