"""Who follows whom, and that both sides come to agree whatever the order of what happens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siems.domain.changing import replace
from siems.domain.ticket import RETRIES, Stage, Ticket, wait_after
from siems.domain.ticket_sync import Verdict, agreed, decide, mark, marked

T0 = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
STAGES = (Stage.OPEN, Stage.WORKING, Stage.RESOLVED, Stage.CLOSED)


def ticket(**facts: object) -> Ticket:
    made = Ticket(
        id=1, company_id="comp-acme", account_id="acme-jira", incident_id=1, external_id="10001", key="OPS-1",
        url="", state="To Do", known=Stage.OPEN, told=Stage.OPEN, local_at=T0, local_human=True, created_at=T0,
    )  # fmt: skip
    return replace(made, **facts)


def later(**span: float) -> datetime:
    return T0 + timedelta(**span)


@pytest.mark.parametrize(
    ("facts", "local", "remote", "at", "by_us", "expected"),
    [
        # nobody has moved, or both to the same place
        ({}, Stage.OPEN, Stage.OPEN, None, False, Verdict()),
        ({}, Stage.RESOLVED, Stage.CLOSED, later(hours=1), False, Verdict()),
        ({"told": Stage.WORKING}, Stage.WORKING, Stage.HELD, later(hours=1), False, Verdict()),
        # one has
        ({}, Stage.OPEN, Stage.RESOLVED, later(hours=1), False, Verdict(take=True)),
        ({}, Stage.RESOLVED, Stage.OPEN, None, False, Verdict(push=True)),
        # what was asked for is seen: not news, though the incident has moved on meanwhile
        ({"told": Stage.WORKING}, Stage.RESOLVED, Stage.WORKING, later(seconds=1), True, Verdict(push=True)),
        # both have: the later person, within a minute siems, a person before a machine
        ({}, Stage.WORKING, Stage.RESOLVED, later(minutes=5), False, Verdict(take=True, conflict=True)),
        ({}, Stage.WORKING, Stage.RESOLVED, later(minutes=1), False, Verdict(take=True, conflict=True)),
        ({}, Stage.WORKING, Stage.RESOLVED, later(seconds=59), False, Verdict(push=True, conflict=True)),
        ({}, Stage.WORKING, Stage.RESOLVED, later(hours=-1), False, Verdict(push=True, conflict=True)),
        ({}, Stage.WORKING, Stage.RESOLVED, None, False, Verdict(push=True, conflict=True)),
        ({"local_human": False}, Stage.RESOLVED, Stage.WORKING, later(hours=-1), False,
         Verdict(take=True, conflict=True)),
        # an earlier push of siems, whose answer was lost, is no person's change
        ({"local_human": False}, Stage.RESOLVED, Stage.WORKING, later(hours=1), True, Verdict(push=True)),
    ],
)  # fmt: skip
def test_who_follows_whom(
    facts: dict[str, object], local: Stage, remote: Stage, at: datetime | None, by_us: bool, expected: Verdict
) -> None:
    assert decide(ticket(**facts), local, remote, at, by_us=by_us) == expected


@given(st.sampled_from(STAGES), st.sampled_from(STAGES), st.sampled_from(STAGES), st.sampled_from(STAGES),
       st.booleans(), st.integers(-300, 300), st.booleans())  # fmt: skip
def test_never_both_and_never_neither_where_somebody_has_moved(
    told: Stage, known: Stage, local: Stage, remote: Stage, human: bool, seconds: int, by_us: bool
) -> None:
    found = decide(
        ticket(told=told, known=known, local_human=human), local, remote, later(seconds=seconds), by_us=by_us
    )
    assert not (found.take and found.push)
    if local.group == remote.group:
        assert found == Verdict()
    elif local.group != told.group:
        assert found.take or found.push


class Both:
    """A model of the two sides: what happens on each, pushes whose answers may be lost, and polls."""

    def __init__(self) -> None:
        self.local = self.remote = Stage.OPEN
        self.remote_at, self.by_us, self.now = T0, False, T0
        self.ticket = ticket()

    def here(self, stage: Stage, human: bool) -> None:
        if stage.group != self.local.group:
            self.local = stage
            self.ticket = replace(self.ticket, local_at=self.now, local_human=human)

    def there(self, stage: Stage) -> None:
        if stage is not self.remote:
            self.remote, self.remote_at, self.by_us = stage, self.now, False

    def push(self, answered: bool) -> None:
        if self.local is self.ticket.told:
            return
        if self.remote is not self.local:
            self.remote, self.remote_at, self.by_us = self.local, self.now, True
        if answered:
            self.ticket = replace(self.ticket, told=self.local, known=self.remote)

    def poll(self) -> None:
        found = decide(self.ticket, self.local, self.remote, self.remote_at, by_us=self.by_us)
        after = replace(self.ticket, known=self.remote, told=agreed(self.ticket, self.local, self.remote))
        if found.take:
            self.local = self.remote
            after = replace(after, told=self.remote, local_at=self.now, local_human=True)
        elif found.push:
            after = replace(after, told=self.remote)
        self.ticket = after


STEPS = st.one_of(
    st.tuples(st.just("here"), st.sampled_from(STAGES), st.booleans()),
    st.tuples(st.just("there"), st.sampled_from(STAGES)),
    st.tuples(st.just("push"), st.booleans()),
    st.tuples(st.just("poll")),
    st.tuples(st.just("wait"), st.integers(1, 200)),
)


@settings(max_examples=400)
@given(st.lists(STEPS, max_size=25))
def test_once_it_is_quiet_both_sides_stand_at_the_same_place(steps: list[tuple[object, ...]]) -> None:
    both = Both()
    for name, *more in steps:
        if name == "wait":
            both.now += timedelta(seconds=int(str(more[0])))
        else:
            getattr(both, str(name))(*more)
    for _ in range(2):
        both.poll()
        both.push(answered=True)
    assert both.local.group == both.remote.group
    quiet = (both.local, both.remote)
    both.poll()
    both.push(answered=True)
    assert (both.local, both.remote) == quiet


def test_comments_of_siems_are_known_by_their_end_alone() -> None:
    assert marked("cafe", f"Dana: it is the disk\n\n{mark('cafe', 17)}")
    assert not marked("beef", f"Dana: it is the disk\n\n{mark('cafe', 17)}")
    assert not marked("cafe", f"as {mark('cafe', 17)} said: " + "x" * 100)


@given(st.integers(1, 5), st.floats(0, 1))
def test_waits_grow_and_are_spread_by_a_fifth(attempt: int, chance: float) -> None:
    wait = wait_after(attempt, chance, None)
    assert wait is not None
    assert abs(wait / RETRIES[attempt - 1] - 1) <= 0.2001


def test_a_system_that_says_when_is_believed_up_to_an_hour_and_the_last_try_is_the_last() -> None:
    assert wait_after(1, 0.5, 90) == timedelta(seconds=90)
    assert wait_after(1, 0.5, 1e9) == timedelta(hours=1)
    assert wait_after(1, 0.5, 0) == timedelta(seconds=5)
    assert wait_after(6, 0.5, 90) is None
