"""Silences over HTTP: made once, tried without a trace, and told to those who may know."""

from __future__ import annotations

from typing import Any

from siems.vocabulary import Role

from .house import ALERT, House

ASK: dict[str, Any] = {"company": "acme", "matchers": ["asset=web*"], "seconds": 7_200, "comment": "battery swap"}


async def test_a_silence_that_is_sent_twice_with_one_key_is_made_once(house: House) -> None:
    for _ in range(2):
        reply = await house.ask("root", "POST", "/silences", ASK, headers=[("Idempotency-Key", "k-1")])
        assert (reply.status, reply.json()["id"]) == (201, "SIL-1")
    assert len((await house.ask("root", "GET", "/silences")).json()["items"]) == 1


async def test_a_dry_run_answers_as_the_real_one_and_silences_nothing(house: House) -> None:
    reply = await house.ask("root", "POST", "/silences?dry_run=true", ASK)
    assert reply.json()["state"] == "active"
    assert (await house.alert()).json()["incident_id"] == "INC-1"
    made = await house.ask("root", "POST", "/silences", ASK)
    assert made.json()["id"] == "SIL-1"
    assert (await house.ask("root", "POST", "/silences/SIL-1/actions/end?dry_run=true", {})).json()["changed"] is True
    assert (await house.alert(ALERT | {"signature": "x"})).json()["message"] == "suppressed"


async def test_the_preview_counts_today(house: House) -> None:
    await house.alert()
    await house.alert(ALERT | {"asset_name": "db-1"})
    found = (
        await house.ask("root", "POST", "/silences/preview", {"company": "acme", "matchers": ["asset=web*"]})
    ).json()
    assert (found["alert_count"], found["last_24h"], found["last_24h_of"]) == (1, 1, 2)
    assert [(i["id"], i["hushed"]) for i in found["incidents"]] == [("INC-1", True)]


async def test_a_client_sees_that_an_alert_is_suppressed_and_not_why(house: House) -> None:
    await house.hire("gus", Role.CLIENT, "comp-acme")
    await house.hire("jon", Role.TECHNICIAN, "comp-acme")
    async with house.events("gus") as following:
        await following()
        await house.ask("root", "POST", "/silences", ASK)
        await house.alert()
        event = await following()
        assert (event["type"], event["data"].get("suppressed_by")) == ("alert.suppressed", None)
    for who, reason in (("gus", None), ("jon", "SIL-1 battery swap")):
        [item] = (await house.ask(who, "GET", "/alerts")).json()["items"]
        assert (item["status"], item["suppressed_by"]) == ("suppressed", reason)


async def test_times_without_a_zone_and_unknown_fields_are_refused(door: House) -> None:
    for more in ({"starts_at": "2026-03-10T14:00:00"}, {"bogus": 1}, {"seconds": "2h"}, {"matchers": "asset=x"}):
        reply = await door.ask("root", "POST", "/silences", ASK | more)
        assert (reply.status, reply.code) == (422, "invalid_field"), (more, reply)
