"""The daemon as a process: `python -m siems.daemon run|init|upgrade|check|…`. The command line calls it so."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import os
import resource
import secrets
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError

from siems import places, present
from siems.clock import CatchUpClock, Clock, SystemClock, rfc3339
from siems.config import Server, Settings, load
from siems.daemon import logs, recovery
from siems.daemon.lock import DatabaseLock
from siems.daemon.runtime import Runtime, company_defaults, retention_of
from siems.daemon.supervisor import Supervisor
from siems.errors import Conflict, NotFound, SiemsError, UsageError
from siems.services import retention, setup, users
from siems.services.observers import react
from siems.services.sla_settings import countries, warm
from siems.storage import migrations, rotation, signing_key, statistics
from siems.storage.database import Database, open_engine, parse_url
from siems.storage.dialect import translated
from siems.storage.vault import Vault
from siems.vocabulary import MSP
from siems.wire import UserAsk

log = structlog.get_logger()


def main(argv: list[str] | None = None) -> int:
    """Run one of the daemon's own commands; errors go to standard error: one JSON object, or text for people."""
    os.umask(0o077)  # database, socket and logs are for their owner only
    ask = _parser().parse_args(argv)
    try:
        found: int = ask.run(ask)
        return found
    except SiemsError as error:
        if ask.errors == "text":
            lines = [f"error: {error.message}  ({error.code}, exit {error.exit})", f"  {error.hint}".rstrip()]
            print("\n".join(filter(None, lines)), file=sys.stderr)
            return error.exit
        said = {"code": error.code, "exit": error.exit, "message": error.message, "hint": error.hint}
        print(json.dumps({"error": said}), file=sys.stderr)
        return error.exit
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="siems-daemon")
    parser.add_argument("--errors", choices=("json", "text"), default="json")
    commands = parser.add_subparsers(required=True)
    run = commands.add_parser("run")
    run.add_argument("--port", type=int)
    run.add_argument("--log-file", type=Path, help="what standard error is: exchanged when large, reopened on SIGHUP")
    run.add_argument("--clock-behind", type=float, default=0.0, help="seconds; for demonstrations")
    run.add_argument("--clock-speed", type=float, default=60.0)
    run.set_defaults(run=run_daemon)
    init = commands.add_parser("init")
    init.add_argument("--admin", required=True)
    init.add_argument("--name", default="")
    init.set_defaults(run=run_init)
    upgrade = commands.add_parser("upgrade")
    upgrade.add_argument("--to", default="head")
    upgrade.set_defaults(run=run_upgrade)
    commands.add_parser("check").set_defaults(run=run_check)
    commands.add_parser("rotate-key").set_defaults(run=run_rotate_key)
    commands.add_parser("stats").set_defaults(run=run_stats)
    commands.add_parser("settings").set_defaults(run=run_settings)
    recovery.add_commands(commands)
    bodies = commands.add_parser("check-bodies")
    bodies.add_argument("folder", type=Path)
    bodies.add_argument("--json", action="store_true")
    bodies.set_defaults(run=run_check_bodies)
    return parser


# --- commands beside the daemon --------------------------------------------------------------------------------


@contextmanager
def _readable() -> Iterator[None]:
    """A file that is no database is said to be damaged; what may pass is Unavailable."""
    try:
        with translated():
            yield
    except DatabaseError as why:
        raise Conflict(f"the database file is damaged: {why.orig}", hint="restore a backup") from why


def _with_engine(work: Callable[[Engine], Any]) -> Any:
    settings = load()
    url = parse_url(settings.database_url)
    _make_room(url.database if url.get_backend_name() == "sqlite" else None)
    with DatabaseLock(url):
        engine = open_engine(url)
        try:
            with _readable():
                return work(engine)
        finally:
            engine.dispose()


def _make_room(file: str | None) -> None:
    if file:
        Path(file).parent.mkdir(parents=True, exist_ok=True, mode=0o700)


