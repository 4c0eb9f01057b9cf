"""A real siems for tests: its own folder, its own daemon, and the command line as people and scripts run it."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import http.client
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")
PASSWORD = "correct horse battery"
SECONDS = 30.0
_numbers = count(1)


def until(look: Callable[[], T], *, seconds: float = 15.0) -> T:
    """What `look` finds, as soon as it finds something. Fails when it does not in time."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.03)
    return found


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Ran:
    """What became of a command."""

    code: int
    out: str
    err: str = ""

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def rows(self) -> list[list[str]]:
        return [line.split("\t") for line in self.lines]

    @property
    def error(self) -> dict[str, Any]:
        """The one object on standard error."""
        said = json.loads(self.err)
        assert list(said) == ["error"]
        found: dict[str, Any] = said["error"]
        return found


@dataclass(frozen=True)
class Client:
    """A client's company as onboarding has told it."""

    id: str
    name: str
    key: str
    secret: str
    url: str

    @property
    def slug(self) -> str:
        return self.id.removeprefix("comp-")

    def deliver(self, body: bytes, *, headers: dict[str, str] | None = None, url: str = "") -> tuple[int, Any]:
        """Send bytes as they are; (status, answer)."""
        parts = urlsplit(url or self.url)
        link = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=SECONDS)
        try:
            target = f"{parts.path}?{parts.query}" if parts.query else parts.path
            link.request("POST", target, body, {"Content-Type": "application/json"} | (headers or {}))
            answer = link.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            link.close()

    def send(self, body: bytes) -> tuple[int, Any]:
        """Send bytes with a key and a true signature."""
        now = str(int(time.time()))
        mac = hmac.new(self.secret.encode(), now.encode() + b"." + body, hashlib.sha256).hexdigest()
        return self.deliver(body, headers={"X-API-Key": self.key, "X-Timestamp": now, "X-Signature": f"sha256={mac}"})

    def alert(self, signature: str = "disk_full", asset: str = "web-01", severity: str = "high", **more: Any) -> Any:
        """One alert that must be taken; the answer."""
        body = {
            "asset_name": asset, "signature": signature, "severity": severity, "message": f"{signature} on {asset}",
            "tool_source": "test", **more,
        }  # fmt: skip
        status, answer = self.send(json.dumps(body).encode())
        assert status == 202, answer
        return answer


class Started(subprocess.Popen[str]):
    """A command that runs beside the test, and ends with it when it fails: nobody waits for it then."""

    def __exit__(self, kind: Any, value: Any, trace: Any) -> None:
        if kind is not None:
            self.kill()
        super().__exit__(kind, value, trace)


