"""What depends on what, as the inventory says: who is upstream of an asset, and which assets hang together."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

MOST_ABOVE = 64
DEEPEST = 3
"""So many steps up is a cause looked for: with more than two assets between them that say nothing it is none."""
_NOTHING: Mapping[str, int] = MappingProxyType({})


class Topology:
    """A company's graph, read-only; what was found in it is kept, so a changed inventory needs a new one."""

    __slots__ = ("_above", "_below", "_edges", "_systems")

    def __init__(self, edges: Mapping[str, tuple[str, ...]]) -> None:
        self._edges = edges
        self._above: dict[str, Mapping[str, int]] = {}
        self._below: frozenset[str] | None = None
        self._systems: dict[str, str] | None = None

    def above(self, asset: str) -> Mapping[str, int]:
        """What an asset depends on, directly and not, with the number of steps; the nearest first, 64 at most."""
        found = self._above.get(asset)
        if found is None:
            found = self._above[asset] = self._climb(asset) if asset in self._edges else _NOTHING
        return found

    def _climb(self, asset: str) -> Mapping[str, int]:
        steps, row = {asset: 0}, [asset]
        for depth in range(1, DEEPEST + 1):
            row = sorted({other for name in row for other in self._edges.get(name, ()) if other not in steps})
            for other in row:
                if len(steps) > MOST_ABOVE:
                    break
                steps[other] = depth
        del steps[asset]
        return steps

    def needs(self, asset: str) -> tuple[str, ...]:
        """What an asset depends on directly."""
        return self._edges.get(asset, ())

    def knows(self, asset: str) -> bool:
        """Whether the asset depends on something, or something on it."""
        if asset in self._edges:
            return True
        if self._below is None:
            self._below = frozenset(other for others in self._edges.values() for other in others)
        return asset in self._below

    def system(self, asset: str) -> str | None:
        """The name of what hangs together with an asset; None for one of which nothing is known."""
        if not self._edges:
            return None
        systems = self._systems
        if systems is None:
            systems = self._systems = self._connected()
        return systems.get(asset)

    def _connected(self) -> dict[str, str]:
        """Each known asset with the name of its system."""
        root: dict[str, str] = {}

        def find(name: str) -> str:
            while (above := root.setdefault(name, name)) != name:
                root[name] = root.setdefault(above, above)
                name = root[name]
            return name

        for asset, others in self._edges.items():
            for other in others:
                root[find(asset)] = find(other)
        return {name: find(name) for name in tuple(root)}
