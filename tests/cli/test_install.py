"""`siems daemon install`, and what `doctor` says about a reboot: all files lie below a folder of the test."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from house import House
from siems.cli import unit

ROOT = Path(__file__).resolve().parents[2]
SYSTEM = "etc/systemd/system"


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = House(tmp_path / "m", XDG_CONFIG_HOME=str(tmp_path / "xdg"))
    made.home.mkdir()
    return made


@pytest.fixture
def programs(tmp_path: Path) -> Callable[..., Path]:
    """Makes programs of systemd that write down how they are called, and fail where that is asked for."""

    def make(*, fails: str = "") -> Path:
        folder = tmp_path / "bin"
        folder.mkdir()
        for name in ("systemctl", "loginctl"):
            file = folder / name
            end = "echo 'not allowed' >&2; exit 1\n" if fails == name else "exit 0\n"
            file.write_text(f'#!/bin/sh\necho "{name} $*" >> {tmp_path}/called\n{end}')
            file.chmod(0o755)
        return folder

    return make


def called(tmp_path: Path) -> list[str]:
    file = tmp_path / "called"
    return file.read_text().splitlines() if file.exists() else []


def machine(root: Path) -> Path:
    """A machine that systemd runs."""
    (root / "run/systemd/system").mkdir(parents=True)
    return root


# --- writing ---------------------------------------------------------------------------------------------------


def test_a_unit_for_the_machine_is_shown_written_and_enabled(house: House, tmp_path: Path) -> None:
    root = tmp_path / "image"
    ran = house.run("daemon", "install", "--system", "--root", str(root), "--yes")
    file = root / SYSTEM / "siems.service"
    text = file.read_text()
    assert text in ran.out
    for line in ("Type=notify", "Restart=always", "WatchdogSec=45", "StartLimitIntervalSec=0", "User=siems"):
        assert line in text.splitlines()
    assert f"SIEMS_HOME={house.home}" in text
    link = root / SYSTEM / "multi-user.target.wants" / "siems.service"
    assert link.resolve() == file
    again = house.json("daemon", "install", "--system", "--root", str(root), "--yes")
    assert again["changed"] is False


def test_nothing_is_written_without_a_yes(house: House, tmp_path: Path) -> None:
    root = tmp_path / "image"
    words = ("daemon", "install", "--system", "--root", str(root))
    assert "--yes" in house.run(*words, exit=2).err
    house.run(*words, "--dry-run")
    assert not root.exists()
    shown = house.terminal(*words, answers=[("Write", "n\n")])
    assert shown.code == 130
    assert not root.exists()
    house.terminal(*words, answers=[("Write", "y\n")])
    assert (root / SYSTEM / "siems.service").exists()


@pytest.mark.parametrize("flags", [(), ("--system", "--user")])
def test_it_has_to_be_said_whose_service_it_is(house: House, flags: tuple[str, ...]) -> None:
    assert "--user" in house.run("daemon", "install", *flags, exit=2).err.splitlines()[-1]


def test_it_does_not_run_as_root_nor_as_somebody_who_is_not_there(house: House, tmp_path: Path) -> None:
    words = ("daemon", "install", "--system", "--yes")
    house.run(*words, "--run-as", "root", "--root", str(tmp_path / "image"), exit=2)
    said = house.run(*words, "--run-as", "nobody-of-this-name", exit=6).err
    assert "useradd --system" in said.splitlines()[-1]


def test_a_service_of_ones_own_is_started_and_lingers(
    house: House, tmp_path: Path, programs: Callable[..., Path]
) -> None:
    house.env["PATH"] = f"{programs()}:{house.env['PATH']}"
    made = house.json("daemon", "install", "--user", "--yes")
    assert Path(made["file"]) == tmp_path / "xdg/systemd/user/siems.service"
    assert made["linger"] is True
    assert called(tmp_path) == [
        "systemctl --user daemon-reload", "systemctl --user enable siems", "systemctl --user restart siems",
        f"loginctl enable-linger {unit.user_name()}",
    ]  # fmt: skip
    assert "User=" not in Path(made["file"]).read_text()


def test_where_it_may_not_linger_it_says_why(house: House, tmp_path: Path, programs: Callable[..., Path]) -> None:
    house.env["PATH"] = f"{programs(fails='loginctl')}:{house.env['PATH']}"
    said = house.run("daemon", "install", "--user", "--yes").out
    assert "could not be switched on (not allowed)" in said
    assert f"sudo loginctl enable-linger {unit.user_name()}" in said


def test_a_systemd_that_refuses_is_quoted(house: House, tmp_path: Path, programs: Callable[..., Path]) -> None:
    house.env["PATH"] = f"{programs(fails='systemctl')}:{house.env['PATH']}"
    said = house.run("daemon", "install", "--user", "--yes", exit=6).err
    assert "not allowed" in said
    assert "journalctl --user" in said.splitlines()[-1]


# --- the unit itself -------------------------------------------------------------------------------------------

SHIPPED = unit.Service(program="/opt" + "/siems/bin/siems", home="/var/lib/siems", user="siems")


def test_the_unit_that_ships_is_the_one_that_is_written() -> None:
    assert (ROOT / "deploy/siems.service").read_text() == SHIPPED.text()


def test_homes_are_hidden_unless_siems_lies_in_one() -> None:
    assert "ProtectHome=true" in SHIPPED.text()
    assert "ProtectHome=read-only" in unit.Service(program="p", home="/h", user="u", in_homes=True).text()
    assert "ReadWritePaths=/srv" in unit.Service(program="p", home="/srv" + "/siems", user="u").text()


def test_the_exposure_of_the_service_is_small(tmp_path: Path) -> None:
    """D1. Where there is no systemd-analyze, the lines that it would ask for are looked at."""
    file = tmp_path / "siems.service"
    file.write_text(SHIPPED.text())
    for line in ("NoNewPrivileges=true", "ProtectSystem=strict", "CapabilityBoundingSet=", "PrivateDevices=true"):
        assert line in SHIPPED.text().splitlines()
    program = shutil.which("systemd-analyze")
    if program is None:
        return
    said = subprocess.run(
        [program, "security", "--offline=true", "--no-pager", str(file)], capture_output=True, text=True, check=False
    )
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", said.stdout)
    if found is None:  # an older one that cannot judge a file
        return
    assert float(found[1]) <= 2.5


def test_systemd_understands_every_line(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    for service in (SHIPPED, unit.Service(program=unit.program())):
        assert [line for line in service.text().splitlines() if line and not re.match(r"[#\[]|[A-Z]\w+=", line)] == []
        if program is None:
            continue
        file = tmp_path / "siems.service"
        file.write_text(service.text())
        said = subprocess.run([program, "verify", str(file)], capture_output=True, text=True, check=False)
        assert [line for line in said.stderr.splitlines() if "not executable" not in line and str(file) in line] == []


# --- a reboot --------------------------------------------------------------------------------------------------


def verdict(root: Path) -> tuple[bool, str]:
    ok, cause, fix = unit.comes_back(root)
    return ok, f"{cause}; {fix}"


def test_without_systemd_nobody_can_tell(tmp_path: Path) -> None:
    assert verdict(tmp_path)[0] is True


def test_a_machine_on_which_nothing_starts_siems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    ok, said = verdict(machine(tmp_path / "r"))
    assert not ok
    assert "siems daemon install" in said


def test_a_service_of_the_machine_must_be_enabled_and_have_its_program(house: House, tmp_path: Path) -> None:
    root = machine(tmp_path / "r")
    house.run("daemon", "install", "--system", "--root", str(root), "--yes")
    ok, said = verdict(root)
    assert not ok
    assert "is not there" in said
    program = root / unit.program().split()[0].lstrip("/")
    program.parent.mkdir(parents=True)
    program.touch()
    assert verdict(root)[0] is True
    (root / SYSTEM / "multi-user.target.wants/siems.service").unlink()
    ok, said = verdict(root)
    assert not ok
    assert "systemctl enable" in said


def test_a_service_of_ones_own_must_linger(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = machine(tmp_path / "r")
    xdg = tmp_path / "xdg"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(xdg))
    file = xdg / "systemd/user/siems.service"
    file.parent.mkdir(parents=True)
    file.write_text(unit.Service(program="/bin/siems").text())
    (root / "bin").mkdir()
    (root / "bin/siems").touch()
    assert "systemctl --user enable" in verdict(root)[1]
    wants = file.parent / "default.target.wants"
    wants.mkdir()
    (wants / "siems.service").symlink_to("../siems.service")
    assert "loginctl enable-linger" in verdict(root)[1]
    linger = root / "var/lib/systemd/linger"
    linger.mkdir(parents=True)
    (linger / unit.user_name()).touch()
    assert verdict(root)[0] is True


def test_doctor_fails_where_siems_would_not_come_back(house: House, tmp_path: Path) -> None:
    house.env["SIEMS_SYSTEM_ROOT"] = str(machine(tmp_path / "r"))
    ran = house.run("doctor", "--json", exit=9)
    check = next(c for c in ran.json["checks"] if c["name"] == "reboot")
    assert check["ok"] is False
    assert "siems daemon install" in check["fix"]
