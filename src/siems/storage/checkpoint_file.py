"""The file of signed statements about the audit log: lines are added, each on the disk before the next."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from siems.errors import Unavailable
from siems.places import write_private

Stamp = tuple[int, int, int]
"""What a file is known by: its number, its size, and when it was changed."""
_HINT = "the folder must be there, be ours and have room; audit.checkpoints names another"


class CheckpointFile:
    """One file. Every error of the system is Unavailable, with the path and the cause."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def stamp(self) -> Stamp | None:
        """What the file is known by now; None where there is none."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        except OSError as why:
            raise self._failed("looked at", why) from why
        return found.st_ino, found.st_size, found.st_mtime_ns

    def lines(self) -> list[str]:
        """All whole lines. One that was cut off while it was written has never been said."""
        try:
            text = self.path.read_text("utf-8", errors="replace")
        except FileNotFoundError:
            return []
        except OSError as why:
            raise self._failed("read", why) from why
        return text[: text.rfind("\n") + 1].splitlines()

    def append(self, line: str) -> None:
        """Add a line; it is on the disk when this returns."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)  # another daemon may have the same file
                end = _whole(handle)
                os.ftruncate(handle, end)
                _write(handle, f"{line}\n".encode(), end)
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as why:
            raise self._failed("written", why) from why

    def replace(self, lines: list[str]) -> None:
        """Other lines, all at once."""
        try:
            write_private(self.path, "".join(f"{line}\n" for line in lines))
        except OSError as why:
            raise self._failed("written", why) from why

    def _failed(self, what: str, why: OSError) -> Unavailable:
        return Unavailable(f"checkpoints cannot be {what} at {self.path} ({why.strerror})", hint=_HINT)


def _whole(handle: int) -> int:
    """Where the last whole line ends."""
    size = os.fstat(handle).st_size
    end = size
    while end > 0:
        begin = max(0, end - 4_096)
        found = os.pread(handle, end - begin, begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0


def _write(handle: int, data: bytes, at: int) -> None:
    """All of it: a full disk takes a part, and says so at the next."""
    while data:
        done = os.pwrite(handle, data, at)
        data, at = data[done:], at + done
