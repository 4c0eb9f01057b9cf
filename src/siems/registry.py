"""The one plug-in idiom: a name stands for "module:attribute", and is imported when it is used."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from siems.errors import NotFound

T = TypeVar("T")


class Registry(Generic[T]):
    """Names of one kind of plug-in. Listing imports nothing; using one imports one; entry points extend it."""

    def __init__(self, kind: str, entries: dict[str, str], *, aliases: dict[str, str] | None = None) -> None:
        self.kind = kind
        self._entries = dict(entries)
        self._aliases = dict(aliases or {})
        self._loaded: dict[str, T] = {}
        self._extended = False

    def _extend(self) -> None:
        if not self._extended:
            self._extended = True
            for point in entry_points(group=f"siems.{self.kind}"):
                self._entries.setdefault(point.name, point.value)

    def __iter__(self) -> Iterator[str]:
        self._extend()
        return iter(sorted(self._entries))

    def canonical(self, name: str) -> str:
        """The registered name behind a name or alias. Raises NotFound with the nearest names."""
        self._extend()
        wanted = name.strip().lower()
        wanted = self._aliases.get(wanted, wanted)
        if wanted not in self._entries:
            near = get_close_matches(wanted, [*self._entries, *self._aliases], n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(self)}"
            raise NotFound(f"there is no {self.kind} called {name!r}", hint=hint)
        return wanted

    def aliases(self, name: str) -> list[str]:
        """Other words for a registered name."""
        return [alias for alias, known in self._aliases.items() if known == name]

    def get(self, name: str) -> T:
        """The plug-in itself, imported on first use. Raises NotFound."""
        wanted = self.canonical(name)
        if wanted not in self._loaded:
            module, _, attribute = self._entries[wanted].partition(":")
            self._loaded[wanted] = getattr(import_module(module), attribute)
        return self._loaded[wanted]
