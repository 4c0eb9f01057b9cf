"""Facts, and copies of them with some values changed: every alert that arrives makes two or three."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

import msgspec

F = TypeVar("F")


class Fact(msgspec.Struct, frozen=True, gc=False):
    """What is kept by the hundred thousand: a frozen object without a dict of its own, made and copied in C.

    It may hold values, tuples and mappings of them, and never itself: the garbage collector does not look inside.
    """


def replace(fact: F, **changes: Any) -> F:
    """As `dataclasses.replace`, for dataclasses and facts. Raises TypeError for a field that is none."""
    if isinstance(fact, msgspec.Struct):
        return msgspec.structs.replace(fact, **changes)
    return dataclasses.replace(fact, **changes)  # type: ignore[type-var]
