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
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import structlog

from siems import places, present
from siems.clock import CatchUpClock, Clock, SystemClock
from siems.config import Server, Settings, load
from siems.daemon import logs, recovery, upkeep
from siems.daemon.lock import DatabaseLock
from siems.daemon.runtime import Runtime, company_defaults
from siems.daemon.supervisor import Supervisor
from siems.daemon.upkeep import readable, with_engine
from siems.errors import SiemsError, UsageError
from siems.services import setup, users
from siems.services.observers import react
from siems.services.sla_settings import countries, warm
from siems.storage import migrations, signing_key
from siems.storage.database import Database, open_engine, parse_url
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
    commands.add_parser("settings").set_defaults(run=run_settings)
    upkeep.add_commands(commands)
    recovery.add_commands(commands)
    bodies = commands.add_parser("check-bodies")
    bodies.add_argument("folder", type=Path)
    bodies.add_argument("--json", action="store_true")
    bodies.set_defaults(run=run_check_bodies)
    return parser


# --- commands beside the daemon --------------------------------------------------------------------------------


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
    with_engine(migrations.upgrade)
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
        with readable():
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
    await runtime.prepare()
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
