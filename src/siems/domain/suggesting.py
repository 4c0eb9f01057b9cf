"""Which runbooks an incident asks for: those whose patterns match its signatures, then those of its category."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from siems.domain.runbook import Runbook
from siems.domain.runbook_found import RISKS, Found
from siems.domain.runbook_values import compiled
from siems.vocabulary import Category, Platform

MOST = 10
_RUN_ON = frozenset({Platform.LINUX.value, Platform.WINDOWS.value})


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A runbook, why it is offered, how often it has fixed this before, and the assets that it is for."""

    found: Found
    why: str
    matched: bool
    fixed: int
    assets: tuple[str, ...]


def matching(runbook: Runbook, signatures: Iterable[str]) -> str | None:
    """The first signature that a pattern of the runbook matches as a whole; upper and lower case are alike."""
    for signature in signatures:
        if any(compiled(pattern, fold=True).fullmatch(signature) for pattern in runbook.matches):
            return signature
    return None


def suggest(
    usable: Sequence[Found], *, signatures: Sequence[str], category: Category, assets: Mapping[str, str],
    fixed: Mapping[str, int],
) -> list[Suggestion]:  # fmt: skip
    """The best first: what matches a signature before what is of the same category; then what has helped most often;
    then what risks least.

    `assets`: the platform of each asset of the incident, empty where nobody has said it. `fixed`: for each runbook's
    name, how often it has put these signatures right. A runbook for none of the assets is left out.
    """
    suggested = []
    for found in usable:
        runbook = found.runbook
        meant = tuple(name for name, platform in assets.items() if _fits(runbook, platform))
        signature = matching(runbook, signatures)
        alike = category is not Category.OTHER and runbook.category == category.value
        if (assets and not meant) or (signature is None and not alike):
            continue
        why = f"matches {signature}" if signature is not None else f"is about {category.value}"
        times = fixed.get(runbook.name, 0)
        suggested.append(
            Suggestion(found=found, why=why, matched=signature is not None, fixed=times, assets=meant)
        )  # fmt: skip
    return sorted(suggested, key=_rank)[:MOST]


def _fits(runbook: Runbook, platform: str) -> bool:
    """Nobody may have said what an asset runs; what is known to run something else is left out."""
    return platform not in _RUN_ON or platform in runbook.platforms


def _rank(one: Suggestion) -> tuple[bool, int, int, str]:
    return not one.matched, -one.fixed, RISKS.index(one.found.effective_risk), one.found.runbook.name
