"""Runs scripts on the daemon's own machine: for trying runbooks out. Off unless the settings allow it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from asyncio.subprocess import DEVNULL, Process
from codecs import getincrementaldecoder
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from siems.config import Settings
from siems.domain.runbook import Shell
from siems.errors import InvalidField, UsageError
from siems.executors import Ended, Heard, Host, Outcome, Output, Script
from siems.vocabulary import Platform

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
GRACE_SECONDS = 2.0
PIECE = 8_192


class Local:
    """Each script in a process group of its own, with nothing of the daemon's environment."""

    name = "local"

    def __init__(self, settings: Settings, environment: Mapping[str, str] | None = None) -> None:
        if not settings.executors.local_enabled:
            raise UsageError(
                "runs on the daemon's own machine are off", hint="siems config set executors.local.enabled true"
            )
        state = {name: os.environ[name] for name in ("XDG_STATE_HOME",) if name in os.environ}
        own = {"PATH": PATH, "LANG": "C.UTF-8", "HOME": str(Path.home()), **state}
        self._environment = {**own, **(environment or {})}

    def check(self, host: Host) -> None:
        if host.platform is Platform.WINDOWS:
            raise InvalidField(f"{host.name}: the daemon's machine runs sh, not PowerShell", hint="--executor winrm")

    async def run(self, script: Script, hosts: Sequence[Host], heard: Heard) -> None:
        await asyncio.gather(*(self._run(script, host, heard) for host in hosts))

    async def close(self) -> None:
        return None

    async def _run(self, script: Script, host: Host, heard: Heard) -> None:
        if script.shell is not Shell.SH:
            heard(Outcome(host.name, Ended.FAILED, None, "the daemon's machine runs sh only"))
            return
        folder = tempfile.mkdtemp(prefix="siems-run-")
        try:
            heard(await self._walk(script, host, heard, folder))
        except OSError as why:
            heard(Outcome(host.name, Ended.FAILED, None, f"it could not be started: {why.strerror}"))
        except asyncio.CancelledError:
            heard(Outcome(host.name, Ended.CANCELLED, None, "stopped"))
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def _walk(self, script: Script, host: Host, heard: Heard, folder: str) -> Outcome:
        with contextlib.ExitStack() as open_here:
            streams = [await _stream(open_here) for _ in range(2)]
            process = await asyncio.create_subprocess_exec(
                "/bin/sh", "-c", script.text, stdin=DEVNULL, stdout=streams[0][1], stderr=streams[1][1], cwd=folder,
                env={**self._environment, **script.values}, start_new_session=True,
            )  # fmt: skip
            for _, end in streams:
                end.close()
            readers = [
                asyncio.ensure_future(_read(reader, host.name, heard, error=error))
                for (reader, _), error in zip(streams, (False, True), strict=True)
            ]
            return await self._ended(script, host, process, readers)

    @staticmethod
    async def _ended(
        script: Script, host: Host, process: Process, readers: Sequence[asyncio.Future[None]]
    ) -> Outcome:  # fmt: skip
        try:
            async with asyncio.timeout(script.timeout.total_seconds()):
                code = await process.wait()
        except TimeoutError:
            await _stop(process)
            return Outcome(
                host.name, Ended.TIMED_OUT, None, f"stopped after {script.timeout.total_seconds():g} s"
            )  # fmt: skip
        except asyncio.CancelledError:
            await asyncio.shield(_stop(process))
            raise
        finally:
            await _drained(readers)
        if code == 0:
            return Outcome(host.name, Ended.SUCCEEDED, 0)
        why = f"ended by signal {-code}" if code < 0 else f"exit code {code}"
        return Outcome(host.name, Ended.FAILED, code, why)


async def _stream(stack: contextlib.ExitStack) -> tuple[asyncio.StreamReader, BinaryIO]:
    """(what reads a pipe, its other end). Not the subprocess's own: it would wait for whoever holds them, too."""
    ours, theirs = os.pipe()
    end = stack.enter_context(os.fdopen(theirs, "wb"))
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ours, "rb")
    )
    stack.callback(transport.close)
    return reader, end


async def _read(stream: asyncio.StreamReader, host: str, heard: Heard, *, error: bool) -> None:
    decoder = getincrementaldecoder("utf-8")("replace")
    while piece := await stream.read(PIECE):
        if text := decoder.decode(piece):
            heard(Output(host, text, error))
    if text := decoder.decode(b"", final=True):
        heard(Output(host, text, error))


async def _drained(readers: Sequence[asyncio.Future[None]]) -> None:
    """What it printed last; a child that it left behind does not keep us."""
    _, late = await asyncio.wait(readers, timeout=GRACE_SECONDS)
    for reader in late:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)


async def _stop(process: Process) -> None:
    """The whole group: asked first, then killed."""
    for sign, patience in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, GRACE_SECONDS)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await process.wait()
    # whoever ignored the first sign and outlived its parent
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
