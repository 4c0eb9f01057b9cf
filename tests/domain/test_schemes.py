"""How tools sign: each scheme lets in exactly what the tool would send, and nothing a byte away from it."""

from __future__ import annotations

import hmac
import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from siems.domain.signature import SIEMS, Cause, Scheme, verify

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
BODY = json.dumps({"kind": "down", "sharedSecret": "s3cret"}).encode()


class Headers(dict[str, str]):
    def getall(self, key: str, default: list[str]) -> list[str]:
        return [self[key]] if key in self else default


def digest(message: bytes) -> bytes:
    return hmac.digest(b"s3cret", message, "sha256")


PLAIN = Scheme(header="X-Signed", prefix="sha256=")
BASE64 = Scheme(header="X-Signed", base64=True)
TIMED = Scheme(header="X-Signed", time_header="X-Time", joint=":")
DATED = Scheme(header="X-Signed", base64=True, time_header="X-Time", joint="", time_last=True)
DATE = "2026-03-10T12:00:00Z"
LOOSELY_TIMED = Scheme(header="X-Signed", time_header="X-Time")
SEVERAL = Scheme(header="X-Signed", prefix="v1=", separator=",")
LONG = Scheme(header="X-Signed", hash="sha512")
TOKEN = Scheme(kind="header", header="X-Token", prefix="Bearer ")
FIELD = Scheme(kind="field", field="sharedSecret")

RIGHT: list[tuple[Scheme, dict[str, str]]] = [
    (PLAIN, {"X-Signed": f"sha256={digest(BODY).hex()}"}),
    (BASE64, {"X-Signed": b64encode(digest(BODY)).decode()}),
    (TIMED, {"X-Signed": digest(f"{STAMP}:".encode() + BODY).hex(), "X-Time": STAMP}),
    (DATED, {"X-Signed": b64encode(digest(BODY + DATE.encode())).decode(), "X-Time": DATE}),
    (LOOSELY_TIMED, {"X-Signed": digest(BODY).hex(), "X-Time": STAMP}),
    (SEVERAL, {"X-Signed": f"v1={'0' * 64},v1={digest(BODY).hex()}"}),
    (LONG, {"X-Signed": hmac.digest(b"s3cret", BODY, "sha512").hex()}),
    (TOKEN, {"X-Token": "Bearer s3cret"}),
    (FIELD, {}),
]


def said(scheme: Scheme, headers: dict[str, str], body: bytes = BODY, *, late: float = 0) -> Cause | None:
    now = NOW + timedelta(seconds=late)
    return verify(Headers(headers), body, "s3cret", now=now, tolerance=300, scheme=scheme)


@pytest.mark.parametrize(("scheme", "headers"), RIGHT)
def test_what_the_tool_sends_is_let_in(scheme: Scheme, headers: dict[str, str]) -> None:
    assert said(scheme, headers) is None


@pytest.mark.parametrize(("scheme", "headers"), RIGHT)
def test_a_changed_byte_or_a_missing_header_is_not(scheme: Scheme, headers: dict[str, str]) -> None:
    for name, value in headers.items():
        for position in range(len(value)):
            other = value[:position] + chr(ord(value[position]) ^ 1) + value[position + 1 :]
            if (scheme is SEVERAL and position < 67) or (scheme is LOOSELY_TIMED and name == "X-Time"):
                continue  # the first of two is wrong anyway; a time beside what is signed only has to be fresh
            assert said(scheme, headers | {name: other}) is not None, (name, position)
        assert said(scheme, {k: v for k, v in headers.items() if k != name}) is not None
    if scheme.kind != "header":
        assert said(scheme, headers, BODY.replace(b"s3cret", b"s3creT")) is not None


def test_times_must_be_fresh_where_there_are_some() -> None:
    for scheme, headers in RIGHT[2:5]:
        assert said(scheme, headers, late=299) is None
        assert said(scheme, headers, late=301) is Cause.STALE
        assert said(scheme, headers, late=-301) is Cause.STALE


@pytest.mark.parametrize("date", ["2026-02-30T12:00:00Z", "2026-03-10", "", "now", "2026-03-10T12:00:00+01:00", "٢"])
def test_a_time_that_is_none_is_refused_whatever_was_signed(date: str) -> None:
    signed = {"X-Signed": b64encode(digest(BODY + date.encode())).decode(), "X-Time": date}
    assert said(DATED, signed) in (Cause.MALFORMED, Cause.STALE)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{", b'{"sharedSecret": 7}', b'{"sharedSecret": ""}', b"[" * 9_999]
)
def test_a_secret_in_a_body_that_has_none(body: bytes) -> None:
    assert said(FIELD, {}, body) is Cause.UNSIGNED


def test_whoever_can_may_still_sign_as_the_contract_says() -> None:
    own = {"X-Timestamp": STAMP, "X-Signature": f"sha256={digest(STAMP.encode() + b'.' + BODY).hex()}"}
    for scheme in (PLAIN, FIELD, SIEMS, None):
        assert said(scheme, own) is None  # type: ignore[arg-type]
    assert said(SIEMS, {}) is Cause.UNSIGNED
    assert sha256(BODY).digest() != digest(BODY)
