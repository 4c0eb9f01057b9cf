"""`siems daemon install`: siems as a service of systemd, for the machine or for one person."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from siems import errors
from siems.cli import unit
from siems.cli.context import Door
from siems.cli.show import Item, show_one

HOME = "/var/lib/siems"


def install(door: Door, *, system: bool, user: bool, run_as: str, under: Path | None) -> None:
    """Show the unit, ask, write it, and have it started now and with the machine."""
    if system == user:
        raise errors.UsageError(
            "a service of the machine, or of your own?",
            hint="siems daemon install --system    or    siems daemon install --user",
        )
    root = under or unit.root()
    service = _of_machine(run_as, live=under is None) if system else _of_person()
    file = unit.system_file(root) if system else _person_file(under)
    text = service.text()
    before = file.read_text() if file.exists() else ""
    door.say(f"{file}:\n\n{text}")
    made: dict[str, Any] = {
        "file": str(file), "changed": before != text, "unit": text, "enabled": False, "linger": None, "why": "",
    }  # fmt: skip
    if door.dry_run:
        show_one(door, made, lambda m: ["nothing was written"], id="file")
        return
    door.ask(f"Write {file} and start it?" if under is None else f"Write {file}?", flag="--yes")
    _write(file, text, system=system)
    _link(file, "multi-user.target.wants" if system else "default.target.wants")
    made["enabled"] = True
    if under is None:
        _start(system=system)
        if user:
            made["linger"], made["why"] = _linger(root)
    show_one(door, made, _done, id="file")


def _of_person() -> unit.Service:
    return unit.Service(program=unit.program(), home=os.environ.get("SIEMS_HOME", ""))


def _of_machine(run_as: str, *, live: bool) -> unit.Service:
    """Raises Conflict where the user that it is to run as is not there."""
    home = os.environ.get("SIEMS_HOME") or HOME
    if run_as == "root":
        raise errors.UsageError("siems does not run as root", hint="siems daemon install --system --run-as siems")
    if live:
        _known(run_as, home)
    program = unit.program()
    private = any(path.startswith(unit.HOMES) for path in (program, home))
    return unit.Service(program=program, home=home, user=run_as, in_homes=private)


def _known(name: str, home: str) -> None:
    import pwd

    try:
        pwd.getpwnam(name)
    except KeyError as why:
        raise errors.Conflict(
            f"there is no user {name!r} on this machine",
            hint=f"sudo useradd --system --home-dir {home} --shell /usr/sbin/nologin {name}",
        ) from why


def _person_file(under: Path | None) -> Path:
    file = unit.user_file()
    return file if under is None else under / str(file).lstrip("/")


def _write(file: Path, text: str, *, system: bool) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o644)
    except PermissionError as why:
        raise errors.Forbidden(
            f"{file} cannot be written",
            hint="sudo siems daemon install --system" if system else "siems daemon install --user",
        ) from why


def _link(file: Path, target: str) -> None:
    """What `systemctl enable` does, so that it holds in an image too."""
    link = file.parent / target / file.name
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(f"../{file.name}")


def _start(*, system: bool) -> None:
    """Have systemd read the unit and start it. Raises Conflict with what it says when it refuses."""
    manager = ["systemctl"] if system else ["systemctl", "--user"]
    for words in (["daemon-reload"], ["enable", "siems"], ["restart", "siems"]):
        why = _run([*manager, *words])
        if why:
            raise errors.Conflict(
                f"the unit is written, but {' '.join([*manager, *words])} failed: {why}",
                hint="journalctl -u siems" if system else "journalctl --user -u siems",
            )


def _linger(root: Path) -> tuple[bool, str]:
    """Let this person's services run without a login; (whether they do, why not)."""
    name = unit.user_name()
    if unit.lingers(root, name):
        return True, ""
    why = _run(["loginctl", "enable-linger", name])
    return not why, why


def _run(words: list[str]) -> str:
    """Run a program of systemd; empty when it went well, else what it says."""
    found = shutil.which(words[0])
    if found is None:
        return f"there is no {words[0]} here"
    done = subprocess.run([found, *words[1:]], capture_output=True, text=True, check=False, timeout=120)  # noqa: S603
    if done.returncode == 0:
        return ""
    return (done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}").splitlines()[-1]


def _done(made: Item) -> list[str]:
    lines = [f"{made['file']} is {'written' if made['changed'] else 'as it was'}; it starts with the machine"]
    if made["linger"] is True:
        lines.append("it runs without a login, too: you linger")
    if made["linger"] is False:
        name = unit.user_name()
        lines += [
            f"it ends with your last session: lingering could not be switched on ({made['why']})",
            f"  ask an admin:  sudo loginctl enable-linger {name}",
        ]
    return [*lines, "see:  siems daemon status --wait 10s"]