def _existing(settings: Settings) -> Engine:
    """The database to read from. Raises NotFound where its file is not there."""
    url = parse_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).exists():
        raise NotFound(f"there is no database {url.database}", hint="siems init --admin you@msp.example")
    return open_engine(url, read_only=True)


def run_upgrade(ask: argparse.Namespace) -> int:
    before, after = _with_engine(lambda engine: migrations.upgrade(engine, ask.to))
    print(json.dumps({"before": before, "after": after, "changed": before != after}))
    return 0


def run_rotate_key(ask: argparse.Namespace) -> int:
    """Another key for all that is stored encrypted."""

    def work(engine: Engine) -> dict[str, int]:
        migrations.check(engine)
        return rotation.rotate(engine, places.key_file())

    print(json.dumps({"key_file": str(places.key_file()), "sealed": _with_engine(work)}))
    return 0


def run_check(ask: argparse.Namespace) -> int:
    """Whether the schema is the right one and the file is whole; takes no lock, so it may run beside a daemon."""
    engine = _existing(load())
    with _readable():
        migrations.check(engine)
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                said = connection.exec_driver_sql("PRAGMA quick_check").scalar()
                if said != "ok":
                    raise Conflict(f"the database file is damaged: {said}", hint="restore a backup")
    engine.dispose()
    print(json.dumps({"ok": True, "schema": migrations.head()}))
    return 0


def run_stats(ask: argparse.Namespace) -> int:
    """What is in the database, and from when on it will be removed; beside a daemon that runs, too."""
    settings = load()
    engine = _existing(settings)
    kept, now = retention_of(settings), SystemClock().now()
    try:
        with _readable():
            migrations.check(engine)
            with engine.connect() as connection:
                found, (whole, free) = statistics.tables(connection), statistics.room(connection)
    finally:
        engine.dispose()
    for row in found:
        age = retention.age_of(kept, row["table"])
        row["oldest"] = row["oldest"] and rfc3339(row["oldest"])
        row["kept_days"] = age and age.days
    print(json.dumps({"bytes": whole, "free_bytes": free, "as_of": rfc3339(now), "tables": found}))
    return 0


def run_settings(ask: argparse.Namespace) -> int:
    """The settings in force, for `doctor` and `config list`."""
    settings = load()
    print(settings.model_dump_json())
    return 0


def run_check_bodies(ask: argparse.Namespace) -> int:
    """What siems makes of a folder of bodies that tools have sent; an error at the end when it does not know some."""
    from siems.daemon import bodies

    found = bodies.check(ask.folder)
    print(json.dumps(found) if ask.json else "\n".join(present.bodies(found)), flush=True)
    if error := bodies.verdict(found):
        raise error
    return 0


def run_init(ask: argparse.Namespace) -> int:
    """Database, the MSP's own rows, the first admin, this machine's token. The password comes on standard input."""
    settings = load()
    password = sys.stdin.readline().rstrip("\n")
    made = not password
    password = password or secrets.token_urlsafe(15)
    hashed = users.hash_password(password, settings.auth.min_password)
    _with_engine(migrations.upgrade)
    url = parse_url(settings.database_url)
    with DatabaseLock(url):
        database = Database(settings.database_url, clock=SystemClock(), observers=react)
        database.start()
        try:
            database.write_now(setup.prepare, company_defaults(settings), companies=(MSP,))
            name = ask.name or ask.admin.partition("@")[0]
            who = UserAsk(name=name, email=ask.admin, role="admin", password="")
            user_id = database.write_now(setup.first_admin, who, hashed, companies=(MSP,))
            token = database.write_now(setup.local_token, user_id, companies=(MSP,))
        finally:
            database.stop()
    Vault.open(places.key_file())
    signing_key.provide(places.audit_key_file())
    places.write_private(places.token_file(), token + "\n")
    answer = {"user_id": user_id, "name": name, "password": password if made else None}
    print(json.dumps(answer))
    return 0


