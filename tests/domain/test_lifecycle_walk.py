"""Any walk through the lifecycle, by people and by the system, keeps what the rules promise."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from siems.domain import lifecycle
from siems.domain.changing import replace
from siems.domain.lifecycle import Outcome, available, permission_for
from siems.domain.moves import Command
from siems.domain.permissions import SYSTEM, Actor, allowed
from siems.domain.sla import PAUSING_REASONS
from siems.errors import Conflict, StaleVersion
from siems.vocabulary import Action as A
from siems.vocabulary import HoldReason, Role, Severity
from siems.vocabulary import State as S

from .making import ANA, BEN, MARA, T0, TARGET, hours, incident, minutes, person

PEOPLE = (ANA, BEN, MARA, person("root", Role.ADMIN), person("carl", Role.CLIENT))
WORKERS = PEOPLE[:4]
WORKING = {S.OPEN, S.ASSIGNED, S.IN_PROGRESS}
STEPS = {
    A.ASSIGN: WORKING,
    A.UNASSIGN: {S.ASSIGNED, S.IN_PROGRESS},
    A.ACK: {S.OPEN, S.ASSIGNED},
    A.START: {S.OPEN, S.ASSIGNED},
    A.HOLD: {S.ASSIGNED, S.IN_PROGRESS},
    A.RESUME: {S.ASSIGNED, S.IN_PROGRESS},
    A.RESOLVE: {S.IN_PROGRESS},
    A.CLOSE: {S.RESOLVED},
    A.REOPEN: {S.RESOLVED, S.CLOSED},
    A.NOTE: set(S),
    A.SEVERITY: WORKING,
    A.EDIT: WORKING,
}
"""From which states a person's single step may leave, copied from the table by hand."""
ACTIONS = st.sampled_from(sorted(STEPS))


def arrives(action: A, before: lifecycle.Incident, *, machine: bool) -> S:
    """The state that one step leads to, by the table."""
    match action:
        case A.ASSIGN:
            return S.IN_PROGRESS if before.state is S.IN_PROGRESS else S.ASSIGNED
        case A.UNASSIGN:
            return S.OPEN
        case A.ACK:
            return S.ASSIGNED
        case A.START:
            return S.IN_PROGRESS
        case A.RESOLVE:
            return S.RESOLVED
        case A.CLOSE:
            return S.CLOSED
        case A.REOPEN:
            return S.IN_PROGRESS if before.assignee and not machine else S.OPEN
        case _:
            return before.state


