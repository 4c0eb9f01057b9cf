"""Scripts over WinRM: PowerShell in a shell of WinRS, over HTTPS whose certificate is verified.

A shell of WinRS rather than a session of PSRP: its environment takes the values as they are, its output is bytes as
they come, and deleting it ends whatever runs in it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import os
import tempfile
import time
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING

from siems.config import Settings
from siems.domain.environment import refuse
from siems.domain.runbook import Shell
from siems.errors import InvalidField
from siems.executors import Ended, Heard, Host, Outcome, Output, Script

if TYPE_CHECKING:
    from pypsrp.shell import Process, WinRS
    from pypsrp.wsman import WSMan

AT_ONCE = 32
CONNECT_SECONDS = 15
LOOK_SECONDS = 2
"""So long a look waits for output: a run that is cancelled is stopped as soon after."""
PIECE = 65_536
WAYS = ("negotiate", "ntlm", "basic")
_POWERSHELL = (
    "$ErrorActionPreference = 'Stop'; $ProgressPreference = 'SilentlyContinue'; "
    "try { [Console]::OutputEncoding = New-Object Text.UTF8Encoding $false } catch { $null = $_ }; "
    "$text = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String((@($input) -join ''))); "
    "& ([ScriptBlock]::Create($text)); if ($null -ne $LASTEXITCODE) { exit $LASTEXITCODE }"
)
_ARGUMENTS = (
    "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-InputFormat", "Text", "-OutputFormat", "Text",
    "-EncodedCommand", base64.b64encode(_POWERSHELL.encode("utf-16-le")).decode(),
)  # fmt: skip

Tell = Callable[[str, bool], None]
"""(text, whether it is the other stream), from any thread."""


class Unreachable(Exception):
    """Nothing was run at this address, and another may be tried."""


class Untrusted(Unreachable):
    """Its certificate is not believed."""


class Winrm:
    """One shell for each script and host. `access`: username, password, port, known_hosts, auth, scheme."""

    name = "winrm"

    def __init__(self, settings: Settings, *, look: int = LOOK_SECONDS) -> None:
        self._look = look
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="winrm")

    def check(self, host: Host) -> None:
        for name, flag in (("username", "--login NAME"), ("password", "--password-file FILE")):
            if not host.access.get(name):
                raise InvalidField(f"{host.name}: winrm needs a {name}", hint=f"siems runbook access set winrm {flag}")
        way, scheme = _way(host.access), _scheme(host.access)
        if way not in WAYS or scheme not in ("https", "http"):
            raise InvalidField(
                f"{host.name}: winrm knows no {way} over {scheme}",
                hint=f"--option auth={'|'.join(WAYS)} --option scheme=https|http",
            )
        if way == "basic" and scheme == "http":
            raise InvalidField(
                f"{host.name}: basic over http would show the password", hint="--option scheme=https, or auth=ntlm"
            )

    async def run(self, script: Script, hosts: Sequence[Host], heard: Heard) -> None:
        await asyncio.gather(*(self._one(script, host, heard) for host in hosts))

    async def close(self) -> None:
        await asyncio.to_thread(self._pool.shutdown)

    async def _one(self, script: Script, host: Host, heard: Heard) -> None:
        try:
            refuse(script.values)
            self.check(host)
        except InvalidField as why:
            heard(Outcome(host.name, Ended.UNREACHABLE, None, why.message))
            return
        if script.shell is not Shell.POWERSHELL:
            heard(Outcome(host.name, Ended.UNREACHABLE, None, "it runs PowerShell, and this is a script for sh"))
            return
        loop, stop = asyncio.get_running_loop(), Event()

        def tell(text: str, error: bool) -> None:
            loop.call_soon_threadsafe(heard, Output(host.name, text, error))

        running = loop.run_in_executor(self._pool, _walk, script, host, tell, stop, self._look)
        try:
            outcome = await asyncio.shield(running)
        except asyncio.CancelledError:
            stop.set()
            await asyncio.wait([running])
            heard(Outcome(host.name, Ended.CANCELLED, None, "stopped"))
            raise
        heard(outcome)


def _way(access: Mapping[str, str]) -> str:
    return access.get("auth", "") or "negotiate"


def _scheme(access: Mapping[str, str]) -> str:
    return access.get("scheme", "") or "https"


def _walk(script: Script, host: Host, tell: Tell, stop: Event, look: int) -> Outcome:
    """Blocks until it has ended there. The first address that lets us in is taken."""
    logging.getLogger("pypsrp").setLevel(logging.CRITICAL)  # it writes down what is sent, values and all
    problems, addresses = [], list(host.addresses or (host.name,))
    with _trusted(host.access.get("known_hosts", "")) as certificates:
        for address in addresses:
            if stop.is_set():
                break
            try:
                return _at(address, certificates, script, host, tell, stop, look)
            except Unreachable as why:
                problems.append(f"{address}: {why}")
                if isinstance(why, Untrusted) and host.name not in addresses:
                    addresses.append(host.name)  # a certificate names a host more often than its address
    return Outcome(host.name, Ended.UNREACHABLE, None, "; ".join(problems)[:1_000])


@contextlib.contextmanager
def _trusted(certificates: str) -> Iterator[str]:
    """A file of the certificates that are believed; "" for those that the machine believes."""
    if not certificates.strip():
        yield ""
        return
    handle, path = tempfile.mkstemp(prefix="siems-", suffix=".pem")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(certificates)
        yield path
    finally:
        os.unlink(path)


def _at(
    address: str, certificates: str, script: Script, host: Host, tell: Tell, stop: Event, look: int
) -> Outcome:  # fmt: skip
    """Raises Unreachable when nothing was run."""
    from pypsrp.exceptions import AuthenticationError, WinRMError
    from pypsrp.shell import WinRS
    from pypsrp.wsman import WSMan

    access, begun = host.access, False
    wsman = WSMan(
        address, port=int(access["port"]) if access.get("port") else None, username=access["username"],
        password=access["password"], ssl=_scheme(access) == "https", auth=_way(access),
        cert_validation=certificates or True,  # type: ignore[arg-type]  # it takes a path, too
        connection_timeout=CONNECT_SECONDS, no_proxy=True,
    )  # fmt: skip
    shell = WinRS(wsman, environment=dict(script.values), codepage=65_001)
    try:
        shell.open()
        begun = True
        with _closed(wsman, shell):
            return _follow(shell, script, host.name, tell, stop, look)
    except AuthenticationError:  # and no other address: an account is locked by a few wrong passwords
        return Outcome(host.name, Ended.UNREACHABLE, None, f"{address}: {access['username']} is not let in")
    except (OSError, WinRMError, ValueError) as why:
        said = " ".join(str(why).split())[:300] or type(why).__name__
        if not begun:
            if "certificate" in said.lower():
                raise Untrusted("its certificate is not trusted, so nothing was sent") from why
            raise Unreachable(said) from why
        return Outcome(
            host.name, Ended.UNREACHABLE, None, f"the connection was lost, how it ended is not known: {said}"
        )  # fmt: skip
    finally:
        wsman.close()


@contextlib.contextmanager
def _closed(wsman: WSMan, shell: WinRS) -> Iterator[None]:
    """Whatever happens, nothing is left running there, as far as it can still be told."""
    from pypsrp.exceptions import WinRMError

    try:
        yield
    finally:
        with contextlib.suppress(OSError, WinRMError):
            shell.close()


def _follow(shell: WinRS, script: Script, name: str, tell: Tell, stop: Event, look: int) -> Outcome:
    from pypsrp.shell import CommandState, Process, SignalCode

    process = Process(shell, "powershell.exe", list(_ARGUMENTS))
    process.begin_invoke()
    packed = base64.b64encode(script.text.encode()) + b"\r\n"
    for start in range(0, len(packed), PIECE):
        process.send(packed[start : start + PIECE], end=start + PIECE >= len(packed))
    out, end = _Streams(tell), time.monotonic() + script.timeout.total_seconds()
    while process.state != CommandState.DONE:
        late = time.monotonic() >= end
        if late or stop.is_set():
            process.signal(SignalCode.TERMINATE)
            ended = Ended.TIMED_OUT if late else Ended.CANCELLED
            return Outcome(name, ended, None, f"stopped after {script.timeout.total_seconds():g} s" if late else "")
        process.poll_invoke(timeout=look)
        out.take(process)
    out.take(process, last=True)
    process.signal(SignalCode.TERMINATE)  # the protocol wants each command told that it is over
    code = process.rc or 0
    code -= 1 << 32 if code >= 1 << 31 else 0
    if code == 0:
        return Outcome(name, Ended.SUCCEEDED, 0)
    return Outcome(name, Ended.FAILED, code, f"exit code {code}")


class _Streams:
    """Passes on what is new of both streams; a letter that is cut in two waits for its other half."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._decoders = {name: getincrementaldecoder("utf-8")("replace") for name in ("stdout", "stderr")}

    def take(self, process: Process, *, last: bool = False) -> None:
        for name, decoder in self._decoders.items():
            text = decoder.decode(getattr(process, name), final=last)
            setattr(process, name, b"")
            if text:
                self._tell(text.replace("\r\n", "\n"), name == "stderr")
