"""Doing things: orders to the daemon, what can be undone, what is unknown, and the log of it all."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from siems.client import Client
from siems.errors import SiemsError, Unavailable
from siems.tui.actions import BY_ID, Deed, cli_line
from siems.tui.messages import Acted, LookedUp, Result
from siems.wire import ActAnswer, IncidentView


@dataclass(frozen=True)
class Target:
    """An incident as it stood when the key was pressed."""

    ref: str
    version: int | None
    title: str = ""
    company: str = ""
    severity: str = ""
    breached: bool = False
    on_hold: bool = False
    company_id: str = ""


def target(view: IncidentView) -> Target:
    return Target(
        view.id, view.version, view.title, view.company, view.severity,
        view.sla.response.breached or view.sla.resolution.breached, view.on_hold,
        view.company_id,
    )  # fmt: skip


@dataclass(frozen=True)
class Order:
    """One action on some incidents, with what it was told."""

    deed: Deed
    targets: Sequence[Target]
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def refs(self) -> list[str]:
        return [one.ref for one in self.targets]


@dataclass(frozen=True)
class Undo:
    """What `u` would take back, until when by the server's time."""

    title: str
    targets: Sequence[Target]
    until: datetime


@dataclass
class LogLine:
    """One line of the command log."""

    at: datetime
    cli: str
    outcome: str


class Desk:
    """The state of what was asked: in flight, unknown, undoable, logged."""

    def __init__(self) -> None:
        self.pending: dict[str, str] = {}
        self.unknown: dict[str, tuple[Deed, str]] = {}
        self.undo: Undo | None = None
        self.log: list[LogLine] = []

    def begin(self, order: Order, now: datetime) -> None:
        """An order leaves: its rows show that they wait."""
        for ref in order.refs:
            self.pending[ref] = f"{order.deed.needs} .."
        self.log.append(LogLine(now, cli_line(order.deed, order.refs, order.fields), "sent"))
        del self.log[:-500]

    def finish(self, acted: Acted) -> str:
        """Answers came; returns the sentence for the toast."""
        deed = acted.order.deed
        done = [result for result in acted.results if result.view is not None and result.changed]
        same = [result for result in acted.results if result.view is not None and not result.changed]
        lost = [result for result in acted.results if result.lost]
        refused = [result for result in acted.results if result.why and not result.lost]
        for result in acted.results:
            self.pending.pop(result.ref, None)
        for result in lost:
            self.pending[result.ref] = f"{deed.needs} ?"
            self.unknown[result.key] = (deed, result.ref)
        self._remember(acted.order, done)
        parts = []
        if done:
            parts.append(f"{deed.done} {_names(done)}{_to(acted.order, done)}")
        if same:
            parts.append(f"{_names(same)}: already so")
        if lost:
            parts.append(f"{deed.needs} ? {_names(lost)}: no answer; looked up on return, never sent again")
        if refused:
            parts.append(f"{_names(refused)}: {refused[0].why}")
        self._close_line(acted.order, "; ".join(parts))
        return "; ".join(parts)

    def look_up(self, found: Mapping[str, IncidentView | None]) -> str:
        """The fate of lost writes is known; returns the sentence for the toast."""
        parts = []
        for key, view in found.items():
            deed, ref = self.unknown.pop(key, (None, ""))
            if deed is None:
                continue
            self.pending.pop(ref, None)
            parts.append(f"{deed.needs} {ref}: {'done' if view is not None else 'not done'}")
        return "; ".join(parts)

    def undoable(self, now: datetime) -> Undo | None:
        """What can still be taken back."""
        if self.undo is not None and self.undo.until <= now:
            self.undo = None
        return self.undo

    def _remember(self, order: Order, done: Sequence[Result]) -> None:
        if order.deed.id == "undo":
            self.undo = None
            return
        ends = [result.undo_until for result in done if result.undo_until is not None]
        if done:
            self.undo = None  # what was done before can no longer be taken back
        if ends:
            targets = [Target(result.ref, result.view.version) for result in done if result.view is not None]
            self.undo = Undo(f"{order.deed.needs} {_names(done)}", targets, min(ends))

    def _close_line(self, order: Order, outcome: str) -> None:
        cli = cli_line(order.deed, order.refs, order.fields)
        for line in reversed(self.log):
            if line.cli == cli and line.outcome == "sent":
                line.outcome = outcome
                return


def _names(results: Sequence[Result]) -> str:
    refs = [result.ref for result in results]
    return ", ".join(refs) if len(refs) <= 4 else f"{', '.join(refs[:3])} and {len(refs) - 3} more"


def _to(order: Order, done: Sequence[Result]) -> str:
    """Whom it was assigned to, by the name that the daemon answered."""
    view = done[0].view
    return f" to {view.assignee_name}" if order.deed.id == "assign" and view is not None else ""


def carry_out(client: Client, order: Order, post: Callable[[Any], object]) -> None:
    """Send an order, target by target, on the acting lane. A lost answer ends it: nothing more is sent."""
    acted = Acted(order)
    undoable = order.deed.id != "undo" and order.deed.acts
    for one in order.targets:
        result = Result(one.ref, uuid.uuid4().hex)
        acted.results.append(result)
        try:
            answer = client.act(
                order.deed.needs, one.ref, idempotency_key=result.key, version=one.version,
                undoable=undoable or None, **order.fields,
            )  # fmt: skip
            told = msgspec.convert(answer, ActAnswer)
        except Unavailable as why:
            result.lost, result.why, result.hint = True, why.message, why.hint
            rest = order.targets[len(acted.results) :]
            acted.results += [Result(left.ref, "", why="not sent") for left in rest]
            break
        except SiemsError as why:
            result.why, result.hint = why.message, why.hint
        else:
            result.view, result.changed = told.incident, told.changed
            result.undo_until, result.server_time = told.undo_until, told.server_time
    post(acted)


def look_up(client: Client, keys: Sequence[str], post: Callable[[Any], object]) -> None:
    """Ask what became of writes whose answers were lost; runs on the acting lane."""
    found: dict[str, IncidentView | None] = {}
    for key in keys:
        try:
            answer = client.idempotent(key)
        except SiemsError:
            continue
        told = answer.get("answer") if answer.get("found") else None
        found[key] = msgspec.convert(told, ActAnswer).incident if told else None
    post(LookedUp(found))


UNDO = BY_ID["undo"]
