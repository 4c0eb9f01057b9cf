"""What a stream of alerts becomes under given settings: the same rules as the writer's, on a board of its own."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from siems.domain.alert import Reading
from siems.domain.correlation import Key, Kind, Placement, Rules, Sighting, Standing, keys_for, noise_reduction, place
from siems.domain.incident import FLAP_TRANSITIONS
from siems.domain.topology import Topology
from siems.domain.trails import ECHO, Trails
from siems.vocabulary import Severity, State

TELLS_AFTER = 500
"""So many alerts are placed between two words about how far it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """An alert that fired, `repeats` times more until `last_at`, and when its tool said that it was over."""

    id: int
    at: datetime
    reading: Reading
    fingerprint: str
    repeats: int = 0
    last_at: datetime | None = None
    over_at: datetime | None = None


@dataclass(slots=True)
class Group:
    """One incident of a replay."""

    id: int
    created_at: datetime
    last_alert_at: datetime
    severity: Severity
    signature: str
    asset: str
    state: State = State.OPEN
    resolved_at: datetime | None = None
    assets: list[str] = field(default_factory=list)
    asset_count: int = 0
    folded: bool = False
    touched: bool = False
    active: int = 0
    merged_into: int | None = None
    recurrence_of: int | None = None
    quiet_since: datetime | None = None
    transitions: list[datetime] = field(default_factory=list)
    flapped: bool = False
    alerts: int = 0
    rule: str = ""
    keys: dict[Key, None] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        return self.state is State.OPEN

    @property
    def ref(self) -> str:
        return f"#{self.id}"


@dataclass(slots=True)
class Placed:
    """Where an alert of a replay ended, by which rule, and when its first incident would have paged."""

    happening: Happening
    group: int | None
    rule: str
    evidence: str
    paged_at: datetime | None = None


@dataclass(slots=True)
class Outcome:
    """A whole replay. `firings` counts repeats; absorbed incidents are not counted."""

    placed: list[Placed]
    groups: dict[int, Group]
    firings: int = 0

    @property
    def incidents(self) -> int:
        return sum(group.merged_into is None for group in self.groups.values())

    @property
    def noise_reduction(self) -> float:
        return noise_reduction(alerts=self.firings, incidents=self.incidents)

    def members(self) -> dict[int, list[int]]:
        """The ids of the alerts of each incident that stands, in the order in which they came."""
        found: dict[int, list[int]] = {}
        for placed in self.placed:
            if placed.group is not None:
                found.setdefault(placed.group, []).append(placed.happening.id)
        return found


class Board:
    """A company as a strategy sees it, changed by nothing but a replay."""

    def __init__(self, rules: Rules, edges: Mapping[str, tuple[str, ...]]) -> None:
        self.rules = rules
        self.topology = Topology(edges)
        self.trails = Trails()
        self.groups: dict[int, Group] = {}
        self.keys: dict[Key, int] = {}
        self.held_under: dict[Key, dict[str, None]] = {}
        self.waits: dict[str, list[Happening]] = {}
        self.now = datetime.min.replace(tzinfo=UTC)
        self._note = partial(self.trails.note, put=dict.__setitem__, drop=dict.pop)

    def root(self, number: int) -> int:
        """Where an incident was folded into, in the end."""
        while (into := self.groups[number].merged_into) is not None:
            number = into
        return number

    def by_key(self, key: Key) -> Standing | None:
        number = self.keys.get(key)
        return None if number is None else self.incident(number)

    def incident(self, incident_id: int) -> Standing | None:
        found = self.groups[self.root(incident_id)]
        return None if found.state is State.CLOSED else found

    def waiting(self, key: Key) -> Sequence[str]:
        return tuple(name for name in self.held_under.get(key, ()) if self.held(name))

    def held(self, fingerprint: str) -> int:
        return sum(self.now - h.at <= self.rules.window for h in self.waits.get(fingerprint, ()))

    def note(self, happening: Happening, group: int, rule: str) -> None:
        reading = happening.reading
        seen = Sighting(
            reading.asset_name, group, self.now, reading.signature, happening.fingerprint, echo=rule == ECHO
        )
        self._note(seen, reading.message, self.topology, self.rules.window)


