"""Cross-company parents over HTTP: a result for each incident, one person's name on all of them."""

from __future__ import annotations

import pytest

from siems.vocabulary import Role

from .house import ALERT, House

pytestmark = pytest.mark.usefixtures("house")


async def grouped(house: House) -> None:
    await house.alert(company=house.acme)
    await house.alert(company=house.beta)
    made = await house.ask("root", "POST", "/parents", {"title": "provider", "incidents": ["INC-1", "INC-2"]})
    assert made.status == 201
    assert [child["id"] for child in made.json()["parent"]["children"]] == ["INC-1", "INC-2"]


async def does(house: House, action: str, body: object = None, **more: object) -> dict[str, object]:
    reply = await house.ask("root", "POST", f"/parents/PAR-1/actions/{action}", body or {}, **more)
    assert reply.status == 200, reply
    found: dict[str, object] = reply.json()
    return found


async def states(house: House) -> list[tuple[str, str | None]]:
    page = (await house.ask("root", "GET", "/incidents?sort=id&query=id:1,2")).json()["items"]
    return [(item["state"], item["assignee"]) for item in page]


async def test_an_ack_of_the_parent_acknowledges_each_as_that_person(house: House) -> None:
    await grouped(house)
    said = await does(house, "ack")
    assert [(r["id"], r["changed"], r["state"]) for r in said["results"]] == [
        ("INC-1", True, "ASSIGNED"), ("INC-2", True, "ASSIGNED"),
    ]  # fmt: skip
    assert await states(house) == [("ASSIGNED", "user-root"), ("ASSIGNED", "user-root")]
    said = await does(house, "ack")
    assert not any(r["changed"] for r in said["results"])


async def test_one_that_fails_leaves_the_others_done(house: House) -> None:
    await grouped(house)
    await house.ask("root", "POST", "/incidents/INC-1/actions/ack", {})
    said = await does(house, "hold", {"hold_for": "vendor", "until": "2026-03-10T18:00:00Z"})
    by_id = {r["id"]: r for r in said["results"]}
    assert by_id["INC-1"]["changed"]
    assert by_id["INC-2"]["error"]["code"] == "conflict"
    said = await does(house, "resume")
    assert {r["id"]: r["changed"] for r in said["results"]}["INC-1"]


async def test_notes_go_to_the_incidents_only_when_asked_and_name_no_parent(house: House) -> None:
    await grouped(house)
    await does(house, "note", {"note": "called the provider"})
    assert (await house.ask("root", "GET", "/parents/PAR-1")).json()["story"][0]["text"] == "called the provider"
    told = (await house.ask("root", "GET", "/incidents/INC-2/timeline")).body
    assert b"called the provider" not in told
    await does(house, "note", {"note": "40 more minutes", "public": True})
    await does(house, "update", {"template": "identified", "note": "A cut fibre."})
    await house.hire("carol", Role.CLIENT, "comp-beta")
    told = (await house.ask("carol", "GET", "/incidents/INC-2/timeline")).body
    assert b"40 more minutes" in told
    assert b"A cut fibre." in told
    assert b"PAR-" not in told


async def test_resolving_resolves_each_and_a_late_one_stays_out(house: House) -> None:
    await grouped(house)
    said = await does(house, "resolve", {"note": "repaired by the provider"})
    assert [r["state"] for r in said["results"]] == ["RESOLVED", "RESOLVED"]
    assert said["parent"]["state"] == "resolved"
    reply = await house.ask("root", "POST", "/parents/PAR-1/actions/add", {"incidents": ["INC-2"]})
    assert reply.status == 409


async def test_what_is_added_to_an_acknowledged_one_is_acknowledged_and_what_is_removed_is_called_for(
    house: House,
) -> None:
    await grouped(house)
    await does(house, "ack")
    await house.alert(ALERT | {"asset_name": "other", "signature": "other"}, company=house.beta)
    said = await does(house, "add", {"incidents": ["INC-3"]})
    assert [r["id"] for r in said["results"]] == ["INC-3"]
    shown = (await house.ask("root", "GET", "/incidents/INC-3")).json()
    assert shown["incident"]["acknowledged_at"]
    assert shown["parent"] == "PAR-1"
    await does(house, "remove", {"incidents": ["INC-3"]})
    assert (await house.ask("root", "GET", "/incidents/INC-3")).json()["parent"] is None


async def test_when_the_group_closes_what_nobody_has_acknowledged_goes_back_to_its_chain(house: House) -> None:
    await house.alert(company=house.acme)
    made = await house.ask("root", "POST", "/parents", {"query": "signature:vpn_down", "incidents": ["INC-1"]})
    assert made.status == 201
    await does(house, "ack")
    await house.alert(ALERT | {"asset_name": "vpn-1", "signature": "vpn_down"}, company=house.beta)
    before = (await house.ask("root", "GET", "/incidents/INC-2")).json()["incident"]
    assert (before["state"], before["next_escalation"]) == ("ASSIGNED", None)
    await does(house, "close")
    after = (await house.ask("root", "GET", "/incidents/INC-2")).json()["incident"]
    assert after["state"] == "OPEN"
    assert after["next_escalation"] is not None
    assert (await house.ask("root", "GET", "/incidents/INC-1")).json()["incident"]["state"] == "ASSIGNED"


async def test_a_dry_run_changes_nothing_and_a_repeated_request_happens_once(house: House) -> None:
    await grouped(house)
    reply = await house.ask("root", "POST", "/parents/PAR-1/actions/ack?dry_run=true", {})
    assert all(r["changed"] for r in reply.json()["results"])
    assert [state for state, _ in await states(house)] == ["OPEN", "OPEN"]
    key = [("Idempotency-Key", "k1")]
    for _ in range(2):
        await does(house, "note", {"note": "once", "to_children": True}, headers=key)
    told = (await house.ask("root", "GET", "/incidents/INC-1/timeline")).body
    assert told.count(b'"once"') == 1


async def test_managers_and_clients_get_the_same_answer_whether_there_is_one_or_not(house: House) -> None:
    await grouped(house)
    await house.hire("mara", Role.MANAGER, "comp-acme")
    await house.hire("carol", Role.CLIENT, "comp-acme")
    for who in ("mara", "carol"):
        seen = {(await house.ask(who, "GET", f"/parents/{ref}")).body.replace(ref.encode(), b"") for ref in
                ("PAR-1", "PAR-9")}  # fmt: skip
        assert len({body.split(b'"request_id"')[0] for body in seen}) == 1
        shown = (await house.ask(who, "GET", "/incidents/INC-1")).json()
        assert shown["parent"] is None
        assert b"PAR-" not in (await house.ask(who, "GET", "/audit")).body
