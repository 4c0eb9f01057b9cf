"""Tools that speak Opsgenie's Alert API: what they send, what they are told, and what siems makes of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .house import House, Reply

ALERT: dict[str, Any] = {
    "message": "replication lag on db-2",
    "alias": "db-2/replication",
    "description": "lag is 412 s",
    "entity": "db-2",
    "source": "pgwatch",
    "priority": "P1",
    "tags": ["db", "prod"],
    "details": {"lag": "412", "dashboard": "https://graphs.example/db-2"},
}


class Sender:
    """A tool with a key of a client."""

    def __init__(self, house: House, key: str) -> None:
        self.house = house
        self.key = key

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        given = [("Authorization", f"GenieKey {self.key}"), ("Content-Type", "application/json"), *headers.items()]
        return await self.house.send(method, f"/v2{path}", given, raw)

    async def done(self, method: str, path: str, body: Any = None) -> Any:
        """How a request went that was accepted."""
        reply = await self.ask(method, path, body)
        assert (reply.status, reply.json()["result"]) == (202, "Request will be processed"), reply
        status = await self.ask("GET", f"/alerts/requests/{reply.json()['requestId']}")
        assert status.status == 200
        return status.json()["data"]


async def sender(house: House, tool: str = "opsgenie", company: str = "comp-acme") -> Sender:
    return Sender(house, (await house.integration(company, tool)).api_key)


async def alerts(house: House) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await house.ask("root", "GET", "/alerts")).json()["items"]
    return items


async def notes(house: House) -> list[str]:
    story = (await house.ask("root", "GET", "/incidents/INC-1/timeline")).json()["items"]
    return [line["text"] for line in reversed(story) if line["kind"] == "note"]


# --- alerts ----------------------------------------------------------------------------------------------------


async def test_an_alert_is_taken_and_answered_as_opsgenie_would(house: House) -> None:
    tool = await sender(house)
    reply = await tool.ask("POST", "/alerts", ALERT)
    assert reply.status == 202
    assert reply.json().keys() == {"result", "took", "requestId"}
    assert reply.headers["x-ratelimit-state"] == "OK"
    [alert] = await alerts(house)
    assert (alert["tool_source"], alert["severity"], alert["original_severity"]) == ("opsgenie", "CRITICAL", "P1")
    assert (alert["asset_name"], alert["signature"]) == ("db-2", "replication lag on db-2")
    assert alert["message"] == "replication lag on db-2\nlag is 412 s"
    assert alert["links"] == ["https://graphs.example/db-2"]
    assert alert["labels"] == {
        "lag": "412", "dashboard": "https://graphs.example/db-2", "entity": "db-2", "source": "pgwatch",
        "tags": "db, prod", "alias": "db-2/replication",
    }  # fmt: skip
    status = (await tool.ask("GET", f"/alerts/requests/{reply.json()['requestId']}")).json()
    assert {key: status["data"][key] for key in ("isSuccess", "action", "alertId", "alias")} == {
        "isSuccess": True, "action": "Create", "alertId": "ALR-1", "alias": "db-2/replication",
    }  # fmt: skip
    assert status["data"]["processedAt"] == "2026-03-10T12:00:00Z"


@pytest.mark.parametrize(
    ("word", "severity"),
    [("P1", "CRITICAL"), ("P2", "HIGH"), ("P3", "MEDIUM"), ("P4", "LOW"), ("P5", "LOW"), (None, "MEDIUM")],
)
async def test_priorities(door: House, word: str | None, severity: str) -> None:
    tool = await sender(door)
    assert (await tool.ask("POST", "/alerts", {"message": "x", **({"priority": word} if word else {})})).status == 202
    assert [alert["severity"] for alert in await alerts(door)] == [severity]
    assert (await tool.ask("GET", "/alerts/1?identifierType=tiny")).json()["data"]["priority"] == (word or "P3")


async def test_responders_are_ignored_and_the_answer_says_so(door: House) -> None:
    reply = await (await sender(door)).ask("POST", "/alerts", ALERT | {"responders": [{"type": "team", "name": "ops"}]})
    assert reply.status == 202
    assert "responders ignored" in reply.json()["warnings"][0]


async def test_the_alias_is_the_same_alert_until_it_is_closed(house: House) -> None:
    tool = await sender(house)
    for _ in range(2):
        await tool.ask("POST", "/alerts", ALERT)
    assert [alert["count"] for alert in await alerts(house)] == [2]
    done = await tool.done(
        "POST", "/alerts/db-2%2Freplication/close?identifierType=alias", {"note": "back", "user": "jo"}
    )
    assert (done["isSuccess"], done["action"], done["alertId"]) == (True, "Close", "ALR-1")
    assert await notes(house) == ["opsgenie: closed by jo: back"]
    await tool.ask("POST", "/alerts", ALERT)
    assert sorted(alert["status"] for alert in await alerts(house)) == ["active", "resolved"]


@pytest.mark.parametrize("kind", ["id", "tiny", "alias", ""])
@pytest.mark.parametrize("verb", ["close", "delete"])
async def test_an_alert_may_be_named_in_three_ways(house: House, kind: str, verb: str) -> None:
    tool = await sender(house)
    await tool.ask("POST", "/alerts", ALERT)
    ref = {"tiny": "1", "alias": "db-2%2Freplication"}.get(kind, "ALR-1")
    query = f"?identifierType={kind}" if kind else ""
    method, path = ("DELETE", f"/alerts/{ref}") if verb == "delete" else ("POST", f"/alerts/{ref}/close")
    assert (await tool.done(method, path + query))["isSuccess"] is True
    assert [alert["status"] for alert in await alerts(house)] == ["resolved"]


async def test_without_an_alias_an_alert_is_closed_by_the_one_that_it_was_given(house: House) -> None:
    tool = await sender(house)
    alias = (await tool.done("POST", "/alerts", {"message": "lost"}))["alias"]
    assert (await tool.done("POST", "/alerts", {"message": "lost"}))["alias"] == alias
    assert [alert["count"] for alert in await alerts(house)] == [2]
    assert (await tool.done("POST", f"/alerts/{alias}/close?identifierType=alias", {}))["alertId"] == "ALR-1"


async def test_long_aliases_that_begin_alike_stay_apart(house: House) -> None:
    tool = await sender(house)
    for end in "ab":
        await tool.ask("POST", "/alerts", ALERT | {"alias": "x" * 511 + end, "message": f"problem {end}"})
    assert (await tool.done("POST", f"/alerts/{'x' * 511}a/close?identifierType=alias"))["alertId"] == "ALR-1"
    assert [(a["id"], a["status"]) for a in await alerts(house)] == [("ALR-2", "active"), ("ALR-1", "resolved")]


ACTS = [
    ("acknowledge", {"user": "jo", "note": "on it"}, "acknowledged by jo: on it"),
    ("unacknowledge", {}, "no longer acknowledged"),
    ("notes", {"note": "looks like the switch", "user": "jo"}, "note by jo: looks like the switch"),
    ("snooze", {"endTime": "2026-03-10T14:00:00Z"}, "snoozed (2026-03-10T14:00:00Z)"),
    ("assign", {"owner": {"username": "jo@acme.example"}}, "assigned (jo@acme.example)"),
    ("escalate", {"escalation": {"name": "night"}}, "escalated (night)"),
    ("tags", {"tags": ["late"]}, "tagged (late)"),
    ("priority", {"priority": "P2"}, "priority changed (P2)"),
    ("message", {"message": "lag again"}, "message changed (lag again)"),
]


@pytest.mark.parametrize(("act", "body", "text"), ACTS)
async def test_what_is_said_of_an_alert_is_a_note(door: House, act: str, body: dict[str, Any], text: str) -> None:
    tool = await sender(door)
    await tool.ask("POST", "/alerts", ALERT)
    done = await tool.done("POST", f"/alerts/ALR-1/{act}", body)
    assert (done["isSuccess"], done["alertId"]) == (True, "ALR-1")
    assert await notes(door) == [f"opsgenie: {text}"]
    shown = (await door.ask("root", "GET", "/incidents/INC-1")).json()["incident"]
    assert (shown["state"], shown["acknowledged_at"], shown["active_count"]) == ("OPEN", None, 1)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("tags?tags=late,prod&user=jo&note=not+so", "tags removed (late,prod) by jo: not so"),
        ("details?keys=lag&user=jo", "details removed (lag) by jo"),
    ],
)
async def test_what_is_taken_from_an_alert_is_a_note(door: House, path: str, text: str) -> None:
    tool = await sender(door)
    await tool.ask("POST", "/alerts", ALERT)
    assert (await tool.done("DELETE", f"/alerts/ALR-1/{path}"))["isSuccess"] is True
    assert await notes(door) == [f"opsgenie: {text}"]
    lacking = await tool.ask("DELETE", f"/alerts/ALR-1/{path.partition('?')[0]}")
    assert (lacking.status, len(lacking.json()["errors"])) == (422, 1)


async def test_an_alert_is_shown_in_opsgenies_shape(house: House) -> None:
    tool = await sender(house)
    await tool.ask("POST", "/alerts", ALERT)
    await house.ask("root", "POST", "/incidents/INC-1/actions/ack", {})
    shown = (await tool.ask("GET", "/alerts/ALR-1")).json()["data"]
    wanted = {
        "id": "ALR-1", "tinyId": "1", "alias": "db-2/replication", "message": "replication lag on db-2",
        "status": "open", "acknowledged": True, "tags": ["db", "prod"], "count": 1, "priority": "P1",
        "entity": "db-2", "source": "pgwatch", "description": "lag is 412 s", "createdAt": "2026-03-10T12:00:00Z",
        "details": {"lag": "412", "dashboard": "https://graphs.example/db-2"},
    }  # fmt: skip
    assert {key: shown[key] for key in wanted} == wanted
    await tool.done("POST", "/alerts/1/close?identifierType=tiny")
    assert (await tool.ask("GET", "/alerts/db-2%2Freplication?identifierType=alias")).json()["data"][
        "status"
    ] == "closed"


async def test_what_is_not_there_is_404_to_look_at_and_a_failed_request_to_act_on(door: House) -> None:
    tool = await sender(door)
    for path in (
        "/alerts/ALR-9",
        "/alerts/x?identifierType=alias",
        "/alerts/99999999999999999999",
        "/alerts/requests/x",
    ):
        reply = await tool.ask("GET", path)
        assert (reply.status, sorted(reply.json())) == (404, ["message", "requestId", "took"]), path
    for path in ("/alerts/ALR-9/close", "/alerts/x/acknowledge?identifierType=alias"):
        assert (await tool.done("POST", path))["isSuccess"] is False


async def test_closing_again_by_its_id_does_not_close_what_came_after(house: House) -> None:
    tool = await sender(house)
    await tool.ask("POST", "/alerts", ALERT)
    await tool.done("POST", "/alerts/ALR-1/close")
    await tool.ask("POST", "/alerts", ALERT)
    await tool.done("POST", "/alerts/ALR-1/close")
    assert [(a["id"], a["status"]) for a in await alerts(house)] == [("ALR-2", "active"), ("ALR-1", "resolved")]


async def test_alerts_of_another_client_or_tool_do_not_exist(house: House) -> None:
    mine, theirs = await sender(house), await sender(house, company="comp-beta")
    taken = (await mine.ask("POST", "/alerts", ALERT)).json()["requestId"]
    await house.alert(company=house.beta)
    for path in ("/alerts/ALR-1", "/alerts/ALR-2", "/alerts/db-2%2Freplication?identifierType=alias"):
        assert (await theirs.ask("GET", path)).status == 404, path
    assert (await theirs.ask("GET", f"/alerts/requests/{taken}")).status == 404
    for path in ("/alerts/ALR-1/close", "/alerts/ALR-2/close", "/alerts/db-2%2Freplication/close?identifierType=alias"):
        await theirs.ask("POST", path)
    assert {alert["status"] for alert in await alerts(house)} == {"active"}


# --- who may ask -----------------------------------------------------------------------------------------------


async def test_every_key_that_is_not_accepted_gets_the_same_401(door: House) -> None:
    other = (await door.integration("comp-acme", "datadog")).api_key
    for method, path in (
        ("POST", "/alerts"),
        ("GET", "/alerts/ALR-1"),
        ("POST", "/alerts/1/close"),
        ("PATCH", "/alerts"),
    ):
        replies = [await Sender(door, key).ask(method, path, ALERT) for key in ("x", "", other, door.acme.api_key)]
        assert {reply.status for reply in replies} == {401}, path
        assert {reply.json()["message"] for reply in replies} == {"Could not authenticate"}
    assert {"unknown key", "no key", "key of another tool", "unsigned"} <= set(await door.causes())
    assert await alerts(door) == []


async def test_what_siems_does_not_answer_is_403_with_its_code(door: House) -> None:
    tool = await sender(door)
    for method, path in (
        ("GET", "/alerts/1/notes"),
        ("POST", "/alerts/1/dance"),
        ("POST", "/alerts/1/untag"),
        ("GET", "/heartbeats"),
        ("DELETE", "/alerts/1/notes"),
    ):
        reply = await tool.ask(method, path)
        assert (reply.status, reply.json()["code"]) == (403, 40302), path


async def test_too_many_are_told_so_and_looking_takes_nothing_from_alerts(house: House) -> None:
    tool = await sender(house)
    for _ in range(130):
        assert (await tool.ask("GET", "/alerts/ALR-9")).status == 404
    assert (await tool.ask("POST", "/alerts", ALERT)).status == 202
    house.runtime.limiter.bucket("rate:comp-acme", per_minute=60, burst=120).tokens = 0
    reply = await tool.ask("POST", "/alerts", ALERT)
    assert (reply.status, reply.json()["message"]) == (429, "You are making too many requests!")
    assert (reply.headers["x-ratelimit-state"], int(reply.headers["retry-after"]) >= 1) == ("THROTTLED", True)
    assert (await tool.ask("GET", "/alerts/ALR-1")).status == 200
    house.runtime.limiter.bucket("look:comp-acme", per_minute=600, burst=600).tokens = 0
    assert (await tool.ask("GET", "/alerts/ALR-1")).status == 429
    assert {"rate limited", "asked too often"} <= set(await house.causes())


# --- what is wrong ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"message": "Message can not be empty."}),
        ({"message": " "}, {"message": "Message can not be empty."}),
        ({"message": "x", "priority": "high"}, {"priority": "should be one of [ P1, P2, P3, P4, P5 ]"}),
        ({"message": "x", "alias": "a" * 513}, {"alias": "should be a text of at most 512 characters"}),
        ({"message": "x", "details": "y"}, {"details": "should be an object"}),
        (
            {"priority": 1},
            {"message": "Message can not be empty.", "priority": "should be one of [ P1, P2, P3, P4, P5 ]"},
        ),
    ],
)
async def test_a_body_that_cannot_be_taken_names_its_fields(door: House, body: Any, errors: dict[str, str]) -> None:
    reply = await (await sender(door)).ask("POST", "/alerts", body)
    assert (reply.status, reply.json()["errors"]) == (422, errors)
    assert reply.json()["message"] == "Request body is not processable. Please check the errors."
    assert await alerts(door) == []


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
async def test_what_is_no_json_is_400(door: House, body: bytes) -> None:
    reply = await (await sender(door)).ask("POST", "/alerts", body)
    assert (reply.status, sorted(reply.json())) == (400, ["message", "requestId", "took"])


async def test_a_wrong_identifier_type_and_an_empty_note_are_422(door: House) -> None:
    tool = await sender(door)
    assert (await tool.ask("GET", "/alerts/1?identifierType=name")).status == 422
    await tool.ask("POST", "/alerts", ALERT)
    assert (await tool.ask("POST", "/alerts/ALR-1/notes", {})).json()["errors"] == {"note": "Note can not be empty."}
    wrong = await tool.ask("PUT", "/alerts/ALR-1/priority", {"priority": "P9"})
    assert (wrong.status, wrong.json()["errors"]) == (422, {"priority": "should be one of [ P1, P2, P3, P4, P5 ]"})
