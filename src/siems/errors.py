"""The error tree. A class carries its exit code, HTTP status and whether trying again can help.

SiemsError
├── UsageError        2  400  the request cannot be understood or is incomplete
│   └── InvalidField  2  422  one named field has a value that cannot be taken
├── NotFound          3  404  no such object, or none that the caller may know of
├── NotAuthenticated  4  401  who is asking is unknown
├── Forbidden         5  403  known, but not allowed
├── Conflict          6  409  the state does not allow it; names the next legal step
│   ├── StaleVersion  6  409  somebody else changed it first
│   ├── ReplayMismatch 6 422  a delivery id was used for another body
│   └── Locked        6  409  another process holds the database
├── CursorGone       10  410  the stream does not reach back that far: load again
├── Pending           8  202  not yet
├── Negative          9  200  the check ran and the answer is no
├── RateLimited      10  429  too many; says when to try again
├── TooLarge          2  413  the body is larger than allowed
├── UnsupportedMedia  2  415  an encoding that is not taken
└── Unavailable      10  503  cannot answer now; says when to try again
    └── Overloaded   10  503  more waits to be stored than there is room for
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class SiemsError(Exception):
    """Something siems can explain: a message for the cause and a hint for the next step."""

    code: ClassVar[str] = "internal"
    exit: ClassVar[int] = 1
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str = "", retry_after: int | None = None,
                 headers: Mapping[str, str] | None = None) -> None:  # fmt: skip
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.retry_after = retry_after
        self.headers = dict(headers or {})
        """What an HTTP answer says besides."""
        self.request_id = ""


class UsageError(SiemsError):
    code, exit, status = "usage", 2, 400


class InvalidField(UsageError):
    code, status = "invalid_field", 422


class NotFound(SiemsError):
    code, exit, status = "not_found", 3, 404


class NotAuthenticated(SiemsError):
    code, exit, status = "auth", 4, 401


class Forbidden(SiemsError):
    code, exit, status = "forbidden", 5, 403


class Conflict(SiemsError):
    code, exit, status = "conflict", 6, 409


class StaleVersion(Conflict):
    code = "stale_version"


class ReplayMismatch(Conflict):
    code, status = "replay_mismatch", 422


class Locked(Conflict):
    code = "locked"


class CursorGone(SiemsError):
    code, exit, status = "cursor_gone", 10, 410


class Pending(SiemsError):
    code, exit, status = "pending", 8, 202


class Negative(SiemsError):
    code, exit, status = "negative", 9, 200


class RateLimited(SiemsError):
    code, exit, status, retryable = "rate_limited", 10, 429, True


class TooLarge(SiemsError):
    code, exit, status = "too_large", 2, 413


class UnsupportedMedia(SiemsError):
    code, exit, status = "unsupported_media", 2, 415


class Unavailable(SiemsError):
    code, exit, status, retryable = "unavailable", 10, 503, True


class Overloaded(Unavailable):
    code = "overloaded"


BY_CODE: dict[str, type[SiemsError]] = {
    kind.code: kind
    for kind in (
        SiemsError, UsageError, InvalidField, NotFound, NotAuthenticated, Forbidden, Conflict, StaleVersion,
        ReplayMismatch, Locked, CursorGone, Pending, Negative, RateLimited, TooLarge, UnsupportedMedia,
        Unavailable, Overloaded,
    )
}  # fmt: skip
