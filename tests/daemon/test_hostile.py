"""Hostile input: strange bodies, addresses and headers get an answer of 4xx, on both databases the same."""

from __future__ import annotations

import gzip
import json

import pytest

from siems.vocabulary import Role

from .house import ALERT, House

URL = "/api/webhooks/alerts"
DEEP = 100_000


def with_value(field: str, raw: str) -> bytes:
    """The alert of the contract with one field written by hand."""
    rest = {key: value for key, value in ALERT.items() if key != field}
    return f"{json.dumps(rest)[:-1]}, {json.dumps(field)}: {raw}}}".encode()


NOT_JSON = (
    b"", b"{", b"nonsense", b"\xff\xfe", b'{"asset_name": "\xff"}', b"\x00", b'"\\ud800"', b"[" * DEEP,
    b'{"a":' * DEEP, b"{} {}", b"{'a': 1}", b"\xef\xbb\xbf{}", b"NaN", with_value("message", "NaN"),
    with_value("message", "Infinity"), with_value("message", '"\\ud800"'), with_value("message", "01"),
    with_value("x", "[" * DEEP), with_value("x", "1" + "0" * 5_000),
)  # fmt: skip
NO_ALERT = (b"null", b"1", b'"text"', b"[]", b"[1]", b"{}", b'{"asset_name": "a"}', b'{"alerts": []}', b"[null]")
STRANGE = tuple(
    with_value(field, raw)
    for field in ("message", "severity", "starts_at", "tool_source", "labels", "links", "dedup_key", "status", "extra")
    for raw in (
        '"\\u0000"', '"a\\u0000b"', "1e308", "-1e308", "1e400", "123456789012345678901234567890", "null", "true", "[]",
        '{"a": [1, {"b": 123456789012345678901234567890}]}', '"' + "x" * 20_000 + '"', '"\\u202e\\u001b[2J"', "[[[]]]",
        '"9999-12-31T23:59:59Z"', '"0001-01-01T00:00:00+14:00"', "1e18", '{"\\u0000": "\\u0000"}',
    )
)  # fmt: skip


async def test_what_is_no_json_and_no_alert_is_refused_and_listed(house: House) -> None:
    for body in NOT_JSON:
        house.runtime.limiter._buckets.clear()
        reply = await house.alert(body)
        assert reply.status == 400, body[:60]
        assert reply.code == "usage"
    for body in NO_ALERT:
        house.runtime.limiter._buckets.clear()
        reply = await house.alert(body)
        assert reply.status == 422, body[:60]
    assert "unreadable body" in await house.causes()


async def test_strange_values_are_stored_readably_or_refused_but_never_an_error(house: House) -> None:
    for number, body in enumerate(STRANGE):
        house.runtime.limiter._buckets.clear()
        reply = await house.alert(body.replace(b"high_cpu_usage", b"signature_%d" % number))
        assert reply.status in (202, 400, 422), (body[-80:], reply)
    listed = await house.ask("root", "GET", "/alerts?limit=1000")
    assert listed.status == 200
    assert "\x00" not in str(listed.json()).replace("\\x00", "")
    assert len(listed.json()["items"]) > 100
    for item in listed.json()["items"][:20]:
        assert (await house.ask("root", "GET", f"/alerts/{item['id']}")).status == 200


async def test_many_labels_links_and_alerts_are_kept_within_limits(house: House) -> None:
    many = ALERT | {
        "labels": {f"l{n}": "v" for n in range(500)},
        "links": ["https://x.example"] * 50,
        **{f"u{n}": n for n in range(200)},
    }
    reply = await house.alert(many)
    assert reply.status == 202
    assert any("64 labels" in warning for warning in reply.json()["warnings"])
    [item] = (await house.ask("root", "GET", "/alerts")).json()["items"]
    assert len(item["labels"]) <= 64
    assert len(item["links"]) <= 16
    assert (await house.alert([ALERT] * 1_001)).status == 422


async def test_only_web_addresses_become_links(house: House) -> None:
    links = ["javascript:alert(1)", "file:///etc/passwd", "https://ok.example/x", 7, None, "HTTPS://UP.example"]
    await house.alert(ALERT | {"links": links})
    [item] = (await house.ask("root", "GET", "/alerts")).json()["items"]
    assert item["links"][0] == "https://ok.example/x"
    assert all(link.lower().startswith("https://") for link in item["links"])


