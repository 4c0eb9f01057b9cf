"""What every shape is made of, and the shapes that carry others."""

from __future__ import annotations

from datetime import datetime
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Wire(msgspec.Struct, kw_only=True, omit_defaults=False):
    """A shape that is sent; readers ignore fields they do not know."""


class Ask(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A shape that is received; an unknown field is refused."""


class Page(Wire, Generic[T]):
    """A stretch of a list; `next` is the cursor of the following one, None at the end. `at_least`: there may be more
    than `total`; and a stretch may be shorter than what was asked for, and still have a next one."""

    items: list[T]
    next: str | None
    total: int
    as_of: datetime
    at_least: bool = False


class Problem(Wire):
    """RFC 9457: why a request was refused, and what to do."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    hint: str
