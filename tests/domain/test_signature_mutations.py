"""S1: of all requests that differ from the true one in a single byte, none is let in."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from siems.domain.signature import Cause, sign, verify

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
BODY = b'{"asset_name": "web-1", "signature": "high_cpu", "severity": "high"}'
OWN = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


class Given(dict[str, str]):
    """Headers that came once each."""

    def getall(self, key: str, default: list[str]) -> Sequence[str]:
        return [self[key]] if key in self else default


def standard() -> Given:
    stamp, key = str(int(NOW.timestamp())), base64.b64decode(OWN.removeprefix("whsec_"))
    value = base64.b64encode(hmac.digest(key, f"msg_1.{stamp}.".encode() + BODY, sha256)).decode()
    return Given({"webhook-id": "msg_1", "webhook-timestamp": stamp, "webhook-signature": f"v1,{value}"})


FORMS = {"own": Given(sign(OWN, BODY, at=NOW)), "standard": standard()}


def let_in(headers: Given, body: bytes) -> bool:
    return verify(headers, body, OWN, now=NOW, tolerance=300) is None


def mutations(data: bytes) -> Iterator[bytes]:
    """Every change of one byte, every byte left out, every byte put in."""
    for place in range(len(data) + 1):
        for value in range(256):
            if place < len(data) and data[place] != value:
                yield data[:place] + bytes([value]) + data[place + 1 :]
        yield data[:place] + data[place + 1 :] if place < len(data) else data + b"0"


@pytest.mark.parametrize("form", FORMS)
def test_no_body_but_the_true_one_is_let_in(form: str) -> None:
    assert let_in(FORMS[form], BODY)
    assert not [body for body in mutations(BODY) if let_in(FORMS[form], body)]


@pytest.mark.parametrize(("form", "name"), [(form, name) for form, headers in FORMS.items() for name in headers])
def test_no_header_but_the_true_one_is_let_in(form: str, name: str) -> None:
    value = FORMS[form][name].encode()
    passed = [
        mutant for mutant in mutations(value)
        if let_in(Given({**FORMS[form], name: mutant.decode("utf-8", "surrogateescape")}), BODY)
    ]  # fmt: skip
    assert passed == []


@pytest.mark.parametrize("form", FORMS)
def test_every_other_time_is_stale_or_a_mismatch(form: str) -> None:
    for offset, wanted in ((-301, Cause.STALE), (-300, None), (300, None), (301, Cause.STALE)):
        at = datetime.fromtimestamp(NOW.timestamp() - offset, UTC)
        assert verify(FORMS[form], BODY, OWN, now=at, tolerance=300) is wanted


def test_no_other_secret_lets_it_in() -> None:
    for mutant in mutations(OWN.encode()):
        secret = mutant.decode("utf-8", "replace")
        assert verify(FORMS["own"], BODY, secret, now=NOW, tolerance=300) is not None
