"""Backups and what comes back from them, as `python -m siems.daemon` makes them; on both databases."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from services.posting import Post
from services.world import ACME, ROOT, World
from siems import places
from siems.clock import ManualClock
from siems.config import load
from siems.daemon.main import main
from siems.domain.checkpoint import witness
from siems.errors import Forbidden
from siems.services import delivery, pausing, trail
from siems.storage.backups import name_of
from siems.storage.checkpoint_file import CheckpointFile
from siems.storage.database import parse_url
from siems.vocabulary import MSP, Role


@pytest.fixture
def world(database_url: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> World:
    """A small MSP whose daemon is stopped by whoever needs that."""
    monkeypatch.setenv("SIEMS_DATABASE_URL", database_url)
    return World(database_url, clock)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """One of the daemon's commands: what it says, or the error that it ends with."""

    def call(*words: str) -> dict[str, Any]:
        capsys.readouterr()
        code = main([*words])
        said = capsys.readouterr()
        found: dict[str, Any] = json.loads((said.err if code else said.out).strip().splitlines()[-1])
        return found

    return call


def proof(world: World) -> Any:
    lines = CheckpointFile(load().audit.file).lines()
    return world.database.read_now(trail.verify_all, ROOT, witness(lines))


def entries(world: World) -> int:
    return world.count("audit_entry")


def test_what_was_acknowledged_before_a_backup_is_there_after_it_was_put_back(
    world: World, run: Any, tmp_path: Path
) -> None:
    for number in range(5):
        world.fires(f"before-{number}")
    stop = threading.Event()

    def load_on() -> None:
        number = 0
        while not stop.is_set():
            world.fires(f"meanwhile-{number}")
            number += 1

    sender = threading.Thread(target=load_on)
    sender.start()
    try:
        made = [run("backup", str(tmp_path / f"b{number}")) for number in range(3)]
    finally:
        stop.set()
        sender.join()
    assert all(one["signed"] and one["entries"] > 0 for one in made)
    assert made[0]["entries"] <= made[2]["entries"] <= entries(world)
    world.fires("after")
    late = entries(world)
    world.stop()
    told = run("restore", str(tmp_path / "b1"), "--reason", "the disk died")
    assert sum(told["lost"].values()) <= late
    again = World(world.url, world.clock, furnished=True)
    try:
        found = proof(again)
        assert found.ok
        assert [one.source for one in found.restored] == ["b1"]
        assets = {row["asset_name"] for row in again.rows("SELECT asset_name FROM alert")}
        assert assets >= {f"before-{number}" for number in range(5)}
        assert "after" not in assets
        [entry] = again.rows("SELECT reason FROM audit_entry WHERE action = 'database.restored'")
        assert entry["reason"] == "the disk died"
        again.fires("later")
        assert proof(again).ok
        _keeps_to_itself(again)
    finally:
        again.stop()


def _keeps_to_itself(world: World) -> None:
    """It sends nothing until somebody says so; then what waited goes."""
    Post(world)
    world.fires("at-night", severity="CRITICAL")
    world.passes(minutes=30)
    assert world.count("message", "state = 'pending'") > 0
    slots = {"email": 4, "sms": 4}
    assert world.do(delivery.claim, "here", slots, companies=(MSP,)) == []
    assert world.database.read_now(delivery.next_send) is None
    assert world.database.read_now(delivery.overdue, world.clock.now()) == 0, "it is not late, it waits"
    assert [check.name for check in world.database.read_now(pausing.pause_check)] == ["paused"]
    with pytest.raises(Forbidden):
        world.do(pausing.resume, world.hire("mara", Role.MANAGER, ACME), "", companies=(MSP,))
    assert world.do(pausing.resume, ROOT, "the old machine is gone", companies=(MSP,))
    assert not world.do(pausing.resume, ROOT, "", companies=(MSP,))
    assert world.do(delivery.claim, "here", slots, companies=(MSP,))
    assert world.database.read_now(pausing.pause_check) == []


def test_a_database_that_was_put_back_by_other_means_is_declared(world: World, run: Any, tmp_path: Path) -> None:
    """What nobody declares is a log that was cut off."""
    world.fires("one")
    run("backup", str(tmp_path / "b"))
    world.fires("two")
    run("backup", str(tmp_path / "later"))
    world.stop()
    _put_back(world.url, tmp_path / "b")
    again = World(world.url, world.clock, furnished=True)
    found = proof(again)
    assert not found.ok
    [acme] = [chain for chain in found.chains if not chain.ok]
    assert (acme.damage, "if you have put that back:  siems db restored" in str(acme.explanation)) == (
        "truncated",
        True,
    )
    again.stop()
    told = run("restored", "--source", "a snapshot", "--reason", "moved")
    assert told["lost"] == {"comp-acme": 1 + acme.signed - acme.seq}
    again = World(world.url, world.clock, furnished=True)
    try:
        assert proof(again).ok
    finally:
        again.stop()


