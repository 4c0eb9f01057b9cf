"""A year with the record: it is backed up, somebody edits it, it is put back, and an auditor gets a part of it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from house import House


def test_what_was_done_to_the_record_comes_out_and_a_backup_is_no_crime(tmp_path: Path) -> None:
    house = House(tmp_path / "home").set_up().up()
    try:
        _a_year(house, tmp_path)
    finally:
        house.stop()


def _a_year(house: House, tmp_path: Path) -> None:
    acme = house.onboard("Acme")
    for number in range(3):
        acme.alert(f"problem_{number}")
    backup = tmp_path / "monday.db"
    said = house.run("db", "backup", "--out", str(backup))
    assert "entries of the audit log" in said.out
    acme.alert("after_the_backup")
    house.stop()

    # somebody who owns the database, and knows what the hashes are made of
    with closing(sqlite3.connect(house.home / "data" / "siems.db", isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER audit_entry_no_delete")
        last = connection.execute(
            "SELECT seq, hash FROM audit_entry WHERE chain = ? AND seq = 2", (acme.id,)
        ).fetchone()
        connection.execute("DELETE FROM audit_entry WHERE chain = ? AND seq > 2", (acme.id,))
        connection.execute("UPDATE audit_head SET seq = ?, hash = ? WHERE chain = ?", (*last, acme.id))
    house.up()
    bad = house.run("audit", "verify", exit=9)
    [line] = [line for line in bad.lines if line.startswith(acme.id)]
    assert "BROKEN at 3: truncated" in line
    assert "the record is NOT whole" in bad.out
    house.run("doctor", exit=9)

    house.stop()
    assert "--confirm siems.db" in house.run("db", "restore", str(backup), exit=2).err
    done = house.run("db", "restore", str(backup), "--confirm", "siems.db", "--reason", "tampered with")
    assert f"of {acme.id}" in done.out
    house.up()
    good = house.run("audit", "verify")
    assert f"from monday.db: without {acme.id}" in good.out
    assert "siems db resume" in house.run("doctor", exit=9).out
    house.run("db", "resume", "--reason", "all is well")
    assert house.run("db", "resume").out == "nothing was paused\n"

    # an auditor, on another machine, without any of this
    file = tmp_path / "acme.jsonl"
    house.run("audit", "export", "--company", "acme", "--out", str(file))
    key = house.run("audit", "key").lines[0]
    auditor = House(tmp_path / "auditor")
    auditor.home.mkdir()
    verdict = auditor.run("audit", "verify", str(file), "--key", key, "--json")
    assert (verdict.json["ok"], verdict.json["trusted"]) == (True, True)
    assert "is that the key of whoever gave it to you?" in auditor.run("audit", "verify", str(file)).out
    lines = file.read_text().splitlines()
    lines[-1] = json.dumps(json.loads(lines[-1]) | {"actor": "user-eve"})
    file.write_text("\n".join(lines) + "\n")
    forged = auditor.run("audit", "verify", str(file), "--key", key, "--json", exit=9)
    assert forged.json["chains"][0]["damage"] == "edited"
    auditor.run("audit", "verify", str(tmp_path / "nowhere"), "--key", key, exit=2)
    auditor.run("audit", "verify", str(file), "--key", "short", exit=2)
