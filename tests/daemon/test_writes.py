"""Writes over HTTP: sent twice they happen once, against an old version not at all, rehearsed they leave nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from siems.clock import ManualClock
from siems.vocabulary import Role

from .house import House, Reply

ACK = "/incidents/INC-1/actions/ack"
NOTE = "/incidents/INC-1/actions/note"


async def act(house: House, path: str = ACK, body: Any = None, *, who: str = "root", **headers: str) -> Reply:
    given = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return await house.ask(who, "POST", path, body or {}, headers=given)


async def version(house: House) -> int:
    return int((await house.ask("root", "GET", "/incidents/INC-1")).json()["incident"]["version"])


async def notes(house: House) -> int:
    lines = (await house.ask("root", "GET", "/incidents/INC-1/timeline")).json()["items"]
    return sum(line["kind"] == "note" for line in lines)


async def test_a_write_with_one_key_happens_once_and_is_answered_alike(house: House) -> None:
    await house.alert()
    first = await act(house, NOTE, {"note": "once"}, Idempotency_Key="k-1")
    again = await act(house, NOTE, {"note": "once"}, Idempotency_Key="k-1")
    assert first.status == again.status == 200
    assert again.body == first.body
    assert await notes(house) == 1


async def test_twenty_writes_at_once_with_one_key_are_one_write(house: House) -> None:
    await house.alert()
    replies = await asyncio.gather(*(act(house, NOTE, {"note": "once"}, Idempotency_Key="k-1") for _ in range(20)))
    assert {reply.body for reply in replies} == {replies[0].body}
    assert await notes(house) == 1


async def test_a_key_used_for_another_request_is_422(house: House) -> None:
    await house.alert()
    await act(house, NOTE, {"note": "once"}, Idempotency_Key="k-1")
    other = await act(house, NOTE, {"note": "twice"}, Idempotency_Key="k-1")
    assert (other.status, other.code) == (422, "replay_mismatch")


async def test_a_key_belongs_to_its_user_and_route(house: House) -> None:
    await house.hire("ana", Role.TECHNICIAN, "comp-acme")
    await house.alert()
    await act(house, NOTE, {"note": "x"}, Idempotency_Key="k-1")
    assert (await act(house, NOTE, {"note": "x"}, who="ana", Idempotency_Key="k-1")).status == 200
    assert (await act(house, ACK, {"note": "x"}, Idempotency_Key="k-1")).json()["changed"] is True
    assert await notes(house) == 2


async def test_a_refused_write_may_be_sent_again_under_its_key(house: House) -> None:
    await house.alert()
    close = "/incidents/INC-1/actions/close"
    assert (await act(house, close, Idempotency_Key="k-1")).status == 409
    await act(house, "/incidents/INC-1/actions/resolve", {"note": "x"})
    assert (await act(house, close, Idempotency_Key="k-1")).json()["changed"] is True


async def test_what_became_of_a_write_can_be_looked_up_by_its_user_only(house: House) -> None:
    await house.hire("ana", Role.TECHNICIAN, "comp-acme")
    await house.alert()
    await act(house, Idempotency_Key="k-1")
    mine = (await house.ask("root", "GET", "/idempotency/k-1")).json()
    theirs = (await house.ask("ana", "GET", "/idempotency/k-1")).json()
    assert mine["found"] is True
    assert mine["answer"]["incident"]["state"] == "ASSIGNED"
    assert theirs == {"found": False, "answer": None}


async def test_keys_are_forgotten_after_a_day(house: House, clock: ManualClock) -> None:
    await house.alert()
    await act(house, NOTE, {"note": "x"}, Idempotency_Key="k-1")
    clock.advance(hours=26)
    await house.runtime.scheduler.tick()
    assert (await house.ask("root", "GET", "/idempotency/k-1")).json()["found"] is False


@pytest.mark.parametrize("given", ["1", '"1"'])
async def test_if_match_with_the_right_version_lets_a_write_through_once(house: House, given: str) -> None:
    await house.alert()
    assert (await act(house, If_Match=given)).status == 200
    late = await act(house, "/incidents/INC-1/actions/start", If_Match=given)
    assert (late.status, late.code) == (409, "stale_version")
    assert await version(house) == 3


@pytest.mark.parametrize("given", ["", "*", "x", '"1', "1.0", "-1", 'W/"1"'])
async def test_if_match_that_is_no_version_is_refused(door: House, given: str) -> None:
    await door.alert()
    reply = await act(door, If_Match=given)
    assert reply.status == 422 or given == '"1'
    assert await version(door) == (3 if given == '"1' else 1)


async def test_of_two_people_with_the_same_version_one_wins(house: House) -> None:
    await house.hire("ana", Role.TECHNICIAN, "comp-acme")
    await house.alert()
    replies = await asyncio.gather(*(act(house, who=who, If_Match="1") for who in ("root", "ana")))
    assert sorted(reply.status for reply in replies) == [200, 409]


async def test_a_rehearsal_answers_and_changes_nothing(house: House) -> None:
    await house.alert()
    reply = await act(house, f"{ACK}?dry_run=true")
    assert (reply.status, reply.headers["x-dry-run"]) == (200, "true")
    assert reply.json()["incident"]["state"] == "ASSIGNED"
    assert await version(house) == 1
    made = await house.ask("root", "POST", "/companies?dry_run=true", {"name": "Maybe"})
    assert made.json()["company_id"] == "comp-maybe"
    assert (await house.ask("root", "GET", "/companies/maybe")).status == 404
    users = await house.ask(
        "root", "POST", "/users?dry_run=true",
        {"name": "maybe", "email": "m@x.example", "role": "client", "password": "a long enough one"},
    )  # fmt: skip
    assert users.json()["id"] == "user-maybe"
    found = (await house.ask("root", "GET", "/users")).json()["items"]
    assert "user-maybe" not in {user["id"] for user in found}


async def test_secrets_are_shown_once_and_never_kept_readable(house: House) -> None:
    made = (await house.ask("root", "POST", "/companies", {"name": "Gamma"}, headers=[("Idempotency-Key", "k")])).json()
    assert made["api_key"].startswith("sk_gamma_")
    lists = [
        await house.ask("root", "GET", path) for path in ("/integrations", "/companies", "/audit", "/idempotency/k")
    ]
    for secret in (made["api_key"], made["hmac_secret"]):
        assert all(secret.encode() not in reply.body for reply in lists)


async def test_every_answer_carries_the_time_of_the_server_and_an_id(door: House) -> None:
    for reply in (await door.send("GET", "/livez"), await door.send("GET", "/nowhere"), await act(door)):
        assert reply.headers["x-server-time"] == "2026-03-10T12:00:00Z"
        assert reply.headers["x-request-id"].startswith("req_")