class IncidentLife(RuleBasedStateMachine):
    """One incident, whoever does whatever to it."""

    def __init__(self) -> None:
        super().__init__()
        self.incident = incident(escalates_at=T0 + minutes(15))
        self.now = T0
        self.steps_taken = 0
        self.held_at = T0

    @rule(span=st.sampled_from([minutes(1), minutes(31), hours(5), hours(50)]))
    def time_passes(self, span: timedelta) -> None:
        self.now += span

    @rule(
        action=ACTIONS,
        actor=st.sampled_from(WORKERS),
        to=st.sampled_from(WORKERS),
        reason=st.sampled_from(HoldReason),
        span=st.sampled_from([hours(1), hours(7 * 24)]),
    )
    def a_person_acts(self, action: A, actor: Actor, to: Actor, reason: HoldReason, span: timedelta) -> None:
        before = self.incident
        outcome = self._try(action, actor, assignee=to.id, hold_reason=reason, until=self.now + span)
        if outcome is None or not outcome.changed:
            return
        took_what_was_theirs = action is A.ASSIGN and actor.id == to.id == before.assignee
        asked = A.ACK if took_what_was_theirs else action
        assert asked in [step.action for step in outcome.steps]
        assert all(step.before.state in STEPS[step.action] for step in outcome.steps)
        if asked is A.ASSIGN and before.state is not S.IN_PROGRESS:
            assert outcome.incident.position.cycle == before.position.cycle + 1
            assert outcome.incident.escalation_level == 1
        if action is A.RESOLVE:
            assert outcome.incident.clocks.response_met_at or before.clocks.response_cancelled
        if action is A.HOLD:
            self.held_at = self.now
        if action is not A.NOTE:
            assert outcome.incident.touched

    @rule(action=st.sampled_from([A.ASSIGN, A.RESUME, A.CLOSE]), to=st.sampled_from(WORKERS))
    def the_system_acts(self, action: A, to: Actor) -> None:
        before = self.incident
        outcome = self._try(action, SYSTEM, assignee=to.id)
        if outcome is not None and outcome.changed:
            assert len(outcome.steps) == 1
            assert outcome.incident.touched == before.touched
            assert outcome.incident.acknowledged_at == before.acknowledged_at
            assert outcome.incident.clocks.response_met_at == before.clocks.response_met_at

    @precondition(lambda self: self.incident.open)
    @rule()
    def the_system_resolves(self) -> None:
        before = self.incident
        outcome = self._try(A.RESOLVE, SYSTEM)
        assert outcome is not None
        assert [step.action for step in outcome.steps] == [A.RESOLVE]
        done = outcome.incident
        assert done.acknowledged_at == before.acknowledged_at
        assert done.clocks.response_met_at == before.clocks.response_met_at
        assert done.clocks.response_cancelled == (before.clocks.response_met_at is None)

    @precondition(lambda self: self.incident.state is S.RESOLVED)
    @rule()
    def an_alert_reopens(self) -> None:
        before = self.incident
        outcome = self._try(A.REOPEN, SYSTEM)
        assert outcome is not None
        again = outcome.incident
        assert again.state is S.OPEN
        assert (again.acknowledged_at, again.started_at, again.assignee) == (None, None, None)
        assert again.position.cycle == before.position.cycle + 1
        assert again.escalates_at == self.now + minutes(15)
        assert again.clocks.response_open
        assert again.clocks.response_due == self.now + TARGET.response

    @rule(action=ACTIONS, behind=st.integers(min_value=1, max_value=3))
    def somebody_writes_against_an_old_version(self, action: A, behind: int) -> None:
        try:
            lifecycle.apply(self.incident, self._command(action, ANA, version=self.incident.version - behind))
        except StaleVersion:
            return
        raise AssertionError("a stale write was taken")

    def _command(self, action: A, actor: Actor, **more: object) -> Command:
        given = {"note": "done", "reason": "because", "target": TARGET, "severity": Severity.HIGH, "title": "T"} | more
        return Command(action=action, actor=actor, now=self.now, **given)

    def _try(self, action: A, actor: Actor, **more: object) -> Outcome | None:
        """Do it, and look at the answer from outside; None after a conflict."""
        before = self.incident
        offered = action in available(before, actor)
        try:
            outcome = lifecycle.apply(before, self._command(action, actor, **more))
        except Conflict as refused:
            assert not offered
            assert before.state not in STEPS[action] or action is A.HOLD
            self._leads_on(refused, before)
            return None
        assert outcome.changed == bool(outcome.steps)
        if not outcome.changed:
            assert outcome.incident is before
        self._is_a_chain_of_legal_steps(before, outcome, actor)
        self.incident = outcome.incident
        return outcome

    def _leads_on(self, refused: Conflict, before: lifecycle.Incident) -> None:
        word = A(refused.hint.split("siems incident ")[1].split()[0])
        assert before.ref in refused.message
        assert word in available(before, MARA), f"{refused.hint} leads nowhere"

    def _is_a_chain_of_legal_steps(self, before: lifecycle.Incident, outcome: Outcome, actor: Actor) -> None:
        for step in outcome.steps:
            assert step.before is before
            assert step.after.state is arrives(step.action, step.before, machine=actor.machine)
            counted = 0 if step.action is A.NOTE else 1
            assert step.after.version == step.before.version + counted
            assert step.after.position.cycle >= step.before.position.cycle
            self.steps_taken += counted
            before = step.after
        assert outcome.incident is before

    @invariant()
    def the_version_counts_the_steps(self) -> None:
        assert self.incident.version == 1 + self.steps_taken

    @invariant()
    def state_and_owner_agree(self) -> None:
        i = self.incident
        assert (i.assignee is None) == (i.state is S.OPEN) or not i.open
        assert i.open == (i.resolved_at is None) == i.clocks.resolution_open
        assert (i.closed_at is not None) == (i.state is S.CLOSED)

    @invariant()
    def a_hold_is_bounded_and_pauses_by_its_reason(self) -> None:
        i = self.incident
        paused = i.on_hold and i.hold_reason in PAUSING_REASONS
        assert (i.clocks.paused_since is not None) == paused
        if i.on_hold:
            assert i.state in (S.ASSIGNED, S.IN_PROGRESS)
            assert i.hold_until <= self.held_at + timedelta(days=7)

    @invariant()
    def the_chain_rests_once_somebody_took_it_up(self) -> None:
        i = self.incident
        if i.acknowledged_at is not None or i.state not in (S.OPEN, S.ASSIGNED):
            assert i.escalates_at is None

    @invariant()
    def an_answered_response_clock_is_never_also_cancelled(self) -> None:
        assert not (self.incident.clocks.response_met_at and self.incident.clocks.response_cancelled)

    @invariant()
    def what_is_offered_is_exactly_what_would_change_something(self) -> None:
        for actor in PEOPLE:
            accepted = {action for action in A if self._would_change(action, actor)}
            assert set(available(self.incident, actor)) == accepted

    def _would_change(self, action: A, actor: Actor) -> bool:
        boss = actor.role in (Role.ADMIN, Role.MANAGER)
        other = BEN.id if self.incident.assignee == ANA.id else ANA.id
        to = other if boss else actor.id
        permission = permission_for(action, actor=actor, assignee=to)
        if not allowed(actor, permission, self.incident.company_id):
            return False
        until = self.now + hours(2) + minutes(7)
        worse = Severity.LOW if self.incident.severity is Severity.CRITICAL else Severity.CRITICAL
        command = self._command(
            action, actor, assignee=to, hold_reason=HoldReason.VENDOR, until=until, severity=worse, title="another"
        )
        try:
            if action is A.SPLIT and self.incident.alert_count < 2:
                return False
            if action in (A.ESCALATE, A.MERGE, A.SPLIT):
                lifecycle.check(self.incident, command)
                return True
            return lifecycle.apply(self.incident, command).changed
        except Conflict:
            return False


IncidentLife.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestIncidentLife = IncidentLife.TestCase


def test_every_command_is_the_same_when_it_is_given_twice() -> None:
    for action in (A.ACK, A.START, A.RESOLVE):
        command = Command(action=action, actor=ANA, now=T0, note="done")
        once = lifecycle.apply(incident(), command)
        twice = lifecycle.apply(once.incident, replace(command, now=T0 + minutes(1)))
        assert once.changed
        assert not twice.changed
        assert twice.incident is once.incident
