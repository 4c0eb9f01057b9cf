"""How siems itself advises: rules over structure, and what a company has learned. No text of an alert is obeyed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from siems.domain.advice import Experience, Past, Pattern, Question
from siems.domain.likeness import CLOSE, masked
from siems.domain.patterns import Finding, find
from siems.vocabulary import Category, Severity

_ATTACK = re.compile(r"(?i)ransom|malware|intrusion|exfiltrat|rootkit|trojan|brute.?force")
_FIRST_LOOK = {
    Category.CPU: "see which processes take the CPU, and whether that began with a release or a job",
    Category.MEMORY: "see which process grows, and whether anything was killed for want of memory",
    Category.DISK: "find what grew last (logs, dumps, backups) before removing anything",
    Category.NETWORK: "check link and uplink from both ends, then the device in between",
    Category.DATABASE: "look at connections, locks and replication before restarting anything",
    Category.SERVICE: "read the service's own log since shortly before the first alert, then restart it",
    Category.SECURITY: "keep the machine and its logs as they are, and isolate it before cleaning up",
    Category.BACKUP: "read the last job's log, and check target, space and credentials",
    Category.HARDWARE: "check the device's own log and its spare parts; move load away first",
    Category.CLOUD: "check the provider's status page and the last change to this resource",
}
_BY_PATTERN = {
    Pattern.CASCADE: "begin with {root}: the others should follow when it is back",
    Pattern.STORM: "look for what they share (site, uplink, host, last change) instead of going one by one",
    Pattern.FLAPPING: "find out what changes between the alerts; a longer evaluation or another threshold may be due",
    Pattern.RECURRING: "look for the cause this time: what was done before did not hold",
}


@dataclass(frozen=True, slots=True)
class Vote:
    """One rule's word."""

    severity: Severity
    confidence: float
    why: str


def advise(question: Question) -> dict[str, Any]:
    """A draft, as any advisor gives one."""
    found = find(question)
    draft: dict[str, Any] = {
        "pattern": found.pattern.value, "root_cause": found.cause, "confidence": found.confidence,
        "evidence": list(found.evidence), "similar": [past.ref for past in question.similar],
        "recommendation": recommendation(question, found),
    }  # fmt: skip
    if (vote := severity_of(question, found)) is not None:
        draft |= {
            "severity": vote.severity.name, "severity_confidence": vote.confidence, "severity_why": vote.why,
        }  # fmt: skip
    if (category := category_of(question)) is not None:
        draft |= {
            "category": category[0].value, "category_confidence": category[1], "category_why": category[2],
        }  # fmt: skip
    return draft


def recommendation(q: Question, found: Finding) -> str:
    """What helped before, else where to begin."""
    parts = []
    if (best := solved_before(q.similar)) is not None:
        cause = f" (cause: {best.cause})" if best.cause and best.cause != "unstated" else ""
        like = "looked like this, by the sentence model," if best.near else "looked like this"
        parts.append(f"{best.ref} {like} and was fixed by {best.resolved_by}: {best.notes[:160]}{cause}")
    elif (alike := next((past for past in q.similar if past.near), None)) is not None:
        parts.append(f"{alike.ref} reads much the same, by the sentence model")
    if q.fixed_by:
        parts.append(f"runbook {q.fixed_by[0]} has fixed this before")
    if (by := _BY_PATTERN.get(found.pattern)) is not None and (found.root or found.pattern is not Pattern.CASCADE):
        parts.append(by.format(root=found.root))
    elif not parts:
        parts.append(_FIRST_LOOK.get(q.incident.category, f"look at {found.root or q.symptoms[0].asset} first"))
    return "; ".join(parts)


def solved_before(similar: Iterable[Past]) -> Past | None:
    """The likest one that a person has resolved and said how."""
    return next((past for past in similar if past.by_person and past.notes and past.likeness >= CLOSE), None)


# --- severity --------------------------------------------------------------------------------------------------


def severity_of(q: Question, found: Finding) -> Vote | None:
    """The most severe raise that a rule is sure enough of, else a lowering, else nothing."""
    current = q.incident.severity
    votes = [vote for vote in _votes(q, found) if vote.severity is not current]
    raises = [_tempered(vote, "raise", q.experience) for vote in votes if vote.severity > current]
    if raises:
        return max(raises, key=lambda vote: (vote.confidence > 0.70, vote.severity, vote.confidence))
    lowers = [_tempered(vote, "lower", q.experience) for vote in votes]
    return max(lowers, key=lambda vote: vote.confidence, default=None)


