"""The door for tools: only the exact request passes, and every refusal looks the same."""

from __future__ import annotations

import base64
import hmac
import json
from hashlib import sha256

import pytest

from siems.domain import signature

from .house import ALERT, House

BODY = json.dumps(ALERT).encode()
URL = "/api/webhooks/alerts"


def named(headers: list[tuple[str, str]], name: str, value: str | None) -> list[tuple[str, str]]:
    """The headers with one of them changed, or gone."""
    kept = [(n, v) for n, v in headers if n.lower() != name.lower()]
    return kept if value is None else [*kept, (name, value)]


async def test_the_exact_request_passes_and_is_on_disk(house: House) -> None:
    reply = await house.alert()
    assert reply.status == 202
    assert reply.json() == {
        "message": "accepted", "alert_id": "ALR-1", "incident_id": "INC-1", "duplicate": False, "warnings": [],
    }  # fmt: skip
    rows = await house.runtime.database.read(lambda c: c.exec_driver_sql("SELECT company_id FROM alert").all())
    assert [tuple(row) for row in rows] == [("comp-acme",)]


@pytest.mark.parametrize("how", ["query", "X-API-Key", "bearer"])
async def test_the_key_may_come_by_url_header_or_bearer(door: House, how: str) -> None:
    key, rest = door.acme.api_key, door.signed(BODY)[1:]
    match how:
        case "query":
            reply = await door.send("POST", f"{URL}?api_key={key}", rest, BODY)
        case "bearer":
            reply = await door.send("POST", URL, [("Authorization", f"Bearer {key}"), *rest], BODY)
        case _:
            reply = await door.send("POST", URL, [("X-API-Key", key), *rest], BODY)
    assert reply.status == 202


async def test_single_byte_mutations_of_signature_timestamp_and_body_are_refused(door: House) -> None:
    right = dict(door.signed(BODY))
    refusals = []
    for place in range(0, len(right["X-Signature"]), 5):
        value = right["X-Signature"]
        swapped = "0" if value[place] != "0" else "1"
        changed = named(list(right.items()), "X-Signature", value[:place] + swapped + value[place + 1 :])
        refusals.append(await door.send("POST", URL, changed, BODY))
    for place in range(len(right["X-Timestamp"])):
        value = right["X-Timestamp"]
        digit = str((int(value[place]) + 1) % 10)
        changed = named(list(right.items()), "X-Timestamp", value[:place] + digit + value[place + 1 :])
        refusals.append(await door.send("POST", URL, changed, BODY))
    for place in range(0, len(BODY), 7):
        body = BODY[:place] + bytes([BODY[place] ^ 1]) + BODY[place + 1 :]
        refusals.append(await door.send("POST", URL, list(right.items()), body))
    assert {reply.status for reply in refusals} == {401}
    assert len({reply.body for reply in refusals}) == 1
    assert (await door.send("POST", URL, list(right.items()), BODY)).status == 202


@pytest.mark.parametrize(("offset", "status"), [(-299, 202), (299, 202), (-301, 401), (301, 401), (-86_400, 401)])
async def test_a_timestamp_counts_for_five_minutes_either_way(door: House, offset: int, status: int) -> None:
    reply = await door.send("POST", URL, door.signed(BODY, offset=offset), BODY)
    assert reply.status == status
    assert (await door.causes() == ["stale timestamp"]) == (status == 401)


async def test_malformed_and_doubled_headers_are_refused_and_never_an_error(door: House) -> None:
    right = door.signed(BODY)
    value = dict(right)["X-Signature"]
    stamp = dict(right)["X-Timestamp"]
    cases = [
        named(right, "X-Signature", None),
        named(right, "X-Timestamp", None),
        [*right, ("X-Signature", value)],
        [*right, ("X-Timestamp", stamp)],
        named(right, "X-Signature", value.upper()),
        named(right, "X-Signature", value.removeprefix("sha256=")),
        named(right, "X-Signature", f"sha1={value[7:47]}"),
        named(right, "X-Signature", value + "00"),
        named(right, "X-Signature", "sha256="),
        named(right, "X-Signature", "sha256=" + "é" * 64),
        named(right, "X-Signature", "sha256=" + "\udcff" * 64),
        named(right, "X-Timestamp", f"{stamp}.0"),
        named(right, "X-Timestamp", f"+{stamp}"),
        named(right, "X-Timestamp", f"0x{stamp}"),
        named(right, "X-Timestamp", "９" * 10),
        named(right, "X-Timestamp", "9" * 400),
        named(right, "X-Timestamp", "-1"),
        [*right, ("webhook-signature", "v1,x")],
        named(named(right, "X-Signature", None), "webhook-signature", "v1,x"),
    ]
    replies = [await door.send("POST", URL, case, BODY) for case in cases]
    assert [reply.status for reply in replies] == [401] * len(cases)
    assert len({reply.body for reply in replies}) == 1


