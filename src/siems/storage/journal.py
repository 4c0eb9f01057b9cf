"""An undo list for what the writer keeps in memory: a verb that fails leaves no trace of itself."""

from __future__ import annotations

from typing import Any, Final

_ABSENT: Final = object()
_APPENDED: Final = object()


class _Attribute(str):
    """The name of an attribute that was replaced."""

    __slots__ = ()


class Journal:
    """Changes to plain dicts and lists, so that they can be taken back to a mark.

    Values must be immutable, or changed only through the journal themselves.
    """

    __slots__ = ("_done",)

    def __init__(self) -> None:
        self._done: list[tuple[Any, Any, Any]] = []

    def set(self, mapping: dict[Any, Any], key: Any, value: Any) -> None:
        self._done.append((mapping, key, mapping.get(key, _ABSENT)))
        mapping[key] = value

    def drop(self, mapping: dict[Any, Any], key: Any) -> None:
        if key in mapping:
            self._done.append((mapping, key, mapping.pop(key)))

    def append(self, items: list[Any], item: Any) -> None:
        self._done.append((items, _APPENDED, None))
        items.append(item)

    def replace(self, holder: Any, name: str, value: Any) -> None:
        """Another value for an attribute."""
        self._done.append((holder, _Attribute(name), getattr(holder, name)))
        setattr(holder, name, value)

    def mark(self) -> int:
        """A point to come back to."""
        return len(self._done)

    def rollback(self, mark: int) -> None:
        """Take back everything since the mark, newest first."""
        done = self._done
        while len(done) > mark:
            holder, key, old = done.pop()
            if key is _APPENDED:
                holder.pop()
            elif type(key) is _Attribute:
                setattr(holder, key, old)
            elif old is _ABSENT:
                holder.pop(key, None)
            else:
                holder[key] = old

    def forget(self) -> None:
        """What was done is kept for good."""
        self._done.clear()