async def test_a_body_that_is_too_large_is_413(door: House) -> None:
    body = json.dumps(ALERT | {"message": "x" * (1024 * 1024)}).encode()
    reply = await door.alert(body)
    assert (reply.status, reply.code) == (413, "too_large")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "GZIP", "identity, gzip"])
async def test_compressed_bodies_are_refused_before_anything_is_inflated(door: House, encoding: str) -> None:
    bomb = gzip.compress(b"0" * 10_000_000)
    reply = await door.send("POST", URL, [*door.signed(bomb), ("Content-Encoding", encoding)], bomb)
    assert (reply.status, reply.code) == (415, "unsupported_media")


async def test_other_methods_and_unknown_sources_say_so(door: House) -> None:
    assert (await door.send("GET", URL)).status == 405
    reply = await door.send("POST", "/api/webhooks/datadgo")
    assert reply.status == 404
    assert (await door.send("GET", "/nowhere")).code == "not_found"


@pytest.mark.parametrize("delivery", ["", "x" * 201, "a\tb", "\udcff", "​"])
async def test_a_delivery_id_is_one_printable_text(door: House, delivery: str) -> None:
    body = json.dumps(ALERT).encode()
    reply = await door.send("POST", URL, [*door.signed(body), ("X-Delivery-ID", delivery)], body)
    assert reply.status == 422
    twice = [*door.signed(body), ("X-Delivery-ID", "a"), ("X-Delivery-ID", "b")]
    assert (await door.send("POST", URL, twice, body)).status == 422


BROKEN = (
    b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00", b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /api/webhooks/alerts HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: " + b"a" * 20_000 + b"\r\n\r\n",
)  # fmt: skip


async def test_broken_http_is_refused_and_the_next_request_is_served(door: House) -> None:
    for request in BROKEN:
        reply = await door.raw(request)
        assert 400 <= reply.status < 500, request[:40]
    assert (await door.send("GET", "/livez")).status == 200


PATHS = (
    "/incidents/%00", "/incidents/INC-%00", "/incidents/%FF", "/incidents/\udcff", "/incidents/INC-9999999999999999999",
    "/incidents/-1", "/incidents/1e3", "/incidents/%2e%2e%2f", "/alerts/%00", "/alerts/\udcff", "/companies/%00",
    "/companies/\udcff", "/companies/%ED%A0%80", "/idempotency/%00", "/idempotency/\udcff", "/audit?object=%00",
    "/audit?company=%00", "/audit?limit=x", "/audit?limit=-1", "/users?company=%00", "/incidents?query=%00",
    "/incidents?query=\udcff", "/incidents?query=asset:%00", "/incidents?limit=%D9%A3", "/incidents?cursor=%00",
    "/incidents?sort=%00", "/alerts?query=title:x", "/alerts?cursor=%FF", "/inbox?limit=99999999999",
    "/incidents?query=" + "(" * 300, "/incidents?query=created:>999999999w", "/companies/comp-acme/assets/%00",
    "/events?cursor=%00", "/events?cursor=e" + "f" * 30, "/incidents/INC-1/actions/%00", "/incidents/٣",
)  # fmt: skip


async def test_strange_addresses_are_answered_as_refusals_and_never_as_errors(house: House) -> None:
    await house.alert()
    for path in PATHS:
        for method in ("GET", "POST"):
            reply = await house.ask("root", method, path, {})
            assert 200 <= reply.status < 500, (method, path, reply)


async def test_strange_headers_are_answered_as_refusals_and_never_as_errors(house: House) -> None:
    await house.alert()
    for name, value in (
        ("Idempotency-Key", "\udcff"), ("Idempotency-Key", "x" * 201), ("If-Match", "\udcff"), ("If-Match", "9" * 30),
        ("If-Match", "W/\"1\""), ("X-Siems-Via", "\udcff"), ("X-Siems-Via", "system"), ("Accept", "\udcff"),
    ):  # fmt: skip
        reply = await house.ask("root", "POST", "/incidents/INC-1/actions/note", {"note": "x"}, headers=[(name, value)])
        assert 200 <= reply.status < 500, (name, reply)
    via = (await house.ask("root", "GET", "/audit?object=INC-1")).json()["items"]
    assert {entry["via"] for entry in via} <= {"api"}


