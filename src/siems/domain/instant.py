"""The order in which alerts of one instant are placed, so that the order in which they were told decides nothing.

A strategy places one alert after the other and looks at what is there already. For alerts that differ in time that is
what happened; for those of one instant, such as the alerts of one body, it would be chance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from siems.domain.alert import Reading
from siems.domain.topology import Topology

Rank = tuple[int, str, str, str]


def rank(asset: str, signature: str, fingerprint: str, topology: Topology) -> Rank:
    """What comes first: what stands on the fewest others, so that a cause is there before its effects."""
    return len(topology.above(asset)), asset, signature, fingerprint


def in_order(
    readings: Sequence[Reading], names: Sequence[str], settled: Callable[[str], bool], topology: Topology
) -> Sequence[int]:  # fmt: skip
    """The places of these readings, as they are to be taken; `names` are their fingerprints.

    Repeats of what is settled (active, with an incident) come first: they place nothing, and keep an incident fresh
    for the others. What one alert did keeps its own order: that it fired and recovered is no chance.
    """
    if len(readings) < 2 or any(reading.thread for reading in readings):  # a mail may be about the one before it
        return range(len(readings))
    repeats: list[int] = []
    ranks: dict[str, Rank] = {}
    others: list[int] = []
    for at, reading in enumerate(readings):
        name = names[at]
        if reading.firing and name not in ranks and settled(name):
            repeats.append(at)
            continue
        others.append(at)
        if name not in ranks:
            ranks[name] = rank(reading.asset_name, reading.signature, name, topology)
    if len(others) > 1:
        others.sort(key=lambda at: ranks[names[at]])
    return repeats + others
