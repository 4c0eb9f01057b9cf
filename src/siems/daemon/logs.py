"""What the daemon writes down: one line per fact, for people or for collectors; secrets never.

Lines go to standard error. Where that is a file of ours, it is exchanged when it has grown large and opened again
when a tool has moved it away (SIGHUP). A disk that takes no line never stops whoever had something to say.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
import threading
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

import structlog

from siems.config import Log

STDOUT, STDERR = 1, 2
_SECRET = re.compile(
    r"(sk_[a-z0-9-]+_|whsec_|siems[lr]_)[A-Za-z0-9+/=]+|(?<=api_key=)[^&\s]+|eyJ[\w-]+\.[\w-]+\.[\w-]+"
)


def redact(logger: Any, method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Anything that looks like one of our secrets is cut out."""
    return {k: _SECRET.sub("[secret]", v) if isinstance(v, str) else v for k, v in event.items()}


class _ForPeople:
    """One line of key=value; a traceback follows on lines of its own."""

    def __init__(self) -> None:
        self._line = structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], bool_as_flag=False)

    def __call__(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
        trace = event.pop("exception", "")
        line = str(self._line(logger, method, event))
        return f"{line}\n{trace}" if trace else line


class Output:
    """Standard error, and the file behind it where the daemon looks after that."""

    def __init__(self, file: Path | None, *, largest: int, keep: int) -> None:
        self._file = file
        self._largest = largest
        self._keep = keep
        self._lock = threading.Lock()

    def msg(self, line: str) -> None:
        """Write a line. What cannot be written is lost: the work goes on."""
        left = memoryview(f"{line}\n".encode("utf-8", "backslashreplace"))
        with self._lock, contextlib.suppress(OSError):
            if self._file is not None and os.fstat(STDERR).st_size + len(left) > self._largest:
                self._exchange(self._file)
            while left:
                left = left[os.write(STDERR, left) :]

    debug = info = warning = error = critical = exception = msg

    def reopen(self) -> None:
        """Go on in the file of that name: the one that was open may have been moved away."""
        with self._lock:
            if self._file is not None:
                self._open(self._file)

    def _exchange(self, file: Path) -> None:
        """daemon.log becomes daemon.log.1, and so on; the oldest goes. A file that cannot be moved grows on."""
        with contextlib.suppress(OSError):
            if os.fstat(STDERR).st_size == 0:
                return
            numbered = [file, *(file.with_name(f"{file.name}.{number}") for number in range(1, self._keep + 1))]
            for older, newer in reversed(list(zip(numbered[1:], numbered, strict=False))):
                with contextlib.suppress(FileNotFoundError):
                    newer.replace(older)
            if self._keep == 0:
                file.unlink(missing_ok=True)
            self._open(file)

    @staticmethod
    def _open(file: Path) -> None:
        """From now on both standard streams are this file, whatever writes to them."""
        try:
            handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        except OSError:
            return  # the folder is gone, or full: the file that is open still is
        for stream in (STDOUT, STDERR):
            os.dup2(handle, stream)
        os.close(handle)


def set_up(settings: Log, file: Path | None = None) -> Output:
    """Logging for the whole process, to standard error; `file` is what that is, where the daemon looks after it."""
    level = getattr(logging, settings.level.upper())
    shape: Any = structlog.processors.JSONRenderer() if settings.format == "json" else _ForPeople()
    output = Output(file, largest=settings.max_mib * 1024 * 1024, keep=settings.keep)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redact,
            shape,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *name: output,
    )
    logging.raiseExceptions = False  # a line that cannot be written is no reason to fail
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(name)s %(message)s")
    return output