# --- the daemon ------------------------------------------------------------------------------------------------


def with_port(server: Server, port: int) -> Server:
    """The same listener on another port. Raises UsageError for what is none."""
    if not 0 <= port <= 65_535:
        raise UsageError(f"{port} is no port", hint="choose one up to 65535, or 0 for any that is free")
    return server.model_copy(update={"port": port})


def run_daemon(ask: argparse.Namespace) -> int:
    settings = load()
    if ask.port is not None:
        settings = settings.model_copy(update={"server": with_port(settings.server, ask.port)})
    output = logs.set_up(settings.log, ask.log_file)
    url = parse_url(settings.database_url)
    clock: Clock = SystemClock()
    if ask.clock_behind:
        clock = CatchUpClock(timedelta(seconds=ask.clock_behind), speed=ask.clock_speed)
    _allow_connections()
    with DatabaseLock(url):
        engine = open_engine(url)
        with _readable():
            migrations.check(engine)
        engine.dispose()
        gc.set_threshold(50_000, 50, 50)  # young garbage is collected less often: it cuts the slowest answers
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(serve(settings, clock, output if ask.log_file else None, watching=not ask.clock_behind))


def _allow_connections() -> None:
    """As many open files as the system lets us have: each connection is one, and many senders keep theirs open."""
    with contextlib.suppress(OSError, ValueError):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def serve(
    settings: Settings, clock: Clock, output: logs.Output | None = None, *, watching: bool = True
) -> int:  # fmt: skip
    """Answer until told to stop; then let what is in flight finish."""
    from siems.daemon.http.app import listen

    runtime = Runtime(settings, clock, Vault.open(places.key_file()), settings.public_url, watching=watching)
    supervisor = Supervisor()
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    if output is not None:
        loop.add_signal_handler(signal.SIGHUP, output.reopen)
    await runtime.start()
    if MSP not in runtime.database.memory.companies:  # a full disk is no reason not to start where nothing is to do
        await runtime.database.write(setup.prepare, company_defaults(settings), companies=(MSP,))
    await asyncio.to_thread(warm, await runtime.database.read(countries), clock.now().year)
    socket = places.runtime_dir() / "daemon.sock"
    try:
        listening = await listen(runtime, socket if len(str(socket)) < 100 else None)
    except SiemsError:
        await runtime.stop()
        raise
    if not settings.server.public_url:
        runtime.public_url = f"http://{settings.server.host}:{listening.port}"
    _announce(runtime, settings, listening.port, socket)
    log.info("daemon.ready", url=runtime.public_url, database=runtime.database.url.render_as_string())
    supervisor.ready(runtime.working)
    await stopping.wait()
    log.info("daemon.stopping")
    supervisor.stopping()
    runtime.draining = True
    listening.drain()
    await runtime.pulls.stop()
    runtime.hub.close()
    await listening.cleanup()
    await runtime.stop()
    _withdraw()
    log.info("daemon.stopped")
    return 0


def _announce(runtime: Runtime, settings: Settings, port: int, socket: Path) -> None:
    """Tell consoles on this machine where the daemon is."""
    host = "127.0.0.1" if settings.server.host in ("0.0.0.0", "::") else settings.server.host  # noqa: S104
    said = {"url": f"http://{host}:{port}", "socket": str(socket), "pid": os.getpid()}
    file, text = places.endpoint_file(), json.dumps(said)
    try:
        places.write_private(file, text)
    except OSError as why:  # a full disk: consoles ask at the address of the settings then
        log.warning("daemon.not_announced", file=str(file), why=why.strerror)


def _withdraw() -> None:
    try:
        said = json.loads(places.endpoint_file().read_text())
    except (OSError, ValueError):
        return
    if said.get("pid") == os.getpid():
        places.endpoint_file().unlink(missing_ok=True)
