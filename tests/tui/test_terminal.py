"""The console in a real terminal: it dies with it, costs little when idle, and respects what it is told."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "pty_console.py"
COLOUR = re.compile(rb"\x1b\[[0-9;]*?(?:^|[\[;])(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;[0-9;]*)?m")


class Terminal:
    """A pseudo terminal with the console in it."""

    def __init__(self, *options: str, ignore_hup: bool = False, size: tuple[int, int] = (80, 24), **env: str) -> None:
        self.fd, terminal = pty.openpty()
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        environment = dict(os.environ) | {"TERM": "xterm-256color", "LANG": "C.UTF-8", "PYTHONUTF8": "1"} | env
        self.process = subprocess.Popen(
            [sys.executable, str(SCRIPT), f"ignore_hup={int(ignore_hup)}", *options],
            stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True, env=environment,
        )  # fmt: skip
        os.close(terminal)
        self.pid = self.process.pid
        self.seen = b""
        self.code: int | None = None

    def read(self, seconds: float, until: bytes = b"") -> bytes:
        got, end = b"", time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.fd], [], [], 0.05)[0]:
                try:
                    part = os.read(self.fd, 65_536)
                except OSError:
                    break
                got += part
                self.seen += part
                if until and until in self.seen:
                    break
        return got

    def type(self, keys: bytes) -> None:
        os.write(self.fd, keys)

    def gone_within(self, seconds: float) -> bool:
        try:
            self.code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def clean(self) -> None:
        self.process.kill()
        self.process.wait()
        self.hang_up()

    def hang_up(self) -> None:
        """Close the terminal under whatever runs in it."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    opened: list[Terminal] = []
    yield opened
    for one in opened:
        one.clean()


def start(terminals: list[Terminal], *options: str, wait: bytes = b"end of list", **kind: object) -> Terminal:
    one = Terminal(*options, **kind)  # type: ignore[arg-type]
    terminals.append(one)
    one.read(30, until=wait)
    assert wait in one.seen, one.seen[-2_000:]
    one.read(1.0)
    return one


@pytest.mark.parametrize("ignore_hup", [False, True])
def test_it_dies_with_its_terminal(terminals: list[Terminal], home: Path, ignore_hup: bool) -> None:
    one = start(terminals, ignore_hup=ignore_hup)
    one.type(b"jj")
    one.read(1.0)
    one.hang_up()
    assert one.gone_within(10)
    kept = next((home / "state").glob("tui-*.json")).read_text()
    assert '"cursor": "INC-109"' in kept


def test_what_has_to_be_done_at_the_end_is_done_where_nobody_returns(
    terminals: list[Terminal], home: Path, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    one = start(terminals, f"at_end={note}", ignore_hup=True)
    one.hang_up()
    assert one.gone_within(10)
    assert note.read_text() == "tidied"


def test_it_leaves_properly_when_asked_to(terminals: list[Terminal]) -> None:
    for number, code in ((signal.SIGTERM, 0), (signal.SIGHUP, 0)):
        one = start(terminals)
        os.kill(one.pid, number)
        one.read(3.0, until=b"\x1b[?1049l")
        assert one.gone_within(10)
        assert one.code == code
        assert b"\x1b[?1049l" in one.seen


def test_quitting(terminals: list[Terminal]) -> None:
    one = start(terminals)
    one.type(b"Q")
    one.read(5.0, until=b"\x1b[?1049l")
    assert one.gone_within(10)
    assert one.code == 0


def test_an_idle_board_costs_little(terminals: list[Terminal]) -> None:
    quiet = start(terminals)
    assert len(quiet.read(4.0)) / 4 < 1000
    ticking = start(terminals, "ticking=1", wait=b"more below")
    assert len(ticking.read(4.0)) / 4 < 1_800
    slow = start(terminals, "low_bandwidth=1")
    assert len(slow.read(4.0)) / 4 < 100


def test_without_colour_no_colour_is_sent(terminals: list[Terminal]) -> None:
    one = start(terminals, NO_COLOR="1")
    one.type(b"jr")
    one.read(1.5)
    assert not COLOUR.search(one.seen), COLOUR.search(one.seen)
    coloured = start(terminals)
    assert COLOUR.search(coloured.seen)


def test_a_dumb_terminal_gets_plain_sentences(terminals: list[Terminal]) -> None:
    for env in ({"TERM": "dumb"}, {"SIEMS_A11Y": "1"}):
        one = start(terminals, wait=b"quit to leave.", **env)
        one.type(b"2\nquit\n")
        one.read(5.0)
        assert b"\x1b" not in one.seen
        assert b"You can:" in one.seen
        assert one.gone_within(5)
        assert one.code == 0


def test_ascii_sends_ascii(terminals: list[Terminal]) -> None:
    one = start(terminals, "ascii_only=1")
    one.type(b"?")
    one.read(1.5)
    assert one.seen.isascii()
