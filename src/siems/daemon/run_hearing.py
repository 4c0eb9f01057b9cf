"""What one run hears from its hosts, until it is written down: how far they are, what they print without secrets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from siems.clock import Clock
from siems.domain.asking import asking, closed
from siems.domain.run import PAUSED, HostState, RunHost
from siems.domain.run_output import Masker, Meter
from siems.domain.runbook import Phase, Step
from siems.executors import Ended, Outcome, Output
from siems.services.run_work import News
from siems.storage.repositories.runs import Piece, StepRow

_ENDS = {
    Ended.SUCCEEDED: HostState.SUCCEEDED, Ended.FAILED: HostState.FAILED, Ended.TIMED_OUT: HostState.TIMED_OUT,
    Ended.UNREACHABLE: HostState.UNREACHABLE, Ended.CANCELLED: HostState.CANCELLED,
}  # fmt: skip
_WORDS = {
    Phase.PRECHECK: "the precheck says no, so nothing was changed", Phase.STEPS: "a step failed",
    Phase.VERIFY: "it ran, and is not well", Phase.ROLLBACK: "the rollback failed",
}  # fmt: skip
DETAIL = 1_000
PIECE = 8_192


class Hearing:
    """The hosts of a run as they are now, and what of it nobody has written down yet."""

    def __init__(
        self, clock: Clock, hosts: Iterable[RunHost], attempts: Mapping[tuple[str, int], int] = MappingProxyType({})
    ) -> None:
        self._clock = clock
        self.hosts = {host.name: host for host in hosts}
        self.secrets: dict[str, tuple[str, ...]] = {}
        self._maskers: dict[tuple[str, bool], Masker] = {}
        self._meter = Meter(used={name: host.output_bytes for name, host in self.hosts.items()})
        self._changed: dict[str, None] = {}
        self._attempts = dict(attempts)
        self._steps: dict[tuple[str, int, int], StepRow] = {}
        self._moved: dict[tuple[str, int, int], None] = {}
        self._told: list[Piece] = []

    def set(self, name: str, **changes: Any) -> None:
        """A host, changed."""
        self.hosts[name] = replace(self.hosts[name], **changes)
        self._changed[name] = None

    def end(self, names: Iterable[str], state: HostState, detail: str) -> None:
        """Those of these hosts that have not ended do so now; one that asks goes on asking."""
        for name in names:
            if not self.hosts[name].state.over and self.hosts[name].state not in PAUSED:
                self.set(name, state=state, detail=self._masked(name, detail), ended_at=self._clock.now())

    def ask(self, names: Iterable[str], detail: str) -> None:
        """A step failed on these, and a person decides what becomes of them."""
        for name in names:
            if self.hosts[name].state is HostState.RUNNING:
                self.hosts[name] = asking(self.hosts[name], self._masked(name, detail), self._clock.now())
                self._changed[name] = None

    def close(self, begun: HostState, why: str) -> None:
        """Whatever is not over ends now, what was asked too."""
        for host in closed(list(self.hosts.values()), begun, why, self._clock.now()):
            self.hosts[host.name] = host
            self._changed[host.name] = None

    def take_answers(self, kept: Iterable[RunHost]) -> None:
        """What people have said meanwhile, as it is kept."""
        for host in kept:
            mine = self.hosts[host.name]
            if mine.state in PAUSED and host.asked_at == mine.asked_at:
                self.hosts[host.name] = replace(host, output_bytes=mine.output_bytes)

    # --- steps -------------------------------------------------------------------------------------------------

    def begin_step(self, name: str, number: int, phase: Phase, step: Step) -> None:
        self.set(name, phase=phase.value, step=number)
        attempt = self._attempts[name, number] = self._attempts.get((name, number), 0) + 1
        self._steps[name, number, attempt] = StepRow(
            host=name, number=number, phase=phase.value, name=step.name, state=HostState.RUNNING.value,
            started_at=self._clock.now(), attempt=attempt,
        )  # fmt: skip
        self._moved[name, number, attempt] = None

    def end_step(self, outcome: Outcome, number: int, phase: Phase, *, asks: bool = False) -> None:
        """How a step ended on a host; whoever fails goes no further, or asks where the step says so."""
        name, state = outcome.host, _ENDS[outcome.ended]
        for error in (False, True):
            masker = self._maskers.pop((name, error), None)
            if masker is not None:
                self._print(name, number, error, masker.rest())
        detail = self._masked(name, outcome.detail)
        key = (name, number, self._attempts[name, number])
        row = self._steps[key]
        self._steps[key] = replace(
            row, state=state.value, exit_code=outcome.exit_code, detail=detail, ended_at=self._clock.now()
        )
        self._moved[key] = None
        if state is not HostState.SUCCEEDED and not self.hosts[name].state.over:
            why = f"{_WORDS[phase]}: {row.name}" + (f" ({detail})" if detail else "")
            self.set(name, exit_code=outcome.exit_code)
            if asks:
                self.ask([name], why)
            else:
                self.end([name], state, why)

    # --- what is printed ---------------------------------------------------------------------------------------

    def hear(self, output: Output, number: int) -> None:
        key = (output.host, output.error)
        masker = self._maskers.get(key)
        if masker is None:
            masker = self._maskers[key] = Masker(self.secrets.get(output.host, ()))
        self._print(output.host, number, output.error, masker.feed(output.text))

    def _print(self, host: str, number: int, error: bool, text: str) -> None:
        kept = self._meter.take(host, text) if text else ""
        if not kept:
            return
        attempt, last = self._attempts.get((host, number), 1), self._told[-1] if self._told else None
        if (
            last is not None
            and (last.host, last.number, last.error, last.attempt) == (host, number, error, attempt)
            and len(last.text) < PIECE
        ):
            self._told[-1] = replace(last, text=last.text + kept)
        else:
            self._told.append(Piece(host, number, error, self._clock.now(), kept, attempt))
        self.set(host, output_bytes=self._meter.of(host))

    def _masked(self, name: str, text: str) -> str:
        masker = Masker(self.secrets.get(name, ()))
        return (masker.feed(text) + masker.rest())[:DETAIL]

    # --- for whoever writes it down ----------------------------------------------------------------------------

    @property
    def news(self) -> bool:
        return bool(self._changed or self._moved or self._told)

    def take(self) -> News:
        """Everything that is new; it counts as written down."""
        news = News(
            [self.hosts[name] for name in self._changed], [self._steps[key] for key in self._moved], self._told,
            self._meter.total,
        )  # fmt: skip
        self._changed, self._moved, self._told = {}, {}, []
        return news

    def give_back(self, news: News) -> None:
        """It could not be written down: it is new still."""
        self._changed = {**{host.name: None for host in news.hosts}, **self._changed}
        self._moved = {**{(step.host, step.number, step.attempt): None for step in news.steps}, **self._moved}
        self._told = [*news.pieces, *self._told]


def unheard(host: str, *, going: bool) -> Outcome:
    """What is known of a host that an executor has said nothing of."""
    if going:
        return Outcome(host, Ended.FAILED, None, "nothing was heard of how it ended")
    return Outcome(host, Ended.CANCELLED, None, "stopped")


def secrets_in(access: dict[str, str], more: Sequence[str]) -> tuple[str, ...]:
    """What of an access must not be printed."""
    names = ("password", "private_key", "passphrase", "external_id")
    told = [value for name, value in access.items() if name in names or "secret" in name or "token" in name]
    return (*more, *told)
