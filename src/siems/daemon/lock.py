"""One daemon per SQLite file: whoever writes holds a lock beside it."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from types import TracebackType

from sqlalchemy.engine import URL

from siems.errors import Locked


class DatabaseLock:
    """Held while a process may write to a SQLite file. On PostgreSQL several daemons are welcome."""

    def __init__(self, url: URL) -> None:
        plain = url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
        self._path = Path(f"{url.database}.lock") if plain else None
        self._handle: int | None = None

    def __enter__(self) -> DatabaseLock:
        """Raises Locked with the holder's process id."""
        if self._path is None:
            return self
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as why:
            holder = os.read(handle, 32).decode(errors="replace").strip() or "another process"
            os.close(handle)
            raise Locked(
                f"the database is in use by process {holder}",
                hint="stop that daemon first:  siems daemon stop",
            ) from why
        self._handle = handle
        with contextlib.suppress(OSError):  # on a full disk the lock holds without a name
            os.ftruncate(handle, os.pwrite(handle, f"{os.getpid()}\n".encode(), 0))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
