"""What the alerts of an incident look like together, and which of them is probably the cause: from topology, timing
and what was before. The words of messages are not read for this, so nobody can talk it into anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from siems.domain.advice import Pattern, Question, Symptom
from siems.domain.incident import humanise

STORM_ASSETS, STORM_ALERTS = 5, 20
RECURS_WITHIN = timedelta(days=30)
DEEPEST = 6
"""So far up a chain of dependencies is followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`root` is the asset where it began, "" where none stands out. `behind`: how many of the others it explains."""

    pattern: Pattern
    confidence: float
    cause: str
    evidence: tuple[str, ...]
    root: str = ""
    behind: int = 0


def find(question: Question) -> Finding:
    """The first pattern that fits, from the most telling one."""
    found = _flapping(question) or _cascade(question) or _storm(question) or _recurring(question)
    return found or _isolated(question)


def _flapping(q: Question) -> Finding | None:
    turns = len(q.incident.transitions)
    if not q.incident.flapping:
        return None
    first = q.symptoms[0]
    where = f"{humanise(first.signature)} on {first.asset}"
    cause = (
        f"{where} comes and goes, {turns} times lately: a threshold close to its usual value,"
        " or something that starts again by itself"
    )
    return Finding(pattern=Pattern.FLAPPING, confidence=0.9, cause=cause, evidence=_refs(q.symptoms), root=first.asset)


def upstream_of(asset: str, depends_on: Mapping[str, tuple[str, ...]]) -> set[str]:
    """All that an asset stands on, a few steps up; without itself."""
    found: set[str] = set()
    front = {asset}
    for _ in range(DEEPEST):
        front = {up for one in front for up in depends_on.get(one, ())} - found - {asset}
        if not front:
            break
        found |= front
    return found


def _cascade(q: Question) -> Finding | None:
    """Several assets that stand on one: on one that alerts, or on one that says nothing itself."""
    began = _began(q)
    if len(began) < 2:
        return None
    above = {asset: upstream_of(asset, q.depends_on) for asset in began}
    behind = Counter(up for ups in above.values() for up in ups)
    loud = [(behind[asset], asset) for asset in began if behind[asset]]
    if loud:
        count = max(count for count, _ in loud)
        root = min((asset for many, asset in loud if many == count), key=lambda a: (began[a].at, a))
        return _spread(q, root, count, began)
    silent = [(count, up) for up, count in behind.items() if count >= 2 and count * 2 >= len(began)]
    if not silent:
        return None
    count, root = max(silent, key=lambda one: (one[0], one[1]))
    told = [began[asset] for asset in began if root in above[asset]]
    cause = f"{root}: {count} of {len(began)} affected assets depend on it, and it says nothing itself"
    sure = round(0.4 + 0.35 * count / len(began), 2)
    return Finding(
        pattern=Pattern.CASCADE, confidence=sure, cause=cause, evidence=_refs(told), root=root, behind=count
    )  # fmt: skip


def _spread(q: Question, root: str, count: int, began: Mapping[str, Symptom]) -> Finding:
    others = [one for asset, one in began.items() if asset != root]
    first = min(others, key=lambda one: one.at)
    lead = (first.at - began[root].at).total_seconds()
    order = f"its alert came first, {_span(lead)} before the next" if lead >= 0 else "although others were heard first"
    cause = f"{root} ({humanise(began[root].signature)}): {count} of {len(others)} other assets depend on it; {order}"
    sure = round(min(0.95, 0.5 + 0.35 * count / len(others) + (0.1 if lead >= 0 else 0.0)), 2)
    evidence = _refs([began[root], *(one for one in others if root in upstream_of(one.asset, q.depends_on))])
    return Finding(
        pattern=Pattern.CASCADE, confidence=sure, cause=cause, evidence=evidence, root=root, behind=count
    )  # fmt: skip


def _storm(q: Question) -> Finding | None:
    assets = len({one.asset for one in q.symptoms})
    assets = max(assets, q.incident.asset_count)
    alerts = max(len(q.symptoms), q.incident.alert_count)
    if assets < STORM_ASSETS and alerts < STORM_ALERTS:
        return None
    signature, same = Counter(one.signature for one in q.symptoms).most_common(1)[0]
    span = _span((max(one.at for one in q.symptoms) - q.symptoms[0].at).total_seconds())
    tools = sorted({one.tool for one in q.symptoms})
    by = f"all from {tools[0]}" if len(tools) == 1 else f"from {len(tools)} tools"
    what = humanise(signature) if same * 2 > len(q.symptoms) else "different problems"
    cause = f"something that {assets} assets share: {what} within {span}, {by}; it began on {q.symptoms[0].asset}"
    sure = round(min(0.9, 0.55 + 0.03 * assets) * (1.0 if same * 2 > len(q.symptoms) else 0.8), 2)
    return Finding(pattern=Pattern.STORM, confidence=sure, cause=cause, evidence=_refs(q.symptoms))


def _recurring(q: Question) -> Finding | None:
    ours = {one.asset for one in q.symptoms}
    signatures = {one.signature for one in q.symptoms}
    same = [
        past for past in q.similar
        if past.signature in signatures and ours & set(past.assets) and q.now - past.resolved_at <= RECURS_WITHIN
    ]  # fmt: skip
    if len(same) < 2 and q.incident.recurrence_of is None:
        return None
    first = q.symptoms[0]
    times = f"{len(same)} times in 30 days" if len(same) > 1 else "not long ago"
    causes = [past.cause for past in same if past.cause and past.cause != "unstated"]
    known = f"; its cause was given as {Counter(causes).most_common(1)[0][0]}" if causes else ""
    cause = f"{humanise(first.signature)} on {first.asset} was here before, {times}: what was done did not last{known}"
    sure = round(min(0.95, 0.65 + 0.06 * len(same)), 2)
    return Finding(
        pattern=Pattern.RECURRING, confidence=sure, cause=cause, evidence=_refs(q.symptoms), root=first.asset
    )  # fmt: skip


def _isolated(q: Question) -> Finding:
    first = q.symptoms[0]
    assets = sorted({one.asset for one in q.symptoms})
    if len(assets) == 1:
        what = humanise(first.signature) if len(q.symptoms) == 1 else f"{len(q.symptoms)} alerts"
        cause = f"{what} on {first.asset} alone: nothing that it is known to depend on is affected"
    else:
        cause = f"{humanise(first.signature)} on {len(assets)} assets that share nothing that is known"
    sure = 0.6 if len(q.symptoms) < 3 else 0.5
    return Finding(
        pattern=Pattern.ISOLATED, confidence=sure, cause=cause, evidence=_refs(q.symptoms), root=first.asset
    )  # fmt: skip


def _began(q: Question) -> dict[str, Symptom]:
    """The first alert of each asset, in the order of time."""
    found: dict[str, Symptom] = {}
    for one in sorted(q.symptoms, key=lambda one: (one.at, one.alert_id)):
        found.setdefault(one.asset, one)
    return found


def _refs(symptoms: list[Symptom] | tuple[Symptom, ...]) -> tuple[str, ...]:
    return tuple(one.ref for one in symptoms[:8])


def _span(seconds: float) -> str:
    whole = int(abs(seconds))
    return f"{whole} s" if whole < 120 else f"{whole // 60} min" if whole < 7_200 else f"{whole // 3_600} h"