class House:
    """One SIEMS_HOME. Commands run in it as processes; `stop` ends its daemon."""

    def __init__(self, home: Path, **env: str) -> None:
        self.home = home
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "PYTHONPATH") if name in os.environ}
        cache = Path(os.environ.get("TMPDIR", "/tmp")) / f"siems-test-bytecode-{os.getuid()}"
        self.env = {
            **kept, "SIEMS_HOME": str(home), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "TZ": "UTC",
            "PYTHONPYCACHEPREFIX": str(cache), "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            "COLUMNS": "", "SIEMS_SYSTEM_ROOT": str(home / "no-systemd"),
            "SIEMS_WEBHOOKS_ALLOW": "127.0.0.1",  # where the stand-ins of providers and ticket systems are
            **env,
        }  # fmt: skip

    # --- running ---------------------------------------------------------------------------------------------

    def start(self, *words: str, env: dict[str, str] | None = None, **more: Any) -> Started:
        """A command that goes on running; its output comes through pipes."""
        return Started(
            [sys.executable, "-m", "siems", *words], env=self.env | (env or {}), text=True, cwd=self.home,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, **more,
        )  # fmt: skip

    def run(self, *words: str, exit: int = 0, text: str = "", env: dict[str, str] | None = None) -> Ran:
        """Run a command through pipes. Fails when it ends with another exit code."""
        done = subprocess.run(
            [sys.executable, "-m", "siems", *words], env=self.env | (env or {}), input=text, text=True, cwd=self.home,
            capture_output=True, timeout=SECONDS, check=False,
        )  # fmt: skip
        ran = Ran(done.returncode, done.stdout, done.stderr)
        assert ran.code == exit, f"siems {' '.join(words)}: exit {ran.code}\n{ran.out}\n{ran.err}"
        return ran

    def json(self, *words: str, **more: Any) -> Any:
        """The answer of a command as data."""
        return self.run(*words, "--json", **more).json

    def shell(self, line: str) -> Ran:
        """A line of shell in which `siems` is this one."""
        command = f'siems() {{ "{sys.executable}" -m siems "$@"; }}\n{line}\n'
        done = subprocess.run(
            ["bash", "-c", command], env=self.env, text=True, capture_output=True, timeout=SECONDS, cwd=self.home,
            check=False,
        )  # fmt: skip
        return Ran(done.returncode, done.stdout, done.stderr)

    def terminal(
        self,
        *words: str,
        answers: Sequence[tuple[str, str]] = (),
        columns: int = 80,
        env: dict[str, str] | None = None,
        interrupt: str = "",
    ) -> Ran:
        """Run a command on a terminal of its own. `answers`: what to type after which prompt.

        `interrupt`: type ctrl+c once this was shown.
        """
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        env = {name: value for name, value in (self.env | (env or {})).items() if name != "COLUMNS"}
        process = subprocess.Popen(
            [sys.executable, "-m", "siems", *words], env=env, stdin=theirs, stdout=theirs, stderr=theirs,
            start_new_session=True, preexec_fn=_as_on_a_terminal, cwd=self.home,
        )  # fmt: skip
        os.close(theirs)
        steps = [
            *((prompt, ": ", typed) for prompt, typed in answers),
            *([(interrupt, "", "\x03")] if interrupt else []),
        ]
        try:
            shown = _converse(ours, steps, process.pid)
            return Ran(process.wait(SECONDS), shown.replace("\r\n", "\n"))
        finally:
            process.kill()
            process.wait()
            os.close(ours)

    # --- its daemon ------------------------------------------------------------------------------------------

    def set_up(self, *, port: int | None = None) -> House:
        """`siems init` with the admin dana."""
        self.home.mkdir(parents=True, exist_ok=True)
        listen = f"127.0.0.1:{free_port() if port is None else port}"
        self.run("init", "--admin", "dana@msp.example", "--listen", listen, env={"SIEMS_PASSWORD": PASSWORD})
        return self

    def up(self) -> House:
        self.run("up", "-d")
        return self

    def stop(self) -> None:
        self.run("daemon", "stop")

    def kill(self) -> None:
        """The daemon dies at once and finishes nothing."""
        os.kill(self.pid, signal.SIGKILL)
        until(lambda: not _alive(self.pid))

    @property
    def pid(self) -> int:
        return int(json.loads((self.home / "state" / "daemon.json").read_text())["pid"])

    def onboard(self, name: str = "") -> Client:
        """A new client; each has a name of its own."""
        name = name or f"Client {next(_numbers)}"
        made = self.json("company", "onboard", name)
        return Client(made["company_id"], name, made["api_key"], made["hmac_secret"], made["webhook_url"])

    def incidents(self, company: Client) -> list[dict[str, Any]]:
        """All incidents of a client, whatever their state; what was folded into another is not one any more."""
        found: list[dict[str, Any]] = self.json("incident", "list", "--query", f"#{company.slug}")
        return [incident for incident in found if incident["merged_into"] is None]


def _alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent does not."""
    try:
        if not Path("/proc/self/stat").exists():
            os.kill(pid, 0)
            return True
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _as_on_a_terminal() -> None:
    """What a shell gives to what is typed: the terminal, and ctrl+c as it is; who runs tests may ignore it."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _rests(pid: int) -> None:
    """Wait until a process has waited for a while: ctrl+c in the moment before it begins to read is not heard before
    the next key, in any program of Python."""
    rested, end = 0, time.monotonic() + 5
    while rested < 5 and time.monotonic() < end:
        time.sleep(0.02)
        stat = Path(f"/proc/{pid}/stat")
        waits = not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] in "SZ"
        rested = rested + 1 if waits else 0


def _converse(terminal: int, steps: list[tuple[str, str, str]], pid: int) -> str:
    """Read a terminal until nobody holds its other end; type what belongs to each prompt.

    A step: the prompt, what the screen ends with once it waits (a prompt is written in two parts), what to type.
    """
    shown, seen, end = b"", 0, time.monotonic() + SECONDS
    while True:
        assert time.monotonic() < end, f"it does not end: {shown!r}"
        if not select.select([terminal], [], [], 0.1)[0]:
            continue
        try:
            part = os.read(terminal, 65_536)
        except OSError:
            part = b""
        if not part:
            return shown.decode()
        shown += part
        if steps and (at := shown.find(steps[0][0].encode(), seen)) >= 0 and shown.endswith(steps[0][1].encode()):
            prompt, _, typed = steps.pop(0)
            seen = at + len(prompt)
            if typed == "\x03":
                _rests(pid)
            os.write(terminal, typed.encode())


def bare(text: str) -> str:
    """Terminal output without its colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