class Replay:
    """One run over a stream. Not to be used again."""

    def __init__(self, rules: Rules, edges: Mapping[str, tuple[str, ...]]) -> None:
        self.board = Board(rules, edges)
        self.rules = rules
        self.placed: dict[int, Placed] = {}
        self._active: dict[str, int] = {}
        self._later: list[tuple[datetime, int, int, str, int]] = []
        self._order = 0

    def run(self, stream: Iterable[Happening], *, told: Callable[[int], None] | None = None) -> Outcome:
        """Everything that happens, in the order of its times; `told` hears every so often how many were placed."""
        firings = 0
        for number, happening in enumerate(stream, 1):
            self._until(happening.at)
            self.board.now = happening.at
            self._fire(happening)
            firings += 1 + happening.repeats
            if told is not None and number % TELLS_AFTER == 0:
                told(number)
        self._until(datetime.max.replace(tzinfo=UTC))
        for placed in self.placed.values():
            placed.group = None if placed.group is None else self.board.root(placed.group)
        return Outcome(list(self.placed.values()), self.board.groups, firings)

    # --- what happens later ------------------------------------------------------------------------------------

    def _plan(self, at: datetime, kind: int, name: str, number: int) -> None:
        self._order += 1
        heapq.heappush(self._later, (at, kind, self._order, name, number))

    def _until(self, now: datetime) -> None:
        later = self._later
        while later and later[0][0] <= now:
            at, kind, _, name, number = heapq.heappop(later)
            self.board.now = at
            (self._repeat, self._recover, self._quiet, self._close)[kind](name, number, at)

    def _repeat(self, name: str, number: int, at: datetime) -> None:
        placed = self.placed[number]
        if placed.group is not None and (group := self.board.groups[self.board.root(placed.group)]).open:
            group.last_alert_at = max(group.last_alert_at, at)

    def _recover(self, name: str, number: int, at: datetime) -> None:
        if self._active.get(name) == number:
            del self._active[name]
        self.board.waits.pop(name, None)
        placed = self.placed[number]
        if placed.group is None:
            return
        group = self.board.groups[self.board.root(placed.group)]
        group.active -= 1
        if group.active == 0 and group.open:
            group.quiet_since = at
            self._turn(group, at)
            if self.rules.auto_resolve:
                self._plan(at + self.rules.quiet_delay, 2, "", group.id)

    def _turn(self, group: Group, at: datetime) -> None:
        group.transitions = [*[t for t in group.transitions if at - t <= self.rules.window][-7:], at]
        group.flapped = group.flapped or len(group.transitions) >= FLAP_TRANSITIONS

    def _quiet(self, name: str, number: int, at: datetime) -> None:
        group = self.board.groups[number]
        if not group.open or group.quiet_since is None or at - group.quiet_since < self.rules.quiet_delay:
            return
        calm = max(group.transitions) + self.rules.window
        if len(group.transitions) >= FLAP_TRANSITIONS and at < calm:
            self._plan(calm, 2, "", number)
            return
        group.state, group.resolved_at = State.RESOLVED, at
        self._plan(at + self.rules.auto_close, 3, "", number)

    def _close(self, name: str, number: int, at: datetime) -> None:
        group = self.board.groups[number]
        resolved_at = group.resolved_at if group.state is State.RESOLVED else None
        if resolved_at is not None and at - resolved_at >= self.rules.auto_close:
            self._forget(group)

    def _forget(self, group: Group) -> None:
        group.state = State.CLOSED
        for key in group.keys:
            if self.board.keys.get(key) == group.id:
                del self.board.keys[key]

    # --- alerts ------------------------------------------------------------------------------------------------

    def _fire(self, happening: Happening) -> None:
        board, name = self.board, happening.fingerprint
        said = place(happening.reading, name, board, self.rules, now=board.now)
        placed = self.placed[happening.id] = Placed(happening, None, said.rule, said.evidence)
        self._active[name] = happening.id
        if happening.last_at is not None and happening.last_at > happening.at:
            self._plan(happening.last_at, 0, name, happening.id)
        if happening.over_at is not None:
            self._plan(max(happening.over_at, happening.at), 1, name, happening.id)
        if said.kind is Kind.WAIT:
            board.waits.setdefault(name, []).append(happening)
            board.held_under.setdefault(said.keys[0], {})[name] = None
            board.note(happening, 0, said.rule)
            return
        group = self._group(happening, said)
        for number in said.absorb:
            self._absorb(board.groups[number], group)
        for key in (*said.keys, *said.new_keys):
            self._answer(group, key)
        group.folded = group.folded or bool(said.new_keys)
        self._join(group, happening, placed)
        for waiting in (w for name in said.gather for w in board.waits.pop(name, ())):
            for key in keys_for(
                waiting.reading.asset_name, waiting.reading.signature, waiting.reading.tool_source,
                waiting.fingerprint, self.rules,
            ):  # fmt: skip
                self._answer(group, key)
            self._join(group, waiting, self.placed[waiting.id])

    def _answer(self, group: Group, key: Key) -> None:
        self.board.keys[key] = group.id
        group.keys[key] = None

    def _group(self, happening: Happening, said: Placement) -> Group:
        board, reading = self.board, happening.reading
        if said.incident_id is None:
            number = len(board.groups) + 1
            group = Group(
                number, board.now, board.now, reading.severity, reading.signature, reading.asset_name,
                recurrence_of=said.recurrence_of, rule=said.rule,
            )  # fmt: skip
            board.groups[number] = group
            return group
        group = board.groups[board.root(said.incident_id)]
        if said.kind is Kind.REOPEN:
            group.state, group.resolved_at = State.OPEN, None
        return group

    def _join(self, group: Group, happening: Happening, placed: Placed) -> None:
        board, reading = self.board, happening.reading
        if reading.asset_name not in group.assets:
            group.asset_count += 1
            if len(group.assets) < 200:
                group.assets.append(reading.asset_name)
        if group.quiet_since is not None:
            self._turn(group, board.now)
            group.quiet_since = None
        group.last_alert_at = board.now
        group.severity = max(group.severity, reading.severity)
        group.active += 1
        group.alerts += 1
        placed.group, placed.paged_at = group.id, group.created_at
        board.note(happening, group.id, placed.rule)

    def _absorb(self, gone: Group, group: Group) -> None:
        self._forget(gone)
        gone.merged_into = group.id
        for key in gone.keys:
            self._answer(group, key)
        for asset in gone.assets:
            if asset not in group.assets:
                group.asset_count += 1
                group.assets.append(asset)
        group.active += gone.active
        group.alerts += gone.alerts
        group.severity = max(group.severity, gone.severity)
        group.created_at = min(group.created_at, gone.created_at)


def replay(
    stream: Iterable[Happening], rules: Rules, edges: Mapping[str, tuple[str, ...]], *,
    told: Callable[[int], None] | None = None,
) -> Outcome:  # fmt: skip
    """What the stream becomes, in the order of its times and then of its ids, in which the writer placed them."""
    ordered = sorted(stream, key=lambda h: (h.at, h.id))
    return Replay(rules, edges).run(ordered, told=told)
