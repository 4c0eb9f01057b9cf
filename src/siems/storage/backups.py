"""A database as one file, and back: SQLite by its own way of copying, PostgreSQL by pg_dump and pg_restore."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import text
from sqlalchemy.engine import URL

from siems.domain.checkpoint import Head
from siems.errors import Conflict, NotFound, Unavailable, UsageError
from siems.storage.database import open_engine
from siems.storage.repositories.audit import heads_of

_MAGIC = b"SQLite format 3\x00"


def name_of(url: URL) -> str:
    """What a database is called where somebody has to confirm it."""
    found = url.database or ""
    return Path(found).name if url.get_backend_name() == "sqlite" else found


def backup(url: URL, out: Path) -> dict[str, Head]:
    """Copy a database that may be in use into a file; the heads of the audit chains that are in it."""
    draft = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        draft.unlink(missing_ok=True)
        heads = _copy(url, draft) if url.get_backend_name() == "sqlite" else _dump(url, draft)
        with open(draft, "rb") as handle:
            os.fsync(handle.fileno())
        os.replace(draft, out)
    except OSError as why:
        raise UsageError(f"{out} cannot be written ({why.strerror})", hint="--out names a file with room") from why
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    return heads


def _copy(url: URL, out: Path) -> dict[str, Head]:
    if not url.database or not Path(url.database).exists():
        raise NotFound(f"there is no database {url.database}", hint="siems init")
    try:
        with closing(sqlite3.connect(url.database)) as source, closing(sqlite3.connect(out)) as target:
            source.execute("PRAGMA query_only = ON")
            source.backup(target)  # in one step: as it is at this moment, whoever writes meanwhile
            target.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as why:
        raise Unavailable(f"the database cannot be copied ({why})", hint="siems db check") from why
    return check(out)


def check(file: Path) -> dict[str, Head]:
    """The audit heads in a copy of a SQLite database. Raises UsageError where it is none, Conflict when damaged."""
    try:
        with open(file, "rb") as handle:
            if handle.read(16) != _MAGIC:
                raise UsageError(f"{file} is no SQLite database", hint="siems db backup makes one")
    except OSError as why:
        raise UsageError(f"{file} cannot be read ({why.strerror})", hint="which file?") from why
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)) as connection:
            if connection.execute("PRAGMA quick_check").fetchone() != ("ok",):
                raise Conflict(f"{file} is damaged", hint="take another backup")
            rows = connection.execute("SELECT chain, seq, hash FROM audit_head WHERE seq > 0").fetchall()
    except sqlite3.Error as why:
        raise Conflict(f"{file} is damaged, or not of siems ({why})", hint="take another backup") from why
    return {chain: (seq, hash) for chain, seq, hash in rows}


def _dump(url: URL, out: Path) -> dict[str, Head]:
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
            heads = heads_of(connection)
            _run("pg_dump", url, "--format=custom", f"--snapshot={snapshot}", f"--file={out}")
            return heads
    finally:
        engine.dispose()


def restore(url: URL, file: Path, *, now: datetime) -> Path | None:
    """Put a copy in the place of a database that nobody uses; where the one before it was put, if anywhere."""
    if url.get_backend_name() != "sqlite":
        if not file.is_file():
            raise UsageError(f"there is no file {file}", hint="which backup?")
        _run("pg_restore", url, "--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error",
             str(file))  # fmt: skip
        return None
    check(file)
    place = Path(str(url.database))
    draft, kept = (
        place.with_name(f".{place.name}.restoring"),
        place.with_name(f"{place.name}.before-{now:%Y%m%d%H%M%S}"),
    )
    try:
        shutil.copyfile(file, draft)
        os.chmod(draft, 0o600)
        with open(draft, "rb") as handle:
            os.fsync(handle.fileno())
        before = place.exists()
        if before:
            _set_aside(place, kept)
        os.replace(draft, place)
    except OSError as why:
        raise Unavailable(f"{place} cannot be written ({why.strerror})", hint="make room; nothing is lost") from why
    return kept if before else None


def _set_aside(place: Path, kept: Path) -> None:
    """The database that was there, under another name: with its log, where that cannot be written into it."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(place)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for end in ("-wal", ""):
        with suppress(FileNotFoundError):
            os.replace(f"{place}{end}", f"{kept}{end}")
    Path(f"{place}-shm").unlink(missing_ok=True)


def _run(program: str, url: URL, *words: str) -> None:
    """A program of PostgreSQL on a database. Raises Unavailable with what it says."""
    plain = url.set(drivername="postgresql", password=None)
    target = plain.render_as_string(hide_password=False)
    environment = os.environ | ({"PGPASSWORD": str(url.password)} if url.password else {})
    command = [program, *words[:-1], f"--dbname={target}", words[-1]]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    except FileNotFoundError as why:
        raise Unavailable(f"{program} is not installed here", hint="install the client tools of PostgreSQL") from why
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()[:1] or [f"exit code {done.returncode}"]
        raise Unavailable(f"{program} failed: {said[0]}", hint=f"{program} --version: as new as the server?")
