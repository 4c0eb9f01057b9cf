"""What goes wrong before or while a daemon starts: each is said clearly, with the next step, and breaks nothing."""

from __future__ import annotations

import signal
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from house import PASSWORD, House, free_port

Prepared = Callable[..., House]


def refused(house: House, *, exit: int, twice: bool = False) -> str:
    """Why it does not start. `twice`: behind and in the foreground, for scripts and for people, in the same words."""
    before = house.run("up", exit=exit).err
    assert before.startswith("error: ")
    if twice:
        behind = house.run("up", "-d", "--json", exit=exit).error
        assert str(behind["message"]) in before
        assert str(behind["hint"]) == before.splitlines()[-1].strip()
    return before


def test_nothing_is_set_up_yet(machine: House) -> None:
    assert "siems init" in refused(machine, exit=6, twice=True).splitlines()[-1]
    assert "siems init" in machine.run("incident", "list", exit=10).err.splitlines()[-1]
    machine.run("doctor", exit=9)
    assert machine.run("daemon", "stop").out == "no daemon runs here\n"
    machine.run("daemon", "logs", exit=0)


def test_a_password_that_is_too_short_leaves_nothing_behind(machine: House) -> None:
    words = ("init", "--admin", "dana@msp.example", "--listen", f"127.0.0.1:{free_port()}")
    machine.run(*words, exit=2, env={"SIEMS_PASSWORD": "short"})
    machine.run(*words, env={"SIEMS_PASSWORD": PASSWORD})
    machine.run(*words, exit=6)


def test_a_second_daemon_on_the_same_file_names_the_first(prepared: Prepared, tmp_path: Path) -> None:
    house = prepared().up()
    elsewhere = House(tmp_path / "e", SIEMS_DATABASE_URL=str(house.home / "data" / "siems.db"))
    elsewhere.home.mkdir()
    said = refused(elsewhere, exit=6, twice=True)
    assert f"process {house.pid}" in said
    assert "siems daemon stop" in said.splitlines()[-1]
    other = str(free_port())
    assert f"siems daemon restart --port {other}" in house.run("up", "-d", "--port", other, exit=6).err
    house.run("daemon", "restart", "--port", other)
    assert house.json("daemon", "status")["url"].endswith(f":{other}")


def test_a_taken_port(prepared: Prepared) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refused(prepared(SIEMS_SERVER_PORT=str(port)), exit=6)
    assert f"cannot listen on 127.0.0.1:{port}" in said
    assert "siems up --port" in said.splitlines()[-1]


@pytest.mark.parametrize(
    ("text", "cause", "hint"),
    [
        ("[server]\nprot = 1\n", "'server.prot'", "server.port"),
        ("[sever]\nport = 1\n", "'sever'", "server"),
        ("[correlation]\nwindow_minutes = 1\n", "correlation.window_minutes", "siems.toml.example"),
        ("[server\n", "not valid TOML", "siems.toml.example"),
    ],
)
def test_a_mistake_in_the_settings(prepared: Prepared, text: str, cause: str, hint: str) -> None:
    house = prepared()
    (house.home / "config" / "siems.toml").write_text(text)
    said = refused(house, exit=2)
    assert cause in said
    assert hint in said.splitlines()[-1]


@pytest.mark.parametrize("variable", ["SIEMS_SERVER_PROT", "SIEMS_DATABSE_URL"])
def test_a_mistake_in_the_name_of_a_variable(prepared: Prepared, variable: str) -> None:
    said = refused(prepared(**{variable: "1"}), exit=2)
    assert variable in said
    assert "did you mean SIEMS_" in said.splitlines()[-1]


def test_a_newer_database(prepared: Prepared) -> None:
    house = prepared()
    database = sqlite3.connect(house.home / "data" / "siems.db")
    database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.commit()
    database.close()
    assert "newer" in refused(house, exit=6)
    house.run("db", "check", exit=6)
    house.run("db", "upgrade", exit=6)


def test_a_damaged_database(prepared: Prepared) -> None:
    house = prepared()
    (house.home / "data" / "siems.db").write_bytes(b"this was a database once" * 400)
    said = refused(house, exit=6)
    assert "backup" in said.splitlines()[-1]
    house.run("db", "check", exit=6)
    house.run("doctor", exit=9)


def test_a_locked_database(prepared: Prepared) -> None:
    house = prepared()
    database = sqlite3.connect(house.home / "data" / "siems.db", isolation_level=None)
    database.execute("BEGIN EXCLUSIVE")
    try:
        said = house.run("up", "-d", exit=10).err
    finally:
        database.close()
    assert "locked" in said or "busy" in said


def test_a_token_file_that_is_wrong_or_missing(prepared: Prepared, tmp_path: Path) -> None:
    house = prepared().up()
    named = {"SIEMS_TOKEN_FILE": str(tmp_path / "token")}
    assert "cannot be read" in house.run("whoami", exit=4, env=named).err
    (tmp_path / "token").write_text("nobody\n")
    assert str(tmp_path / "token") in house.run("whoami", exit=4, env=named).err
    (tmp_path / "token").write_bytes((house.home / "config" / "token").read_bytes())
    assert house.json("whoami", env=named)["id"] == "user-dana"
    (house.home / "config" / "token").chmod(0o644)
    assert "chmod 600" in house.run("doctor", exit=9).out
    (house.home / "config" / "token").unlink()
    assert "siems login" in house.run("whoami", exit=4).err.splitlines()[-1]


def test_ctrl_c_ends_a_daemon_in_the_foreground_well(prepared: Prepared) -> None:
    house = prepared()
    with house.start("up") as daemon:
        house.run("daemon", "status", "--wait", "15s")
        daemon.send_signal(signal.SIGINT)
        _, said = daemon.communicate(timeout=20)
    assert daemon.returncode == 0
    assert "Traceback" not in said
    assert not (house.home / "state" / "daemon.json").exists()
