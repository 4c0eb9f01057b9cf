"""Whether a request comes from Slack: `v0=` over the time and the raw body, with the signing secret."""

from __future__ import annotations

import hmac
import re
from datetime import datetime

TOLERANCE = 300
"""Seconds that the request may be old, or ahead."""
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)


def signature(secret: str, stamp: str, body: bytes) -> str:
    """What X-Slack-Signature says of this body at this X-Slack-Request-Timestamp."""
    return "v0=" + hmac.digest(secret.encode(), b"v0:" + stamp.encode() + b":" + body, "sha256").hex()


def right(secret: str, stamp: str, body: bytes, given: str, *, now: datetime) -> bool:
    """Whether it is so and fresh; in constant time. Never without a secret."""
    if not _SECONDS.fullmatch(stamp):
        return False
    same = hmac.compare_digest(signature(secret, stamp, body).encode(), given.encode("utf-8", "surrogateescape"))
    return same and bool(secret) and abs(now.timestamp() - int(stamp)) <= TOLERANCE