HUGE = 10**30
BODIES = (
    ("POST", "/incidents/INC-1/actions/note", {"note": "a\x00b"}),
    ("POST", "/incidents/INC-1/actions/note", {"note": "x" * 100_000}),
    ("POST", "/incidents/INC-1/actions/resolve", {"note": "\x00", "cause": "\x00"}),
    ("POST", "/incidents/INC-1/actions/escalate", {"reason": "\x00", "level": HUGE}),
    ("POST", "/incidents/INC-1/actions/assign", {"to": "\x00"}),
    ("POST", "/incidents/INC-1/actions/ack", {"version": HUGE}),
    ("POST", "/incidents/INC-1/actions/hold", {"hold_for": "client", "until": "2026-03-10T13:00:00"}),
    ("POST", "/incidents/INC-1/actions/hold", {"hold_for": "client", "until": "9999-12-31T23:59:59+00:00"}),
    ("POST", "/incidents/INC-1/actions/ack", {"company_id": "comp-beta"}),
    ("POST", "/incidents/INC-1/actions/ack", [1]),
    ("POST", "/incidents/INC-1/actions/ack", b"\xff"),
    ("POST", "/incidents/INC-1/actions/ack", b"[" * DEEP),
    ("POST", "/companies", {"name": "a\x00b"}),
    ("POST", "/companies", {"name": "New", "rate_per_minute": HUGE}),
    ("POST", "/companies", {"name": "n" * 5_000}),
    ("POST", "/companies", {"name": "Slug", "slug": "\x00"}),
    ("PATCH", "/companies/acme", {"name": "\x00"}),
    ("PATCH", "/companies/acme", {"rate_per_minute": HUGE}),
    ("PATCH", "/companies/acme", {"window_minutes": -HUGE}),
    ("PATCH", "/companies/acme", {"reason": "\x00", "min_alerts": 1}),
    ("POST", "/companies/acme/sla", {"severity": "\x00"}),
    ("POST", "/companies/acme/sla", {"severity": "HIGH", "response_seconds": HUGE}),
    ("PATCH", "/companies/acme/assets/web-server-01", {"critical": "yes"}),
    ("PATCH", "/companies/acme/assets/%00", {"critical": True}),
    ("POST", "/integrations", {"tool": "\x00", "company": "acme"}),
    ("POST", "/integrations", {"tool": "generic", "company": "\x00"}),
    ("POST", "/users", {"name": "\x00", "email": "a@b", "role": "client", "password": "long enough it is"}),
    ("POST", "/users", {"name": "n" * 300, "email": "a@b", "role": "client", "password": "long enough it is"}),
    ("POST", "/users", {"name": "n", "email": "a@" + "b" * 300, "role": "client", "password": "long enough it is"}),
    ("POST", "/users", {"name": "n2", "email": "a@c", "role": "client", "password": "\x00" * 20}),
    ("POST", "/inbox/read", {"ids": [HUGE, -HUGE, 1]}),
    ("POST", "/inbox/read", {"ids": list(range(5_000))}),
)


async def test_strange_bodies_of_the_api_are_answered_as_refusals_and_never_as_errors(house: House) -> None:
    await house.hire("mara", Role.MANAGER, "comp-acme")
    await house.alert()
    for method, path, body in BODIES:
        reply = await house.ask("root", method, path, body)
        assert 200 <= reply.status < 500, (method, path, str(body)[:80], reply)
        if path == "/users" or "\\x00" in str(body):
            assert reply.status in (404, 409, 422), (method, path, reply)
    for path, body in (
        ("/auth/login", {"user": "\x00", "password": "\x00"}),
        ("/auth/login", {"user": "x" * 10_000, "password": "x"}),
        ("/auth/login", {}),
        ("/auth/refresh", {"refresh_token": "\x00"}),
        ("/auth/logout", {"refresh_token": "\x00"}),
    ):
        reply = await house.ask("root", "POST", path, body)
        assert 200 <= reply.status < 500, (path, reply)
    assert (await house.alert()).status == 202
