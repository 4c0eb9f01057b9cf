"""What every test may have: both databases, fresh and migrated, and no way out of this machine."""

from __future__ import annotations

import gc
import shutil
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy.engine import URL

import compiled
import order
import parsing
import postgres
from siems.clock import ManualClock
from siems.storage import database as storage
from siems.storage import migrations
from siems.storage.database import open_engine, parse_url

parsing.install()
# a test process that waits for its turn on a busy machine is no daemon that stands still
storage.STANDSTILL_MILLISECONDS = 60_000
storage.create_engine = compiled.engine  # type: ignore[assignment,attr-defined]

T0 = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
BACKENDS = ("sqlite", "postgresql")
LOOPBACK = {"localhost", "127.0.0.1", "::1", "0.0.0.0", "::", ""}
_TEMPLATE = "siems_template"
_numbers = count(1)


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that would leave this machine fails."""

    def guarded(real: Callable[..., Any]) -> Callable[..., Any]:
        def connect(self: socket.socket, address: Any) -> Any:
            if self.family != socket.AF_UNIX and address[0] not in LOOPBACK:
                raise AssertionError(f"a test tried to reach {address[0]}")
            return real(self, address)

        return connect

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, guarded(getattr(socket.socket, name)))


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads the settings of the machine it runs on."""
    monkeypatch.setenv("SIEMS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "home" / "no-such-file"))


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    """What the code logs is not shown, but still goes through the real calls."""
    structlog.configure(processors=[_dropped])
    yield
    structlog.reset_defaults()


def _dropped(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
    raise structlog.DropEvent


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(T0)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where several processes share the tests, each takes the next file: see `order`."""
    if not hasattr(config, "workerinput"):
        return
    place = {name: at for at, name in enumerate(order.arranged([(item.path, item.path.parent.name) for item in items]))}
    items.sort(key=lambda item: place[item.path])


def pytest_collection_finish(session: pytest.Session) -> None:
    """Thousands of collected tests are looked at by every full collection of garbage, and none of them is any."""
    gc.collect()
    gc.freeze()


# --- databases -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[URL]:
    """One PostgreSQL per test process. That there is none is an error, never a reason to skip."""
    with postgres.server() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres_server: URL) -> Iterator[str]:
    """The name of a migrated database that others are copied from."""
    name = f"{_TEMPLATE}_{next(_numbers)}_{id(postgres_server)}"
    postgres.run(postgres_server, f"CREATE DATABASE {name}")
    engine = open_engine(parse_url(postgres.text_of(postgres_server.set(database=name))))
    migrations.upgrade(engine)
    engine.dispose()
    yield name
    postgres.run(postgres_server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file that others are copied from."""
    path = tmp_path_factory.mktemp("template") / "siems.db"
    engine = open_engine(parse_url(str(path)))
    migrations.upgrade(engine)
    engine.dispose()  # the last connection writes everything into the one file
    return path


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """Every test that asks for a database runs on both."""
    return str(request.param)


@pytest.fixture
def empty_url(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database without any tables."""
    if backend == "sqlite":
        yield str(tmp_path / "empty.db")
        return
    with Copy(request.getfixturevalue("postgres_server"), "template0") as url:
        yield url


@pytest.fixture
def quick_path() -> Iterator[Path]:
    """A folder for files that are written often."""
    with tempfile.TemporaryDirectory(prefix="siems-", dir=postgres.quick_folder()) as folder:
        yield Path(folder)


@pytest.fixture
def database_url(backend: str, quick_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a fresh database with the schema of this version."""
    if backend == "sqlite":
        path = quick_path / "siems.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield str(path)
        return
    yield request.getfixturevalue("postgres_url")


@pytest.fixture
def postgres_url(postgres_server: URL, postgres_template: str) -> Iterator[str]:
    """The URL of a fresh database on PostgreSQL, for what only it can do."""
    with Copy(postgres_server, postgres_template) as url:
        yield url


class Copy:
    """A database on the server, for as long as a test needs it."""

    def __init__(self, server: URL, template: str) -> None:
        self._server = server
        self._template = template
        self.name = f"siems_{next(_numbers)}_{id(self)}"

    def __enter__(self) -> str:
        postgres.copy(self._server, self._template, self.name)
        return postgres.text_of(self._server.set(database=self.name))

    def __exit__(self, *error: object) -> None:
        postgres.run(self._server, f"DROP DATABASE {self.name} WITH (FORCE)")


# whoever runs the tests in the background may ignore ctrl+c, and every process started here would inherit that
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