def _votes(q: Question, found: Finding) -> list[Vote]:
    votes = []
    if q.experience.pinned:
        wanted, times = max(q.experience.pinned.items(), key=lambda one: (one[1], one[0]))
        total = sum(q.experience.pinned.values())
        why = f"people set it to {wanted.name} {_times(times)} for this signature"
        votes.append(Vote(wanted, round((times + 1) / (total + 2), 2), why))
    if found.pattern is Pattern.CASCADE and found.behind >= 2:
        grave = found.root in q.critical and found.behind >= 3 and q.incident.severity >= Severity.MEDIUM
        worst = Severity.CRITICAL if grave else Severity.HIGH
        if worst > q.incident.severity:
            why = f"{found.behind} assets depend on {found.root}" + (
                ", which is critical" if worst is Severity.CRITICAL else ""
            )
            votes.append(Vote(worst, round(min(0.9, 0.60 + 0.06 * found.behind), 2), why))
    affected = max(q.incident.asset_count, len({one.asset for one in q.symptoms}))
    if found.pattern is Pattern.STORM and affected >= 8 and q.incident.severity < Severity.HIGH:
        votes.append(Vote(Severity.HIGH, round(min(0.9, 0.55 + 0.02 * affected), 2), f"{affected} assets at once"))
    attack = next((one.signature for one in q.symptoms if _ATTACK.search(one.signature)), "")
    if attack and q.incident.severity < Severity.HIGH:
        votes.append(Vote(Severity.HIGH, 0.85, f"{attack} is a sign of an attack"))
    return votes or _calm(q)


def _calm(q: Question) -> list[Vote]:
    """What has always passed by itself may be less severe than its tool says."""
    seen, healed = q.experience.seen, q.experience.healed
    current = q.incident.severity
    if seen < 5 or healed < seen or current is Severity.LOW or q.incident.critical_asset:
        return []
    sure = round(min(0.9, (healed + 1) / (seen + 2)), 2)
    return [Vote(Severity(current - 1), sure, f"it passed by itself all {seen} times before")]


def _tempered(vote: Vote, way: str, learned: Experience) -> Vote:
    """Advice that people have declined is given with less weight."""
    refused = learned.declined.get(way, 0) - learned.taken.get(way, 0)
    if refused <= 0:
        return vote
    sure = round(vote.confidence / (1 + refused), 2)
    return Vote(vote.severity, sure, f"{vote.why} (people declined this {_times(learned.declined[way])})")


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


# --- category --------------------------------------------------------------------------------------------------


def category_of(q: Question) -> tuple[Category, float, str] | None:
    """(category, confidence, why) of the first way to tell that differs from what it is now; None where none does."""
    for found in (_named(q), _of_asset(q), _of_words(q)):
        if found is not None and found[0] is not q.incident.category:
            category, sure, why = found
            refused = q.experience.declined.get("category", 0) - q.experience.taken.get("category", 0)
            return category, round(sure / (1 + max(0, refused)), 2), why
    return None


def _named(q: Question) -> tuple[Category, float, str] | None:
    """People have said what this signature is."""
    if not q.experience.named:
        return None
    category, times = max(q.experience.named.items(), key=lambda one: (one[1], one[0].value))
    total = sum(q.experience.named.values())
    return category, round((times + 2) / (total + 2.5), 2), f"people chose it {_times(times)} for this signature"


def _of_asset(q: Question) -> tuple[Category, float, str] | None:
    """The inventory knows what the machine is for; that says little where the signature says something itself."""
    found = Counter(q.categories[one.asset] for one in q.symptoms if one.asset in q.categories)
    if not found or q.incident.category is not Category.OTHER:
        return None
    category, times = found.most_common(1)[0]
    if times < len(q.symptoms):
        return None
    return category, 0.75, f"the inventory has {q.symptoms[0].asset} as {category.value}"


def _of_words(q: Question) -> tuple[Category, float, str] | None:
    """As past incidents with these words were; only for what no rule could place."""
    if q.incident.category is not Category.OTHER:
        return None
    words = set(masked(" ".join({one.signature for one in q.symptoms})).split())
    weights = _weights(words, q.experience.words)
    if not weights:
        return None
    category, weight = max(weights.items(), key=lambda one: (one[1], one[0].value))
    known = sum(weights.values())
    sure = round(min(0.9, weight / known * (1 - 1 / (2 + weight))), 2)
    return category, sure, "past incidents of this client with these words were"


def _weights(words: set[str], learned: Mapping[str, Mapping[Category, int]]) -> dict[Category, float]:
    """A word counts the more, the fewer categories it is used in."""
    found: dict[Category, float] = {}
    for word in words:
        known = learned.get(word, {})
        total = sum(known.values())
        for category, count in known.items():
            found[category] = found.get(category, 0.0) + count * count / total
    return found