async def test_every_refusal_has_the_same_bytes_whatever_its_cause(door: House) -> None:
    right = door.signed(BODY)
    replies = [
        await door.send("POST", URL, right[1:], BODY),
        await door.send("POST", URL, named(right, "X-API-Key", "sk_acme_unknown"), BODY),
        await door.send("POST", URL, named(right, "X-API-Key", "\udcff"), BODY),
        await door.send("POST", URL, right[:1], BODY),
        await door.send("POST", URL, door.signed(BODY, company=door.beta)[1:] + right[:1], BODY),
        await door.send("POST", URL, door.signed(BODY, offset=-900), BODY),
    ]
    assert {reply.status for reply in replies} == {401}
    assert len({reply.body for reply in replies}) == 1
    kinds = [
        {k: v for k, v in r.headers.items() if k not in ("date", "x-request-id", "x-server-time")} for r in replies
    ]
    assert all(kind == kinds[0] for kind in kinds)


async def test_staff_see_the_true_cause_of_each_refusal(door: House) -> None:
    right = door.signed(BODY)
    for headers, cause in (
        (right[1:], "no key"),
        (named(right, "X-API-Key", "sk_x"), "unknown key"),
        (right[:1], "unsigned"),
        (named(right, "X-Signature", "sha256=zz"), "malformed signature"),
        (named(right, "X-Signature", "sha256=" + "0" * 64), "signature mismatch"),
        (door.signed(BODY, offset=-301), "stale timestamp"),
    ):
        await door.send("POST", URL, headers, BODY)
        assert cause in await door.causes()


async def test_a_manager_sees_the_refusals_of_their_companies_only(door: House) -> None:
    from siems.vocabulary import Role

    await door.hire("mara", Role.MANAGER, "comp-beta")
    await door.send("POST", URL, door.signed(BODY)[:1], BODY)
    await door.send("POST", URL, door.signed(BODY, company=door.beta)[:1], BODY)
    await door.causes()
    reply = await door.ask("mara", "GET", "/rejections")
    assert {item["company_id"] for item in reply.json()["items"]} == {"comp-beta"}


async def test_refusals_are_told_to_staff_as_they_are_written_and_never_to_clients(door: House) -> None:
    from siems.vocabulary import Role

    await door.hire("carl", Role.CLIENT, "comp-acme")
    await door.hire("tess", Role.TECHNICIAN, "comp-acme")
    async with door.events("carl") as client, door.events("tess") as staff:
        assert {(await client())["type"], (await staff())["type"]} == {"hello"}
        await door.send("POST", URL, door.signed(BODY)[:1], BODY)
        await door.causes()
        await door.alert()
        told = await staff()
        assert (told["type"], told["object"], told["data"]["count"]) == ("delivery.refused", "comp-acme", 1)
        assert (await client())["type"] == "alert.received"
    kinds = {who: [one["kind"] for one in (await door.ask(who, "GET", "/arrivals")).json()["items"]]
             for who in ("tess", "carl")}  # fmt: skip
    assert kinds == {"tess": ["received", "refused"], "carl": ["received"]}
    gone = await door.ask("tess", "GET", "/arrivals?after=efffff")
    assert (gone.status, gone.code) == (410, "cursor_gone")


def standard(house: House, body: bytes, *, stamp: int | None = None, delivery: str = "msg_1") -> list[tuple[str, str]]:
    at = int(house.clock.now().timestamp()) if stamp is None else stamp
    key = base64.b64decode(house.acme.hmac_secret.removeprefix("whsec_"))
    value = base64.b64encode(hmac.digest(key, f"{delivery}.{at}.".encode() + body, sha256)).decode()
    return [
        ("X-API-Key", house.acme.api_key), ("webhook-id", delivery), ("webhook-timestamp", str(at)),
        ("webhook-signature", f"v1,{value}"),
    ]  # fmt: skip


async def test_standard_webhooks_are_accepted_and_their_id_is_the_delivery(door: House) -> None:
    assert (await door.send("POST", URL, standard(door, BODY), BODY)).json()["duplicate"] is False
    assert (await door.send("POST", URL, standard(door, BODY), BODY)).json()["duplicate"] is True


async def test_standard_webhooks_may_carry_several_signatures(door: House) -> None:
    right = standard(door, BODY)
    several = named(right, "webhook-signature", f"v1,AAAA v1a,zzz {right[3][1]}")
    assert (await door.send("POST", URL, several, BODY)).status == 202


@pytest.mark.parametrize("change", ["id", "stamp", "body", "stale", "twice", "none"])
async def test_a_standard_webhook_that_was_changed_is_refused(door: House, change: str) -> None:
    right, body = standard(door, BODY), BODY
    match change:
        case "id":
            right = named(right, "webhook-id", "msg_2")
        case "stamp":
            right = named(right, "webhook-timestamp", str(int(right[2][1]) + 1))
        case "body":
            body = BODY + b" "
        case "stale":
            right = standard(door, BODY, stamp=int(door.clock.now().timestamp()) - 301)
        case "twice":
            right = [*right, ("webhook-id", "msg_1")]
        case _:
            right = named(right, "webhook-signature", "v1,")
    assert (await door.send("POST", URL, right, body)).status == 401


def test_the_signature_of_our_own_senders_is_the_one_of_the_contract() -> None:
    from datetime import UTC, datetime

    at = datetime(2026, 3, 10, tzinfo=UTC)
    wanted = hmac.new(b"s3cret", b"1773100800." + BODY, "sha256").hexdigest()
    assert signature.sign("s3cret", BODY, at=at) == {"X-Timestamp": "1773100800", "X-Signature": f"sha256={wanted}"}
