"""A copy of a fact with some values changed, quickly: every alert that arrives makes two or three."""

from __future__ import annotations

from typing import Any, TypeVar

F = TypeVar("F")


def changed(fact: F, **changes: Any) -> F:
    """As `dataclasses.replace`, for frozen dataclasses without slots that check nothing when they are made.

    It copies what the fact holds at once instead of calling `__init__` with 60 values, which takes a tenth of the
    time. Raises KeyError for a field that is none.
    """
    copy = object.__new__(type(fact))
    held = vars(copy)
    held.update(vars(fact))
    for name, value in changes.items():
        if name not in held:
            raise KeyError(name)
        held[name] = value
    return copy
