"""Alerts that people send, and bodies that came before, by the API."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from siems.vocabulary import Role

from .house import ALERT, House


async def test_an_alert_of_a_person_goes_the_usual_way_and_the_record_names_them(house: House) -> None:
    await house.hire("tim", Role.TECHNICIAN, "comp-acme")
    ask = {"company": "acme", "body": json.dumps(ALERT), "reason": "a drill"}
    said = (await house.ask("tim", "POST", "/alerts", ask)).json()
    assert (said["alert_id"], said["incident_id"]) == ("ALR-1", "INC-1")
    entries = (await house.ask("root", "GET", "/audit?company=acme")).json()["items"]
    [entry] = [entry for entry in entries if entry["action"] == "alert.sent"]
    assert (entry["actor"], entry["object"], entry["reason"]) == ("user-tim", "ALR-1", "a drill")


async def test_an_alert_of_a_person_is_the_last_alert_of_the_client(house: House) -> None:
    async def last(who: str = "root") -> tuple[Any, Any]:
        [acme, beta] = (await house.ask(who, "GET", "/companies")).json()["items"]
        assert (await house.ask(who, "GET", "/companies/acme")).json()["last_alert_at"] == acme["last_alert_at"]
        return acme["last_alert_at"], beta["last_alert_at"]

    assert await last() == (None, None)
    ask = {"company": "acme", "body": json.dumps(ALERT)}
    await house.ask("root", "POST", "/alerts", ask)
    first = (await last())[0]
    assert first is not None
    house.clock.advance(minutes=5)  # type: ignore[attr-defined]
    await house.ask("root", "POST", "/alerts", ask)  # a repeat of what is still on
    again, beta = await last()
    assert (again > first, beta) == (True, None)


async def test_sending_twice_with_one_idempotency_key_counts_once(house: House) -> None:
    ask = {"company": "acme", "body": json.dumps(ALERT)}
    for _ in range(2):
        await house.ask("root", "POST", "/alerts", ask, headers=[("Idempotency-Key", "k")])
    [alert] = (await house.ask("root", "GET", "/alerts")).json()["items"]
    assert alert["count"] == 1


async def test_bodies_that_came_are_read_in_pages_and_sent_to_another_client(house: House) -> None:
    for number in range(3):
        await house.alert(ALERT | {"signature": f"s{number}"})
    await house.alert(company=house.beta)
    began = (house.clock.now() - timedelta(hours=1)).isoformat().replace("+", "%2B")
    path = f"/companies/acme/bodies?since={began}&limit=2"
    first = (await house.ask("root", "GET", path)).json()["items"]
    rest = (await house.ask("root", "GET", f"{path}&after={first[-1]['id']}")).json()["items"]
    assert [json.loads(kept["body"])["signature"] for kept in first + rest] == ["s0", "s1", "s2"]
    for kept in first + rest:
        ask = {"company": "beta", "source": kept["source"], "body": kept["body"], "replay": True}
        assert (await house.ask("root", "POST", "/alerts", ask)).status == 200
    items = (await house.ask("root", "GET", "/alerts?query=%23beta")).json()["items"]
    assert len(items) == 4
    house.clock.advance(hours=2)  # type: ignore[attr-defined]
    later = (house.clock.now() - timedelta(hours=1)).isoformat().replace("+", "%2B")
    assert (await house.ask("root", "GET", f"/companies/acme/bodies?since={later}")).json()["items"] == []


@pytest.mark.parametrize(
    ("ask", "status"),
    [
        ({"body": "{}"}, 422),
        ({"body": "no json"}, 400),
        ({"body": "%%%", "base64": True}, 422),
        ({"body": "{}", "source": "nothing"}, 404),
        ({"body": json.dumps(ALERT), "replay": True}, 403),
    ],
)
async def test_what_cannot_be_sent_is_refused_with_its_cause(door: House, ask: dict[str, Any], status: int) -> None:
    await door.hire("tim", Role.TECHNICIAN, "comp-acme")
    reply = await door.ask("tim", "POST", "/alerts", {"company": "acme", **ask})
    assert reply.status == status, reply
    assert reply.json()["detail"]
