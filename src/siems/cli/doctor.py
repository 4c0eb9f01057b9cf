"""`siems doctor`: what is wrong, why, and what to do."""

from __future__ import annotations

import os
import shutil
from typing import Any

from siems import errors, places
from siems.cli import process
from siems.cli.context import Door, leaf, new_app
from siems.cli.show import Item, show_one

app = new_app("What is wrong, why, and what to do.")
COMMANDS = ("doctor",)
DISK_FREE = 200 * 1024 * 1024


@app.command()
@leaf
def doctor(door: Door) -> int:
    """Checks settings, database, keys, disk, what a reboot would do, and the daemon; exit 9 when one fails."""
    checks = [_settings(), _database(), _token(), _disk(), _service(), *_daemon(door)]
    found = {"ok": all(check["ok"] for check in checks), "checks": checks}
    show_one(door, found, _lines, id="ok")
    return 0 if found["ok"] else 9


def _check(name: str, ok: bool, cause: str, fix: str = "") -> dict[str, Any]:
    return {"name": name, "ok": ok, "cause": cause, "fix": "" if ok else fix}


def _settings() -> dict[str, Any]:
    file = next((p for p in places.settings_files() if p.exists()), None)
    try:
        process.call("settings")
    except errors.SiemsError as error:
        return _check("settings", False, error.message, error.hint)
    return _check("settings", True, f"read from {file}" if file else "all defaults, there is no siems.toml")


def _database() -> dict[str, Any]:
    try:
        found = process.call("check")
    except errors.SiemsError as error:
        return _check("database file", False, error.message, error.hint)
    return _check("database file", True, f"whole, schema {found['schema']}")


def _token() -> dict[str, Any]:
    file = places.token_file()
    if not file.exists():
        if os.environ.get("SIEMS_TOKEN") or os.environ.get("SIEMS_TOKEN_FILE") or places.session_file().exists():
            return _check("identity", True, "from the session or the environment")
        return _check("identity", False, "this machine has no token and nobody is logged in", "siems login")
    private = file.stat().st_mode & 0o077 == 0
    return _check(
        "identity", private, f"{file} is {'private' if private else 'readable by others'}", f"chmod 600 {file}"
    )


def _disk() -> dict[str, Any]:
    folder = places.data_dir()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    return _check(
        "disk", free > DISK_FREE, f"{free // 2**20} MiB free at {folder}", "make room: alerts cannot be stored"
    )


def _service() -> dict[str, Any]:
    from siems.cli import unit

    ok, cause, fix = unit.comes_back(unit.root())
    return _check("reboot", ok, cause, fix)


def _daemon(door: Door) -> list[dict[str, Any]]:
    try:
        status = door.client.status()
    except errors.SiemsError as error:
        return [_check("daemon", False, error.message, error.hint or "siems up -d")]
    return [_check("daemon", True, f"answers on {status['url']}"), *status["checks"]]


def _lines(found: Item) -> list[str]:
    from siems.present import safe

    lines = []
    for check in found["checks"]:
        lines.append(f"{'ok  ' if check['ok'] else 'FAIL'} {check['name']:<14} {safe(check['cause'])}")
        if not check["ok"] and check["fix"]:
            lines.append(f"     {safe(check['fix'])}")
    return lines
