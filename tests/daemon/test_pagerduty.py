"""Tools that speak PagerDuty's Events API v2: what they send, what they are told, and what siems makes of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from siems.domain.integration import Opening
from siems.services import integrations
from siems.vocabulary import Signing

from .house import VAULT, House, Reply

EVENT: dict[str, Any] = {
    "event_action": "trigger",
    "dedup_key": "srv-7/disk",
    "client": "Sensu",
    "client_url": "https://sensu.example/events/7",
    "links": [{"href": "https://wiki.example/disk", "text": "how to"}],
    "images": [{"src": "https://graphs.example/7.png", "alt": "graph"}],
    "payload": {
        "summary": "disk /var is 97% full",
        "source": "srv-7.example",
        "severity": "error",
        "timestamp": "2026-03-10T11:58:00Z",
        "component": "disk",
        "custom_details": {"free": "1.2 GB", "inodes": {"free": 3}},
    },
}


async def key_of(
    house: House, tool: str = "pagerduty", signing: Signing = Signing.NONE, company: str = "comp-acme"
) -> str:
    opening = Opening(tool=tool, signing=signing)
    added = await house.do(
        integrations.add, house.root, company, opening, VAULT, "http://x", companies=(company,)
    )  # fmt: skip
    await house.runtime.reload_keys()
    return str(added.api_key)


async def send(
    house: House, body: Any, key: str | None = None, *, path: str = "/v2/enqueue", headers: Any = ()
) -> Reply:
    if isinstance(body, dict) and key is not None:
        body = {"routing_key": key, **body}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await house.send("POST", path, [("Content-Type", "application/json"), *headers], raw)


def event(action: str = "trigger", **more: Any) -> dict[str, Any]:
    return {"event_action": action, "dedup_key": "srv-7/disk", **more}


async def alerts(house: House) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await house.ask("root", "GET", "/alerts")).json()["items"]
    return items


# --- what becomes of events ------------------------------------------------------------------------------------


async def test_a_trigger_becomes_an_alert_and_is_answered_as_pagerduty_would(house: House) -> None:
    reply = await send(house, EVENT, await key_of(house))
    assert (reply.status, reply.json()) == (
        202, {"status": "success", "message": "Event processed", "dedup_key": "srv-7/disk"},
    )  # fmt: skip
    [alert] = await alerts(house)
    assert (alert["company_id"], alert["tool_source"], alert["severity"]) == ("comp-acme", "pagerduty", "HIGH")
    assert (alert["asset_name"], alert["signature"]) == ("srv-7.example", "disk /var is 97% full")
    assert alert["starts_at"] == "2026-03-10T11:58:00Z"
    assert alert["labels"] == {
        "free": "1.2 GB", "inodes": '{"free":3}', "component": "disk", "client": "Sensu",
    }  # fmt: skip
    assert alert["links"] == [
        "https://sensu.example/events/7", "https://wiki.example/disk", "https://graphs.example/7.png",
    ]  # fmt: skip
    raw = (await house.ask("root", "GET", f"/alerts/{alert['id']}")).json()["raw"]
    assert '"routing_key":"[redacted]"' in raw


@pytest.mark.parametrize(
    ("word", "severity"), [("critical", "CRITICAL"), ("error", "HIGH"), ("warning", "MEDIUM"), ("info", "LOW")]
)
async def test_severities(door: House, word: str, severity: str) -> None:
    await send(door, EVENT | {"payload": EVENT["payload"] | {"severity": word}}, await key_of(door))
    assert [(a["severity"], a["original_severity"]) for a in await alerts(door)] == [(severity, word)]


async def test_the_same_key_is_the_same_alert_until_it_is_resolved(house: House) -> None:
    key = await key_of(house)
    for _ in range(2):
        await send(house, EVENT, key)
    assert [alert["count"] for alert in await alerts(house)] == [2]
    reply = await send(house, event("resolve"), key)
    assert (reply.status, reply.json()["dedup_key"]) == (202, "srv-7/disk")
    await send(house, EVENT, key)
    assert sorted(alert["status"] for alert in await alerts(house)) == ["active", "resolved"]


async def test_an_acknowledge_is_a_note_and_takes_nothing(house: House) -> None:
    key = await key_of(house)
    await send(house, EVENT, key)
    reply = await send(house, event("acknowledge"), key)
    assert (reply.status, reply.json()["message"]) == (202, "Event processed")
    shown = (await house.ask("root", "GET", "/incidents/INC-1")).json()["incident"]
    assert (shown["state"], shown["acknowledged_at"]) == ("OPEN", None)
    story = (await house.ask("root", "GET", "/incidents/INC-1/timeline")).json()["items"]
    assert "pagerduty: acknowledged" in [line["text"] for line in story if line["kind"] == "note"]


async def test_without_a_key_one_is_made_that_resolves_the_problem(house: House) -> None:
    key, bare = await key_of(house), {k: v for k, v in EVENT.items() if k != "dedup_key"}
    made = (await send(house, bare, key)).json()["dedup_key"]
    assert 0 < len(made) <= 255
    assert (await send(house, bare, key)).json()["dedup_key"] == made
    assert [alert["count"] for alert in await alerts(house)] == [2]
    await send(house, {"event_action": "resolve", "dedup_key": made}, key)
    assert [alert["status"] for alert in await alerts(house)] == ["resolved"]


async def test_what_is_not_there_may_be_resolved_and_acknowledged(door: House) -> None:
    key = await key_of(door)
    for action in ("resolve", "acknowledge"):
        assert (await send(door, event(action), key)).status == 202
    assert await alerts(door) == []


async def test_keys_of_one_client_never_touch_another(house: House) -> None:
    await send(house, EVENT, await key_of(house))
    await send(house, event("resolve"), await key_of(house, company="comp-beta"))
    assert [(alert["company_id"], alert["status"]) for alert in await alerts(house)] == [("comp-acme", "active")]


async def test_a_change_is_on_record_and_no_alert(house: House) -> None:
    body = {"payload": {"summary": "build 7 is out", "source": "ci"}, "links": [{"href": "https://ci.example/7"}]}
    reply = await send(house, body, await key_of(house), path="/v2/change/enqueue")
    assert (reply.status, reply.json()) == (202, {"status": "success", "message": "Change event processed"})
    assert await alerts(house) == []
    entries = (await house.ask("root", "GET", "/audit?company=comp-acme")).json()["items"]
    [entry] = [entry for entry in entries if entry["action"] == "change.reported"]
    assert entry["details"] == {"summary": "build 7 is out", "source": "ci", "links": ["https://ci.example/7"]}


async def test_a_delivery_that_is_replayed_changes_nothing(house: House) -> None:
    key, bare = await key_of(house), {k: v for k, v in EVENT.items() if k != "dedup_key"}
    replies = [await send(house, bare, key, headers=[("X-Delivery-ID", "d-1")]) for _ in range(3)]
    assert len({reply.body for reply in replies}) == 1
    assert [alert["count"] for alert in await alerts(house)] == [1]
    other = await send(house, event("resolve"), key, headers=[("X-Delivery-ID", "d-1")])
    assert (other.status, other.json()["status"]) == (400, "invalid event")


# --- who may send ----------------------------------------------------------------------------------------------


async def test_the_key_may_come_in_a_header_and_the_body_wins(door: House) -> None:
    key = await key_of(door)
    assert len(key) == 32
    assert (await send(door, EVENT, headers=[("X-Routing-Key", key)])).status == 202
    assert (await send(door, EVENT, "nobody's", headers=[("X-Routing-Key", key)])).status == 400


async def test_all_keys_that_are_not_accepted_are_refused_alike_and_counted(door: House) -> None:
    keys = ["", "x" * 32, await key_of(door, "datadog"), door.acme.api_key]
    replies = [await send(door, EVENT, key) for key in keys]
    assert {reply.status for reply in replies} == {400}
    assert len({reply.body for reply in replies}) == 1
    assert replies[0].json()["status"] == "invalid event"
    assert "'routing_key'" in replies[0].json()["errors"][0]
    assert set(await door.causes()) == {"no key", "unknown key", "key of another tool", "unsigned"}
    assert await alerts(door) == []


async def test_a_generic_key_is_accepted_unsigned_only_when_it_need_not_sign(door: House) -> None:
    assert (await send(door, EVENT, await key_of(door, "generic"))).status == 202
    raw = json.dumps({"routing_key": door.acme.api_key, **EVENT}).encode()
    signed = [one for one in door.signed(raw) if one[0] != "X-API-Key"]
    assert (await door.send("POST", "/v2/enqueue", signed, raw)).status == 202


async def test_too_many_are_told_so_as_pagerduty_would_and_open_the_incident_of_the_msp(house: House) -> None:
    key = await key_of(house)
    house.runtime.limiter.bucket("rate:comp-acme", per_minute=60, burst=120).tokens = 0
    reply = await send(house, EVENT, key)
    assert (reply.status, reply.json()["status"]) == (429, "throttle exceeded")
    assert int(reply.headers["retry-after"]) >= 1
    assert "rate limited" in await house.causes()
    found = (await house.ask("root", "GET", "/incidents?query=signature:alerts_refused")).json()["items"]
    assert [item["company_id"] for item in found] == ["msp"]


async def test_a_stopping_daemon_asks_to_send_again(door: House) -> None:
    key = await key_of(door)
    door.runtime.draining = True
    assert (await send(door, EVENT, key)).status == 503


# --- what is wrong with events ---------------------------------------------------------------------------------


def without(*path: str) -> dict[str, Any]:
    found = json.loads(json.dumps(EVENT))
    inner = found
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    return dict(found)


PAYLOAD = EVENT["payload"]
ACTIONS = "'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')"
LEVELS = "'payload.severity' is invalid (must be one of the following: 'critical', 'error', 'warning' or 'info')"
LONG = "'payload.summary' is too long (maximum is 1024 characters)"


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        (without("event_action"), ["'event_action' is missing or blank"]),
        (EVENT | {"event_action": "shout"}, [ACTIONS]),
        (without("payload"), ["'payload' is missing or blank"]),
        (without("payload", "summary"), ["'payload.summary' is missing or blank"]),
        (without("payload", "source"), ["'payload.source' is missing or blank"]),
        (without("payload", "severity"), ["'payload.severity' is missing or blank"]),
        (
            EVENT | {"payload": {"summary": " "}},
            [f"'payload.{name}' is missing or blank" for name in ("summary", "source", "severity")],
        ),
        (EVENT | {"payload": PAYLOAD | {"severity": "dire"}}, [LEVELS]),
        (EVENT | {"payload": PAYLOAD | {"severity": ["error"]}}, [LEVELS]),
        (EVENT | {"payload": PAYLOAD | {"summary": "x" * 1_025}}, [LONG]),
        (EVENT | {"dedup_key": "x" * 256}, ["'dedup_key' is too long (maximum is 255 characters)"]),
        ({"event_action": "resolve"}, ["'dedup_key' is missing or blank, and resolve needs it"]),
        ({"event_action": "acknowledge"}, ["'dedup_key' is missing or blank, and acknowledge needs it"]),
    ],
)  # fmt: skip
async def test_an_invalid_event_is_told_every_fault(door: House, body: dict[str, Any], errors: list[str]) -> None:
    reply = await send(door, body, await key_of(door))
    assert reply.status == 400
    assert reply.json() == {"status": "invalid event", "message": "Event object is invalid", "errors": errors}
    assert await alerts(door) == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000, b'{"routing_key": 7}'])
async def test_what_is_no_event_is_400(door: House, body: bytes) -> None:
    reply = await send(door, body, headers=[("X-Routing-Key", await key_of(door))])
    assert (reply.status, reply.json()["status"]) == (400, "invalid event")


async def test_512_kb_are_taken_and_no_more(door: House) -> None:
    key = await key_of(door)
    for size, status in ((512 * 1024, 202), (512 * 1024 + 1, 413), (3 << 20, 413)):
        body = json.dumps({"routing_key": key, **EVENT}).encode()
        reply = await send(door, body + b" " * (size - len(body)))
        assert (reply.status, reply.json()["status"]) == (status, "success" if status == 202 else "invalid event")


@pytest.mark.parametrize("body", [{"payload": {}}, {"payload": {"source": "ci"}}, {}])
async def test_a_change_without_a_summary_is_400(door: House, body: dict[str, Any]) -> None:
    reply = await send(door, body, await key_of(door), path="/v2/change/enqueue")
    assert (reply.status, reply.json()["errors"]) == (400, ["'payload.summary' is missing or blank"])


# --- version 1, which older agents speak ------------------------------------------------------------------------

FIRST = {"event_type": "trigger", "incident_key": "srv-8/http", "description": "HTTP on srv-8 is down",
         "client": "pd-agent", "details": {"host": "srv-8", "state": "CRITICAL"}}  # fmt: skip


async def first(house: House, body: dict[str, Any], key: str) -> Reply:
    return await send(house, {**body, "service_key": key}, path="/generic/2010-04-15/create_event.json")


async def test_an_event_of_version_1_becomes_an_alert_and_its_end(house: House) -> None:
    key = await key_of(house)
    reply = await first(house, FIRST, key)
    told = {"status": "success", "message": "Event processed", "incident_key": "srv-8/http"}
    assert (reply.status, reply.json()) == (200, told)
    [alert] = await alerts(house)
    assert (alert["asset_name"], alert["signature"]) == ("srv-8", "HTTP on srv-8 is down")
    raw = (await house.ask("root", "GET", f"/alerts/{alert['id']}")).json()["raw"]
    assert '"service_key":"[redacted]"' in raw
    await first(house, {"event_type": "resolve", "incident_key": "srv-8/http"}, key)
    assert [alert["status"] for alert in await alerts(house)] == ["resolved"]


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"event_type": "start"}, "'event_type' is invalid"),
        ({"event_type": "trigger"}, "'description' is missing"),
        ({"event_type": "resolve"}, "'incident_key' is missing"),
    ],
)
async def test_what_is_wrong_with_an_event_of_version_1_is_told(door: House, body: dict[str, Any], fault: str) -> None:
    reply = await first(door, body, await key_of(door))
    assert (reply.status, reply.json()["status"]) == (400, "invalid event")
    assert fault in reply.json()["errors"][0]
    refused = await first(door, FIRST, "nobody's")
    assert (refused.status, refused.json()["errors"]) == (
        400, ["'service_key' is missing, or not one that is accepted here"],
    )  # fmt: skip
