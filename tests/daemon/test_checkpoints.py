"""The daemon signs its audit log outside of the database; whatever hinders it is said, and alerts go on being taken."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from siems import places
from siems.clock import ManualClock
from siems.domain.audit_file import examine
from siems.storage.signing_key import new_key, read_key, write_key
from siems.vocabulary import MSP, Role

from .house import House


async def turn(house: House, clock: ManualClock, **later: float) -> None:
    clock.advance(**(later or {"minutes": 1}))
    await house.runtime.checkpoints.turn()


def statements(house: House) -> list[dict[str, Any]]:
    return [json.loads(line) for line in house.runtime.checkpoints.file.lines()]


async def proof(house: House) -> dict[str, Any]:
    return dict((await house.ask("root", "POST", "/audit/verify", {})).json())


async def check(house: House) -> tuple[bool, str]:
    """The line of `doctor`."""
    found = (await house.ask("root", "GET", "/status")).json()["checks"]
    [one] = [line for line in found if line["name"] == "audit log"]
    return one["ok"], f"{one['cause']} {one['fix']}"


async def spoil(house: House, statement: str) -> None:
    """As somebody who has the database, not the daemon."""
    engine = house.runtime.database._write_engine
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(text("DROP TRIGGER IF EXISTS audit_entry_no_update"))
            connection.execute(text("DROP TRIGGER IF EXISTS audit_entry_no_delete"))
        else:
            connection.execute(text("DROP TRIGGER IF EXISTS audit_entry_guard ON audit_entry"))
        for part in statement.split(";"):
            connection.execute(text(part))


@pytest.fixture
def works(house: House) -> House:
    house.runtime.checkpoints.tell = house.runtime.watch.tell
    return house


async def test_what_is_new_is_signed_and_what_is_not_is_not_signed_again(works: House, clock: ManualClock) -> None:
    await turn(works, clock)
    first = len(statements(works))
    await turn(works, clock)
    assert len(statements(works)) == first
    await works.alert()
    await turn(works, clock)
    [*_, last] = statements(works)
    assert len(statements(works)) == first + 1
    assert list(last["chains"]) == ["comp-acme"]
    await turn(works, clock, hours=1)
    assert statements(works)[-1]["full"], "each hour all chains, so that older ones can go"
    found = await proof(works)
    assert found["ok"]
    assert {chain["chain"]: chain["signed"] for chain in found["chains"]}.keys() >= {"msp", "comp-acme"}
    assert found["witness"]["ok"]
    assert found["witness"]["statements"] == len(statements(works))
    assert (await check(works))[0]


async def test_key_and_file_are_for_their_owner_and_outside_of_the_data(works: House, clock: ManualClock) -> None:
    await turn(works, clock)
    for path in (places.audit_key_file(), works.runtime.checkpoints.file.path):
        assert path.stat().st_mode & 0o777 == 0o600
        assert not path.is_relative_to(places.data_dir())
    os.chmod(places.audit_key_file(), 0o644)
    assert await check(works) == (False, f"the key {places.audit_key_file()} can be read by others chmod 600"
                                         f" {places.audit_key_file()}")  # fmt: skip


async def test_a_file_that_cannot_be_written_hinders_no_alert_and_is_said(
    works: House, clock: ManualClock, tmp_path: Path
) -> None:
    await turn(works, clock)
    await works.alert()
    file = works.runtime.checkpoints.file
    good, file.path = file.path, tmp_path / "a file" / "checkpoints"
    (tmp_path / "a file").write_text("")
    for _ in range(7):
        await turn(works, clock)
        assert (await works.alert({**_alert(), "signature": "other"})).status == 202
    ok, said = await check(works)
    assert not ok
    assert "checkpoints cannot be" in said
    assert "signed until 2026-03-10 12:01:00 UTC" in said
    found = await proof(works)
    assert not found["witness"]["ok"]
    titles = [i["title"] for i in (await works.ask("root", "GET", "/incidents")).json()["items"]]
    assert any("not signed" in title for title in titles)
    file.path = good
    await turn(works, clock)
    assert (await check(works))[0]
    assert (await proof(works))["ok"]


def _alert() -> dict[str, Any]:
    return {"asset_name": "db-1", "signature": "x", "severity": "low", "message": "m", "tool_source": "t"}


async def test_a_lost_key_is_not_replaced_in_silence(works: House, clock: ManualClock) -> None:
    await turn(works, clock)
    path = places.audit_key_file()
    key = read_key(path)
    assert key is not None
    path.unlink()
    works.runtime.checkpoints._key = None  # a daemon that starts
    await turn(works, clock)
    assert not path.exists()
    ok, said = await check(works)
    assert (ok, "is gone, and checkpoints were signed with it" in said, "rotate-key --lost" in said) == (
        False, True, True,
    )  # fmt: skip
    assert (await works.ask("root", "POST", "/audit/export", {})).status == 503
    write_key(path, new_key())
    await turn(works, clock)
    assert "another one than that which signed so far" in (await check(works))[1]
    write_key(path, key)
    await turn(works, clock)
    assert (await check(works))[0]


@pytest.mark.parametrize("text", ["", "no key", "-----BEGIN X-----\nx\n-----END X-----\n"])
async def test_a_key_that_is_none_is_said(works: House, clock: ManualClock, text: str) -> None:
    await turn(works, clock)
    places.audit_key_file().write_text(text)
    works.runtime.checkpoints._key = None
    await turn(works, clock)
    ok, said = await check(works)
    assert (ok, "holds no key" in said) == (False, True)


async def test_an_audit_log_that_was_cut_off_is_an_incident_within_a_minute_and_is_never_signed(
    works: House, clock: ManualClock
) -> None:
    await works.alert()
    await turn(works, clock)
    before = len(statements(works))
    await spoil(works, "DELETE FROM audit_entry WHERE chain = 'comp-acme' AND seq > 1;"
                       "UPDATE audit_head SET seq = 1, hash = (SELECT hash FROM audit_entry"
                       " WHERE chain = 'comp-acme' AND seq = 1) WHERE chain = 'comp-acme'")  # fmt: skip
    await turn(works, clock)
    [incident] = [i for i in (await works.ask("root", "GET", "/incidents")).json()["items"] if i["company_id"] == MSP]
    assert incident["severity"] == "CRITICAL"
    ok, said = await check(works)
    assert (ok, "comp-acme is truncated at 2" in said) == (False, True)
    await turn(works, clock)
    assert all("comp-acme" not in one["chains"] for one in statements(works)[before:])
    found = await proof(works)
    [acme] = [chain for chain in found["chains"] if chain["chain"] == "comp-acme"]
    assert (found["ok"], acme["damage"], acme["seq"]) == (False, "truncated", 2)


async def test_a_file_that_was_taken_away_is_missed_and_a_torn_line_is_not(works: House, clock: ManualClock) -> None:
    await turn(works, clock)
    before = len(statements(works))
    path = works.runtime.checkpoints.file.path
    with open(path, "a") as file:
        file.write('{"at": "2026-')  # the power was gone while it was written
    await works.alert()
    await turn(works, clock)
    assert len(statements(works)) == before + 1
    assert (await check(works))[0]
    path.unlink()
    await turn(works, clock)
    ok, said = await check(works)
    assert (ok, "was taken away; a new one has begun" in said) == (False, True)
    assert statements(works)[0]["full"]


async def test_lines_that_were_changed_are_said(works: House, clock: ManualClock) -> None:
    await works.alert()
    await turn(works, clock)
    path = works.runtime.checkpoints.file.path
    spoilt = next(n for n, line in enumerate(path.read_text().splitlines(), 1) if "comp-acme" in line)
    path.write_text(path.read_text().replace("comp-acme", "comp-beta", 1))
    await turn(works, clock)
    assert "not as they were signed" in (await check(works))[1]
    assert (await proof(works))["witness"]["bad_lines"] == [spoilt]


async def test_old_checkpoints_make_room_and_bind_as_before(works: House, clock: ManualClock) -> None:
    for _ in range(5 * 24):
        await turn(works, clock, hours=1)
    await turn(works, clock, hours=24)
    many = len(statements(works))
    await turn(works, clock, hours=40 * 24)
    await turn(works, clock, minutes=1)
    assert len(statements(works)) < many / 2
    assert (await proof(works))["ok"]


# --- over HTTP -------------------------------------------------------------------------------------------------


async def export(house: House, who: str = "root", **ask: Any) -> tuple[int, list[str]]:
    reply = await house.ask(who, "POST", "/audit/export", ask)
    return reply.status, reply.body.decode().splitlines()


async def test_an_export_proves_itself_and_is_a_part_of_the_record(works: House, clock: ManualClock) -> None:
    await works.alert()
    await turn(works, clock)
    status, lines = await export(works)
    key = works.runtime.checkpoints.state(None).key
    found = examine(lines, trusted=key)
    assert (status, found.ok, found.checkpoints >= 1) == (200, True, True)
    assert {one.chain for one in found.chains} >= {"msp", "comp-acme"}
    entries = [json.loads(line) for line in lines if '"type":"entry"' in line]
    assert all(isinstance(json.loads(one["details"]), dict) for one in entries)
    _, part = await export(works, company="acme", first=2, last=2)
    assert [(one.chain, one.first, one.entries) for one in examine(part, trusted=key).chains] == [("comp-acme", 2, 1)]
    later = (clock.now() - timedelta(seconds=30)).isoformat()
    _, recent = await export(works, since=later)
    assert [one.chain for one in examine(recent, trusted=key).chains] == ["msp"], "the two exports before"
    log = (await works.ask("root", "GET", "/audit?query=action:audit.exported")).json()["items"]
    assert len(log) == 3


@pytest.mark.parametrize(
    ("ask", "status"),
    [
        ({"first": 2}, 422), ({"company": "acme", "first": 0}, 422), ({"company": "acme", "first": 5, "last": 4}, 422),
        ({"company": "acme", "first": 10_000}, 404), ({"company": "nobody"}, 404),
        ({"until": "2001-01-01T00:00:00Z"}, 404),
    ],
)  # fmt: skip
async def test_what_cannot_be_exported_is_said(works: House, clock: ManualClock, ask: Any, status: int) -> None:
    await turn(works, clock)
    assert (await export(works, **ask))[0] == status


async def test_only_admins_prove_and_export(works: House, clock: ManualClock) -> None:
    await turn(works, clock)
    await works.hire("mara", Role.MANAGER, "comp-acme")
    for method, path in (("POST", "/audit/export"), ("POST", "/audit/verify"), ("GET", "/audit/witness")):
        assert (await works.ask("mara", method, path, {} if method == "POST" else None)).status == 403
