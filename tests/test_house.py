"""What holds for the repository as a whole: plug-ins load, consoles start light, files stay short, nothing leaks."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import siems
from siems import config
from siems.registry import Registry

ROOT = Path(__file__).resolve().parents[1]
LONGEST_FILE = 330
LONG = {
    # one list each, in which things are looked up
    "src/siems/services/filters.py": 340,
    "src/siems/config.py": 430,
    "src/siems/wire/__init__.py": 580,
    "src/siems/domain/events.py": 480,
    "src/siems/daemon/http/api.py": 365,
    "tests/daemon/test_permission_matrix.py": 630,
    "tests/library/test_services_and_network.py": 335,
    # longer than they should be: these numbers may only fall
    "src/siems/services/observers.py": 340,
    "src/siems/storage/memory.py": 346,
    "scripts/reference.py": 490,
    "tests/tui/test_board.py": 550,
    "tests/daemon/test_webhooks.py": 340,
    "tests/services/test_messages.py": 345,
    "tests/storage/test_migrations.py": 345,
}


def tracked() -> list[Path]:
    """Every file that is in the repository or about to be."""
    said = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=False, capture_output=True, text=True,
    )  # fmt: skip
    if said.returncode != 0:  # an unpacked source archive: what is there
        return [p for folder in ("src", "tests", "migrations") for p in (ROOT / folder).rglob("*.py")]
    return [ROOT / name for name in said.stdout.splitlines() if (ROOT / name).is_file()]


# --- plug-ins --------------------------------------------------------------------------------------------------


def registries() -> list[tuple[str, Registry[object]]]:
    found: list[tuple[str, Registry[object]]] = []
    for module in pkgutil.iter_modules(siems.__path__, "siems."):
        if module.ispkg and not module.name.endswith((".cli", ".tui")):
            held = vars(importlib.import_module(module.name)).items()
            found += [(f"{module.name}.{name}", value) for name, value in held if isinstance(value, Registry)]
    return found


def test_there_are_registries_to_look_at() -> None:
    assert [name for name, _ in registries() if name.endswith("SOURCES")]


@pytest.mark.parametrize(("where", "registry"), registries(), ids=[name for name, _ in registries()])
def test_every_string_of_every_registry_loads(where: str, registry: Registry[object]) -> None:
    for name in registry:
        assert registry.get(name) is not None
        assert getattr(registry.get(name), "name", name) == name
    for alias in registry._aliases:
        assert registry.get(alias) is registry.get(registry._aliases[alias])


# --- settings --------------------------------------------------------------------------------------------------


def test_the_example_is_what_the_code_says_and_means_the_defaults() -> None:
    path = ROOT / "siems.toml.example"
    assert path.read_text() == config.example()
    assert config.load(path) == config.Settings()


def test_every_setting_is_explained() -> None:
    every = list(config.keys())
    assert every
    assert [f"{section}.{key}" for section, key, _, meaning in every if not meaning] == []


# --- consoles start light --------------------------------------------------------------------------------------

HEAVY = (
    "sqlalchemy", "aiohttp", "alembic", "pydantic", "apscheduler", "argon2", "cryptography", "boto3",
    "prometheus_client",
)  # fmt: skip
LIGHT = ("siems", "siems.cli", "siems.client", "siems.tui", "siems.present", "siems.grammar", "siems.tui.app")


@pytest.mark.parametrize("module", LIGHT)
def test_importing_a_console_loads_nothing_of_the_server(module: str) -> None:
    script = f"import sys, json, {module}; print(json.dumps(sorted({{m.split('.')[0] for m in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60)
    loaded = set(json.loads(done.stdout))
    assert not loaded & set(HEAVY)


def test_importing_a_console_loads_no_room_of_the_server() -> None:
    script = "import sys, siems.cli, siems.tui.app; print([m for m in sys.modules if m.startswith('siems.')])"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60)
    for room in ("services", "storage", "daemon", "sources", "clouds", "config"):
        assert f"siems.{room}" not in done.stdout


def test_the_daemon_loads_the_library_of_a_cloud_only_when_it_is_asked() -> None:
    script = "import sys, siems.daemon.http.app, siems.clouds.aws; print('boto3' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout == "False\n"


def test_the_version_is_answered_before_anything_is_imported() -> None:
    script = "import sys, siems.__main__ as m; sys.argv = ['siems', '--version']; m.main(); print(len(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith(f"siems {siems.__version__}")
    assert "typer" not in done.stderr


# --- the files -------------------------------------------------------------------------------------------------

# written apart, so that this file does not find itself
WORDS = tuple(
    "".join(parts)
    for parts in (
        ("/ho", "me/"), ("/ro", "ot/"), ("/wo", "rk/"), ("/Us", "ers/"), ("files.python", "hosted.org"),
        ("artif", "actory"), ("nex", "us.local"), ("--index", "-url"), ("--extra-index", "-url"),
    )
)  # fmt: skip
SECRETS = re.compile(r"AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY-----|ghp_[A-Za-z0-9]{30,}|xox[bp]-[0-9]{8,}")
TEXT = {
    ".py",
    ".md",
    ".toml",
    ".txt",
    ".lock",
    ".sh",
    ".yml",
    ".yaml",
    ".json",
    ".cfg",
    ".ini",
    ".tcss",
    ".example",
    "",
}


def readable(path: Path) -> str:
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return ""


def test_no_tracked_file_names_a_machine_a_registry_or_a_secret() -> None:
    found = []
    for path in tracked():
        if path.suffix in TEXT:
            text = readable(path)
            found += [f"{path.relative_to(ROOT)}: {word}" for word in WORDS if word in text]
            found += [f"{path.relative_to(ROOT)}: a secret" for _ in SECRETS.findall(text)]
    assert not found


def test_files_stay_short_enough_to_be_read() -> None:
    lengths = {
        str(path.relative_to(ROOT)): readable(path).count("\n")
        for path in tracked()
        if path.suffix == ".py" and path.name != "0001_first_schema.py"
    }
    assert {name: n for name, n in lengths.items() if n > LONG.get(name, LONGEST_FILE)} == {}


def test_nothing_waits_in_a_way_that_may_miss_its_cancellation() -> None:
    """`asyncio.wait_for` of Python 3.11 loses one that comes with what it waits for: a daemon would never end."""
    found = [p.name for p in (ROOT / "src").rglob("*.py") if "asyncio.wait_for(" in p.read_text()]
    assert found == [], "use asyncio.timeout"


def test_every_module_opens_with_a_sentence() -> None:
    for path in (ROOT / "src").rglob("*.py"):
        assert readable(path).startswith('"""'), path.name


def test_the_tests_need_nothing_outside_of_the_repository() -> None:
    outside = re.compile(r"""["'](?:/(?:srv|opt|mnt|data)/|~/)""")
    for path in (ROOT / "tests").rglob("*.py"):
        lines = [line for line in readable(path).splitlines() if outside.search(line) and "homebrew" not in line]
        assert not lines, (path.name, lines)


# --- the tests themselves --------------------------------------------------------------------------------------


def test_a_test_that_would_leave_this_machine_fails() -> None:
    with socket.socket() as beyond, pytest.raises(AssertionError, match="tried to reach"):
        beyond.connect(("192.0.2.1", 80))


def test_no_test_sees_the_settings_of_this_machine(tmp_path: Path) -> None:
    assert os.environ["SIEMS_HOME"].startswith(str(tmp_path))
