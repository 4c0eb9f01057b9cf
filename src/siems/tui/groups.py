"""Groups of incidents across clients, in lines and words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from siems import present
from siems.errors import SiemsError
from siems.tui.commands import ref as ref_of
from siems.tui.looks import Piece
from siems.wire import ParentAnswer, ParentChild, ParentView

WAITS = ("client", "vendor", "parts", "scheduled")


@dataclass(frozen=True, slots=True)
class Node:
    """A line: a group, or under it one of its incidents."""

    parent: ParentView
    child: ParentChild | None = None


def nodes(parents: Sequence[ParentView]) -> list[Node]:
    """Each group with its incidents under it, by client."""
    found: list[Node] = []
    for parent in parents:
        found.append(Node(parent))
        found += [Node(parent, child) for child in sorted(parent.children, key=lambda c: (c.company.lower(), c.id))]
    return found


def outcome(answer: dict[str, Any], said: str) -> str:
    """What became of each incident, in a sentence. Raises SiemsError where some failed."""
    done = msgspec.convert(answer, ParentAnswer)
    failed = [one for one in done.results if one.error is not None]
    changed = sum(one.changed for one in done.results)
    text = f"{done.parent.id}: {said}, {present.plural(changed, 'incident')} changed"
    if failed and failed[0].error is not None:
        first = failed[0]
        assert first.error is not None
        more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        raise SiemsError(f"{text}; not {first.id}{more}: {first.error.message}", hint=first.error.hint)
    return text


def severity_of(row: Node) -> Piece:
    worst = row.child.severity if row.child is not None else worst_of(row.parent)
    return (present.severity_short(worst), worst) if worst else ("", "")


def worst_of(parent: ParentView) -> str:
    found = [child.severity for child in parent.children if child.open]
    return next((name for name in present.SEVERITY_SHORT if name in found), "")


def clients_of(row: Node) -> str:
    return row.child.company if row.child is not None else present.plural(row.parent.companies, "client")


def title_of(row: Node) -> Piece:
    return (row.child.title, "") if row.child is not None else (row.parent.title, "bold")


def who_of(row: Node) -> str:
    if row.child is not None:
        return present.person(row.child.assignee_name)
    return present.person(row.parent.acknowledged_by) if row.parent.acknowledged_by else "--"


def names_of(parent: ParentView) -> str:
    names = sorted({child.company for child in parent.children})
    return present.clip(present.safe(", ".join(names)), 44)


def numbers_of(text: str) -> list[str]:
    return [found for word in text.replace(",", " ").split() if (found := ref_of(word)) is not None]


def refs_fault(text: str) -> str:
    wrong = [word for word in text.replace(",", " ").split() if ref_of(word) is None]
    return f"{wrong[0]} is no incident: INC-12" if wrong else ""


def waits_fault(text: str) -> str:
    return "" if text.strip() in WAITS else f"one of {', '.join(WAITS)}"


def yes_fault(text: str) -> str:
    return "" if text.strip().lower() in ("yes", "y") else "yes, or nothing"
