"""A copy of a fact with some values changed, quickly: every alert that arrives makes two or three."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter
from typing import Any, TypeVar

F = TypeVar("F")

_Slot = Callable[[Any, Any], None]
_PLANS: dict[type, tuple[Callable[[Any], tuple[Any, ...]], tuple[_Slot, ...], dict[str, _Slot]]] = {}


def changed(fact: F, **changes: Any) -> F:
    """As `dataclasses.replace`, for frozen dataclasses with slots that check nothing when they are made.

    It copies slot by slot instead of calling `__init__`, which takes a third of the time for an incident. Raises
    KeyError for a field that is none.
    """
    kind = type(fact)
    plan = _PLANS.get(kind)
    if plan is None:
        names = tuple(field.name for field in fields(kind))  # type: ignore[arg-type]
        slots = {name: getattr(kind, name).__set__ for name in names}
        plan = _PLANS[kind] = (attrgetter(*names), tuple(slots.values()), slots)
    read, write, by_name = plan
    copy = object.__new__(kind)
    for put, value in zip(write, read(fact), strict=True):
        put(copy, value)
    for name, value in changes.items():
        by_name[name](copy, value)
    return copy