def _put_back(url: str, backup: Path) -> None:
    import subprocess

    if parse_url(url).get_backend_name() == "sqlite":
        Path(url).write_bytes(backup.read_bytes())
        for end in ("-wal", "-shm"):
            Path(f"{url}{end}").unlink(missing_ok=True)
        return
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    subprocess.run(["pg_restore", "--clean", "--if-exists", "--no-owner", f"--dbname={plain}", str(backup)], check=True)


def test_another_history_has_to_be_called_one(world: World, run: Any, tmp_path: Path, clock: ManualClock) -> None:
    world.fires("one")
    run("backup", str(tmp_path / "b"))
    file = CheckpointFile(load().audit.file)
    world.stop()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from siems.domain.checkpoint import Kind, Statement, public_text, signed, written
    from siems.storage.signing_key import read_key

    key = read_key(places.audit_key_file())
    assert isinstance(key, Ed25519PrivateKey)
    other = Statement(
        kind=Kind.CHECKPOINT, at="2026-03-10T12:00:00Z", chains={"msp": (1, "0" * 64)}, key=public_text(key)
    )
    file.replace([written(signed(other, key))])
    refused = run("restored")
    assert refused["error"]["code"] == "conflict"
    assert "siems db restored --anew" in refused["error"]["hint"]
    assert run("restored", "--anew", "--reason", "a new start")["anew"]
    again = World(world.url, world.clock, furnished=True)
    try:
        found = proof(again)
        assert (found.ok, found.restored[-1].anew) == (True, True)
    finally:
        again.stop()


def test_a_new_key_takes_over_with_the_word_of_the_old_one(world: World, run: Any, tmp_path: Path) -> None:
    run("backup", str(tmp_path / "b"))
    world.stop()
    old = places.audit_key_file().read_text()
    told = run("audit-key", "--reason", "yearly")
    assert places.audit_key_file().read_text() != old
    assert places.audit_key_file().stat().st_mode & 0o777 == 0o600
    lines = CheckpointFile(load().audit.file).lines()
    assert witness(lines, trusted=told["key"]).unvouched == []
    assert run("audit-key", "--lost")["error"]["message"].startswith("the key is not lost")
    places.audit_key_file().unlink()
    assert "rotate-key --lost" in run("audit-key")["error"]["hint"]
    assert "is gone" in run("restored")["error"]["message"]
    lost = run("audit-key", "--lost", "--reason", "the disk died")
    found = witness(CheckpointFile(load().audit.file).lines(), trusted=lost["key"])
    assert found.unvouched == [json.loads(lines[0])["key"], told["key"]]
    assert found.heads(), "what was signed before binds as before"


def test_a_change_of_the_key_that_was_cut_off_goes_on(world: World, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    world.stop()
    run("audit-key")
    real = os.replace

    def cut(source: Any, target: Any) -> None:
        if str(target).endswith("audit.key"):
            raise KeyboardInterrupt
        real(source, target)

    monkeypatch.setattr("siems.daemon.recovery.os.replace", cut)
    assert main(["audit-key"]) == 130
    monkeypatch.setattr("siems.daemon.recovery.os.replace", real)
    waiting = CheckpointFile(load().audit.file).lines()
    told = run("audit-key")
    lines = CheckpointFile(load().audit.file).lines()
    assert len(lines) == len(waiting), "the key that was made is used, no other"
    assert witness(lines, trusted=told["key"]).unvouched == []


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\x00 but no more"])
def test_what_is_no_backup_takes_no_place(
    sqlite_template: Path, run: Any, tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, bad = tmp_path / "siems.db", tmp_path / "bad"
    place.write_bytes(sqlite_template.read_bytes())
    monkeypatch.setenv("SIEMS_DATABASE_URL", str(place))
    bad.write_bytes(content)
    assert run("restore", str(bad))["error"]["exit"] in (2, 6)
    assert run("restore", str(tmp_path / "nowhere"))["error"]["exit"] == 2
    with closing(sqlite3.connect(place)) as connection:
        assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
    assert name_of(parse_url(str(place))) == "siems.db"
