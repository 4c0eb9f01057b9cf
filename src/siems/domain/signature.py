"""Whether a request was signed with a company's secret (DOMAIN §3). Strict about form, constant in time.

Two forms: `X-Signature: sha256=<hex>` with `X-Timestamp` over "{timestamp}.{body}", and Standard Webhooks
(`webhook-id`, `webhook-timestamp`, `webhook-signature`). What is signed are the bytes as they came.
"""

from __future__ import annotations

import binascii
import hmac
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Protocol

_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z", re.ASCII)
_HEX = re.compile(r"sha256=[0-9a-f]{64}", re.ASCII)


class Cause(StrEnum):
    """Why a request is not let in; told to staff, never to the sender."""

    UNSIGNED = "unsigned"
    MALFORMED = "malformed signature"
    MISMATCH = "signature mismatch"
    STALE = "stale timestamp"
    UNKNOWN_KEY = "unknown key"
    NO_KEY = "no key"
    REVOKED = "revoked key"
    EXPIRED = "expired key"
    WRONG_SOURCE = "key of another tool"
    WRONG_ADDRESS = "address not allowed"
    NO_SECRET = "secret not given yet"  # noqa: S105 (no secret, but that there is none)
    NOT_AMAZON = "not signed by Amazon SNS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """How a tool signs its deliveries: an HMAC in a header, or a shared secret as it is.

    With `time_header` the time in it, in seconds or by RFC 3339, must be fresh, and is signed as `time + joint + body`
    when `joint` is set, or as `body + joint + time` when it is `time_last`.
    `kind` is "hmac", "header" (the secret itself is the header's value) or "field" (it is a field of the JSON body).
    """

    kind: str = "hmac"
    hash: str = "sha256"
    header: str = ""
    prefix: str = ""
    base64: bool = False
    time_header: str = ""
    joint: str | None = None
    time_last: bool = False
    separator: str = ""
    """Between several signatures in one header, one of which must be right."""
    field: str = ""
    given: bool = False
    """Whether the tool makes the secret, so that siems has to be told it."""

    def told(self) -> str:
        """How it signs, for people."""
        if self == SIEMS:
            return "HMAC-SHA256 of time and body in X-Signature"
        if self.kind == "field":
            return f"a secret in the field {self.field}"
        return f"a secret in {self.header}" if self.kind == "header" else f"HMAC-{self.hash.upper()} in {self.header}"


SIEMS = Scheme(header="X-Signature", prefix="sha256=", time_header="X-Timestamp", joint=".")
"""The contract's own."""


class Headers(Protocol):
    """Headers as a server has them: names in any case, a name perhaps twice."""

    def getall(self, key: str, default: list[str]) -> Sequence[str]: ...


def verify(
    headers: Headers, body: bytes, secret: str, *, now: datetime, tolerance: int, scheme: Scheme | None = None
) -> Cause | None:
    """None when the signature is right and fresh, else why not. A tool that signs in its own way has a `scheme`."""
    standard = headers.getall("webhook-signature", [])
    own = headers.getall("X-Signature", [])
    if not own and not standard:
        if scheme is None or scheme is SIEMS:
            return Cause.UNSIGNED
        return _by_scheme(scheme, headers, body, secret, now, tolerance)
    if len(own) > 1 or len(standard) > 1 or (own and standard):
        return Cause.MALFORMED
    return _standard(headers, standard[0], body, secret, now, tolerance) if standard else _own(
        headers, own[0], body, secret, now, tolerance
    )  # fmt: skip


def _own(headers: Headers, given: str, body: bytes, secret: str, now: datetime, tolerance: int) -> Cause | None:
    stamps = headers.getall("X-Timestamp", [])
    if len(stamps) != 1 or not _SECONDS.fullmatch(stamps[0]) or not _HEX.fullmatch(given):
        return Cause.MALFORMED
    wanted = _digest(secret.encode(), stamps[0].encode() + b"." + body)
    if not hmac.compare_digest(wanted, bytes.fromhex(given[7:])):
        return Cause.MISMATCH
    return None if _fresh(stamps[0], now, tolerance) else Cause.STALE


def _standard(headers: Headers, given: str, body: bytes, secret: str, now: datetime, tolerance: int) -> Cause | None:
    ids, stamps = headers.getall("webhook-id", []), headers.getall("webhook-timestamp", [])
    if len(ids) != 1 or len(stamps) != 1 or not _SECONDS.fullmatch(stamps[0]) or not ids[0].isascii():
        return Cause.MALFORMED
    try:
        key = b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return Cause.MALFORMED
    signed = f"{ids[0]}.{stamps[0]}.".encode() + body
    wanted = b"v1," + b64encode(_digest(key, signed))
    offered = given.encode("utf-8", "surrogateescape").split(b" ")[:8]
    matches = [hmac.compare_digest(wanted, one) for one in offered]  # all of them, so that time tells nothing
    if not any(matches):
        return Cause.MISMATCH
    return None if _fresh(stamps[0], now, tolerance) else Cause.STALE


def _by_scheme(
    scheme: Scheme, headers: Headers, body: bytes, secret: str, now: datetime, tolerance: int
) -> Cause | None:
    if scheme.kind == "field":
        return _same(_field_of(body, scheme.field), secret)
    given = headers.getall(scheme.header, [])
    if not given:
        return Cause.UNSIGNED
    if len(given) > 1 or not given[0].startswith(scheme.prefix):
        return Cause.MALFORMED
    if scheme.kind == "header":
        return _same(given[0][len(scheme.prefix) :], secret)
    message, stamp = body, ""
    if scheme.time_header:
        stamps = headers.getall(scheme.time_header, [])
        if len(stamps) != 1 or not (_SECONDS.fullmatch(stamps[0]) or _INSTANT.fullmatch(stamps[0])):
            return Cause.MALFORMED
        stamp = stamps[0]
        if scheme.joint is not None:
            around = f"{stamp}{scheme.joint}".encode(), f"{scheme.joint}{stamp}".encode()
            message = body + around[1] if scheme.time_last else around[0] + body
    digest = _digest(secret.encode(), message, scheme.hash)
    wanted = scheme.prefix.encode() + (b64encode(digest) if scheme.base64 else digest.hex().encode())
    offered = given[0].split(scheme.separator)[:8] if scheme.separator else given
    matches = [hmac.compare_digest(wanted, one.strip().encode("utf-8", "surrogateescape")) for one in offered]
    if not any(matches):
        return Cause.MISMATCH
    return Cause.STALE if stamp and not _fresh(stamp, now, tolerance) else None


def _same(given: str, secret: str) -> Cause | None:
    if not given:
        return Cause.UNSIGNED
    right = hmac.compare_digest(secret.encode(), given.encode("utf-8", "surrogateescape"))
    return None if right else Cause.MISMATCH


def _field_of(body: bytes, field: str) -> str:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    found = value.get(field) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""


@lru_cache(maxsize=4_096)
def _keyed(secret: bytes, algorithm: str) -> hmac.HMAC:
    return hmac.new(secret, digestmod=algorithm)


def _digest(secret: bytes, message: bytes, algorithm: str = "sha256") -> bytes:
    """An HMAC, begun once per secret: `hmac.digest` would let go of the interpreter's lock for each message,
    and wait for the writer to get it back."""
    keyed = _keyed(secret, algorithm).copy()
    keyed.update(message)
    return keyed.digest()


def _fresh(stamp: str, now: datetime, tolerance: int) -> bool:
    if stamp.isdigit():
        return abs(now.timestamp() - int(stamp)) <= tolerance
    try:
        return abs((now - datetime.fromisoformat(stamp)).total_seconds()) <= tolerance
    except ValueError:  # the 30th of February
        return False


def sign(secret: str, body: bytes, *, at: datetime) -> dict[str, str]:
    """The headers that `verify` lets in: for senders of ours."""
    stamp = str(int(at.timestamp()))
    value = hmac.digest(secret.encode(), stamp.encode() + b"." + body, "sha256").hex()
    return {"X-Timestamp": stamp, "X-Signature": f"sha256={value}"}
