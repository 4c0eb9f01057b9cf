"""A command inside a maintenance window: the window opens before it and always ends after it."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from types import FrameType
from typing import Any

from siems import errors
from siems.cli.context import Door
from siems.cli.silence import asked
from siems.moments import seconds

POLL_SECONDS = 1.0
PASSED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


class _Signals:
    """What ends other programs only ends the command here, so that the window can be ended after it."""

    def __init__(self) -> None:
        self.child: subprocess.Popen[bytes] | None = None
        self.came = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> _Signals:
        for number in PASSED_ON:
            self._before[number] = signal.signal(number, self._on)
        return self

    def __exit__(self, *error: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def start(self, command: list[str]) -> subprocess.Popen[bytes]:
        """Start the command. What came while it was starting it may not have heard of."""
        self.child = subprocess.Popen(command)  # noqa: S603
        if self.came:
            self.child.send_signal(self.came)
        return self.child

    def _on(self, number: int, frame: FrameType | None) -> None:
        self.came = number
        # on a terminal ctrl+c reaches the command by itself; a second one would mean something else to it
        if self.child is not None and self.child.poll() is None and (number != signal.SIGINT or not _on_a_terminal()):
            self.child.send_signal(number)


def _on_a_terminal() -> bool:
    return sys.stdin.isatty()


def run_inside(
    door: Door, command: list[str], *, company: str, matchers: list[str], longest: str, settle: str, change: str
) -> int:  # fmt: skip
    """The command's exit code, or 9. Raises what the daemon says when the window cannot be opened: nothing ran then."""
    if shutil.which(command[0]) is None:
        raise errors.UsageError(f"there is no command {command[0]!r} to run", hint="no window was opened")
    patience = float(seconds(settle) or 0)
    ask = asked(company, matchers, lasts=longest)
    closes = time.monotonic() + float(ask["seconds"])
    with _Signals() as signals:
        opened = door.client.create_silence(comment=door.reason, change=change, **ask)
        if door.dry_run:
            door.note(f"would open a window until {opened['ends_at'][:19]}Z and run {command[0]} (dry run)")
            return 0
        door.note(f"{opened['id']}: open until {opened['ends_at'][:19]}Z at the latest")
        try:
            code = _run(command, signals)
            still = 0
            if code == 0 and not signals.came:  # what went wrong shall not be silent any longer
                still = _settled(door, company, matchers, min(time.monotonic() + patience, closes), signals)
        finally:
            _end(door, opened["id"])
    if code == 0 and signals.came and signals.child is not None and still:
        return 128 + signals.came  # somebody did not want to wait
    if code == 0 and still:
        found = f"{still} matching alert{'' if still == 1 else 's'}"
        raise errors.Negative(
            f"{command[0]} went well, but {found} stayed active",
            hint="siems alert list --query 'status:active' --since 1h",
        )
    return code


def _run(command: list[str], signals: _Signals) -> int:
    """As a shell would tell it: 128 and the signal for what a signal has ended."""
    if signals.came:
        return 128 + signals.came
    try:
        child = signals.start(command)
    except OSError as why:
        print(f"{command[0]}: {why.strerror}", file=sys.stderr)
        return 126
    code = child.wait()
    return code if code >= 0 else 128 - code


def _settled(door: Door, company: str, matchers: list[str], until: float, signals: _Signals) -> int:
    """How many matching alerts are still active when the time is up; it ends as soon as there are none."""
    while True:
        try:
            count = int(door.client.preview_silence(company, matchers)["alert_count"])
        except errors.SiemsError as why:
            door.note(f"cannot see whether alerts have recovered: {why.message}")
            return 0
        left = until - time.monotonic()
        if not count or left <= 0 or signals.came:
            return count
        time.sleep(min(POLL_SECONDS, left))


def _end(door: Door, ref: str) -> None:
    try:
        done = door.client.change_silence("end", ref, reason="the command has ended")
        door.note(f"{ref}: {'over' if done['changed'] else 'was over already'}")
    except errors.SiemsError as why:
        door.note(f"{ref} could not be ended now, it ends by itself: {why.message}")
