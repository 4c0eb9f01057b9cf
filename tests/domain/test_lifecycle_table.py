"""The table of the lifecycle, read row by row, and the sentences around it."""

from __future__ import annotations

import pytest

from siems.domain.changing import replace
from siems.domain.lifecycle import apply, available, check
from siems.domain.moves import Command
from siems.domain.permissions import SYSTEM
from siems.errors import Conflict, InvalidField, StaleVersion, UsageError
from siems.vocabulary import Action as A
from siems.vocabulary import HoldReason, Role
from siems.vocabulary import State as S

from .making import ANA, BEN, MARA, T0, TARGET, act, after, hours, incident, minutes, person

OPEN = incident()
ASSIGNED = after(OPEN, A.ACK)
IN_PROGRESS = after(OPEN, A.START)
RESOLVED = after(OPEN, A.RESOLVE)
CLOSED = after(RESOLVED, A.CLOSE, actor=MARA)
HELD = act(ASSIGNED, A.HOLD, hold_reason=HoldReason.CLIENT, until=T0 + hours(4)).incident
STANDS = {
    S.OPEN: OPEN,
    S.ASSIGNED: ASSIGNED,
    S.IN_PROGRESS: IN_PROGRESS,
    S.RESOLVED: RESOLVED,
    S.CLOSED: CLOSED,
}

SAME, ALREADY, NO = "same", "already", "no"
BECOMES = {
    #             OPEN           ASSIGNED       IN_PROGRESS    RESOLVED       CLOSED
    A.ASSIGN:   (S.ASSIGNED,    S.ASSIGNED,    SAME,          NO,            NO),
    A.UNASSIGN: (ALREADY,       S.OPEN,        S.OPEN,        NO,            NO),
    A.ACK:      (S.ASSIGNED,    ALREADY,       ALREADY,       NO,            NO),
    A.START:    (S.IN_PROGRESS, S.IN_PROGRESS, ALREADY,       NO,            NO),
    A.HOLD:     (NO,            SAME,          SAME,          NO,            NO),
    A.RESUME:   (ALREADY,       ALREADY,       ALREADY,       NO,            NO),
    A.RESOLVE:  (S.RESOLVED,    S.RESOLVED,    S.RESOLVED,    ALREADY,       NO),
    A.CLOSE:    (NO,            NO,            NO,            S.CLOSED,      ALREADY),
    A.REOPEN:   (ALREADY,       ALREADY,       ALREADY,       S.IN_PROGRESS, S.IN_PROGRESS),
}  # fmt: skip
ROWS = [
    pytest.param(action, state, becomes, id=f"{action.value} of {state.value} is {becomes}")
    for action, row in BECOMES.items()
    for state, becomes in zip(S, row, strict=True)
]
ARGUMENTS = {
    A.ASSIGN: {"assignee": BEN.id},
    A.HOLD: {"hold_reason": HoldReason.PARTS, "until": T0 + hours(1)},
}


@pytest.mark.parametrize(("action", "state", "becomes"), ROWS)
def test_every_action_in_every_state_does_what_the_table_says(action: A, state: S, becomes: str) -> None:
    before = STANDS[state]
    if becomes is NO:
        with pytest.raises(Conflict, match=state.value):
            act(before, action, **ARGUMENTS.get(action, {}))
        return
    outcome = act(before, action, **ARGUMENTS.get(action, {}))
    if becomes is ALREADY:
        assert not outcome.changed
        assert outcome.incident is before
    else:
        assert outcome.changed
        assert outcome.incident.state is (state if becomes is SAME else becomes)


def test_resume_ends_the_hold_and_keeps_the_state() -> None:
    outcome = act(HELD, A.RESUME, now=T0 + minutes(30))
    assert outcome.changed
    assert outcome.incident.state is S.ASSIGNED
    assert not outcome.incident.on_hold
    assert outcome.incident.clocks.resolution_due == T0 + TARGET.resolution + minutes(30)


@pytest.mark.parametrize(
    ("before", "action", "next_step"),
    [
        (OPEN, A.CLOSE, "siems incident ack INC-42"),
        (OPEN, A.HOLD, "siems incident ack INC-42"),
        (ASSIGNED, A.CLOSE, "siems incident start INC-42"),
        (IN_PROGRESS, A.CLOSE, "siems incident resolve INC-42 --note"),
        (RESOLVED, A.ACK, "siems incident reopen INC-42 --reason"),
        (CLOSED, A.RESOLVE, "siems incident reopen INC-42 --reason"),
        (replace(ASSIGNED, acknowledged_at=None), A.HOLD, "siems incident ack INC-42"),
    ],
)
def test_a_conflict_names_the_next_legal_command(before, action, next_step) -> None:
    with pytest.raises(Conflict) as refused:
        act(before, action, **ARGUMENTS.get(action, {}))
    assert next_step in refused.value.hint
    word = refused.value.hint.split("siems incident ")[1].split()[0]
    assert A(word) in available(before, MARA)


def test_ack_of_an_open_incident_takes_it_and_each_step_stands_by_itself() -> None:
    outcome = act(OPEN, A.ACK, now=T0 + minutes(3))
    assert [step.action for step in outcome.steps] == [A.ASSIGN, A.ACK]
    assert outcome.incident.assignee == ANA.id
    assert outcome.incident.acknowledged_at == T0 + minutes(3)
    assert outcome.incident.version == OPEN.version + 2


def test_ack_by_a_colleague_leaves_the_owner() -> None:
    given = act(OPEN, A.ASSIGN, MARA, assignee=BEN.id).incident
    outcome = act(given, A.ACK, ANA)
    assert [step.action for step in outcome.steps] == [A.ACK]
    assert outcome.incident.assignee == BEN.id


def test_start_takes_and_acknowledges_what_is_missing() -> None:
    assert [s.action for s in act(OPEN, A.START).steps] == [A.ASSIGN, A.ACK, A.START]
    assert [s.action for s in act(ASSIGNED, A.START).steps] == [A.START]
    assert [s.action for s in act(ASSIGNED, A.START, BEN).steps] == [A.ASSIGN, A.ACK, A.START]


def test_resolve_by_a_person_takes_the_missing_steps_first() -> None:
    outcome = act(OPEN, A.RESOLVE, now=T0 + minutes(9))
    assert [s.action for s in outcome.steps] == [A.ASSIGN, A.ACK, A.START, A.RESOLVE]
    assert outcome.incident.clocks.response_met_at == T0 + minutes(9)
    assert [s.action for s in act(ASSIGNED, A.RESOLVE).steps] == [A.START, A.RESOLVE]
    assert [s.action for s in act(IN_PROGRESS, A.RESOLVE).steps] == [A.RESOLVE]


@pytest.mark.parametrize("before", [OPEN, act(OPEN, A.ASSIGN, SYSTEM, assignee=BEN.id).incident])
def test_resolve_by_the_system_fakes_no_ack_and_cancels_the_response_clock(before) -> None:
    outcome = act(before, A.RESOLVE, SYSTEM, note="")
    done = outcome.incident
    assert [s.action for s in outcome.steps] == [A.RESOLVE]
    assert (done.state, done.resolved_by, done.acknowledged_at) == (S.RESOLVED, "system", None)
    assert done.clocks.response_cancelled
    assert done.clocks.response_met_at is None
    assert not done.touched


def test_resolve_by_the_system_keeps_an_ack_that_was_real() -> None:
    done = act(ASSIGNED, A.RESOLVE, SYSTEM, now=T0 + hours(1)).incident
    assert done.acknowledged_at == T0
    assert done.clocks.response_met_at == T0
    assert not done.clocks.response_cancelled


def test_resolve_on_hold_ends_the_hold() -> None:
    done = act(HELD, A.RESOLVE, now=T0 + hours(1)).incident
    assert not done.on_hold
    assert done.clocks.paused == hours(1)
    assert done.clocks.paused_since is None


def test_assign_by_a_person_restarts_the_chain_on_the_assignee() -> None:
    climbed = replace(ASSIGNED, escalation_level=3, escalated_at=T0)
    now = T0 + minutes(20)
    given = act(climbed, A.ASSIGN, MARA, assignee=BEN.id, now=now).incident
    assert given.assignee == BEN.id
    assert given.acknowledged_at is None
    assert (given.escalation_level, given.escalated_at) == (1, None)
    assert given.position.cycle == climbed.position.cycle + 1
    assert (given.position.round, given.position.step) == (0, 0)
    assert given.escalates_at == now + minutes(15)


def test_assign_by_the_system_neither_answers_nor_restarts() -> None:
    given = act(replace(OPEN, escalates_at=T0 + minutes(15)), A.ASSIGN, SYSTEM, assignee=BEN.id).incident
    assert given.state is S.ASSIGNED
    assert given.clocks.response_met_at is None
    assert given.position == OPEN.position
    assert given.escalates_at == T0 + minutes(15)


def test_assign_by_a_person_stops_the_response_clock() -> None:
    given = act(OPEN, A.ASSIGN, MARA, assignee=BEN.id, now=T0 + minutes(7)).incident
    assert given.clocks.response_met_at == T0 + minutes(7)
    assert given.acknowledged_at is None


def test_unassign_gives_it_back_to_the_chain() -> None:
    now = T0 + minutes(20)
    back = act(HELD, A.UNASSIGN, now=now).incident
    assert (back.state, back.assignee, back.acknowledged_at, back.on_hold) == (S.OPEN, None, None, False)
    assert back.position.cycle == HELD.position.cycle + 1
    assert back.escalates_at == now + minutes(15)


@pytest.mark.parametrize("action", [A.ACK, A.START])
def test_ack_and_start_stop_the_steps_that_time_drives(action: A) -> None:
    assert act(replace(OPEN, escalates_at=T0 + minutes(15)), action).incident.escalates_at is None


def test_reopen_by_an_alert_clears_the_ack_and_starts_a_new_cycle() -> None:
    now = RESOLVED.resolved_at + minutes(10)
    again = act(replace(RESOLVED, escalation_level=3), A.REOPEN, SYSTEM, now=now, reason="").incident
    assert again.state is S.OPEN
    assert (again.assignee, again.acknowledged_at, again.started_at, again.resolved_at) == (
        None,
        None,
        None,
        None,
    )
    assert again.escalation_level == 1
    assert again.position.cycle == RESOLVED.position.cycle + 1
    assert again.escalates_at == now + minutes(15)
    assert again.clocks.response_open
    assert again.clocks.response_due == now + TARGET.response


def test_reopen_by_a_person_goes_on_where_it_was() -> None:
    again = act(CLOSED, A.REOPEN, BEN).incident
    assert (again.state, again.assignee) == (S.IN_PROGRESS, ANA.id)
    assert (again.closed_at, again.resolved_at, again.resolved_by, again.resolution_notes) == (None,) * 4
    assert again.clocks.response_met_at == T0
    nobodys = act(OPEN, A.RESOLVE, SYSTEM).incident
    assert act(nobodys, A.REOPEN).incident.state is S.OPEN


def test_what_was_never_acknowledged_can_be_held_after_a_person_reopened_it() -> None:
    given = act(OPEN, A.ASSIGN, MARA, assignee=BEN.id).incident
    again = act(act(given, A.RESOLVE, SYSTEM).incident, A.REOPEN, BEN).incident
    assert (again.state, again.acknowledged_at) == (S.IN_PROGRESS, None)
    assert A.HOLD in available(again, BEN)
    assert act(again, A.HOLD, BEN, hold_reason=HoldReason.PARTS, until=T0 + hours(1)).incident.on_hold


@pytest.mark.parametrize("span", [hours(0), hours(-1), hours(7 * 24) + minutes(1)])
def test_a_hold_ends_in_the_future_and_within_seven_days(span) -> None:
    with pytest.raises(InvalidField):
        act(ASSIGNED, A.HOLD, hold_reason=HoldReason.CLIENT, until=T0 + span)


def test_a_hold_of_exactly_seven_days_is_taken() -> None:
    assert act(ASSIGNED, A.HOLD, hold_reason=HoldReason.CLIENT, until=T0 + hours(7 * 24)).changed


@pytest.mark.parametrize(
    ("before", "action", "lacks", "names"),
    [
        (IN_PROGRESS, A.RESOLVE, {"note": " "}, "--note"),
        (RESOLVED, A.REOPEN, {"reason": ""}, "--reason"),
        (OPEN, A.ASSIGN, {"assignee": None}, "--to"),
        (ASSIGNED, A.HOLD, {"until": T0 + hours(1)}, "--for"),
        (ASSIGNED, A.HOLD, {"hold_reason": HoldReason.PARTS}, "--until"),
        (OPEN, A.NOTE, {"note": ""}, "text"),
    ],
)
def test_what_is_missing_is_named_by_its_flag(before, action, lacks, names) -> None:
    with pytest.raises(UsageError) as refused:
        act(before, action, **lacks)
    assert names in refused.value.hint


def test_a_manual_escalation_is_checked_like_the_rest() -> None:
    check(OPEN, Command(action=A.ESCALATE, actor=ANA, now=T0, reason="no answer"))
    with pytest.raises(UsageError, match="reason"):
        check(OPEN, Command(action=A.ESCALATE, actor=ANA, now=T0))
    with pytest.raises(Conflict, match="RESOLVED"):
        check(RESOLVED, Command(action=A.ESCALATE, actor=ANA, now=T0, reason="no answer"))


def test_a_write_against_a_stale_version_is_refused_before_anything_else() -> None:
    with pytest.raises(StaleVersion, match=f"at version {ASSIGNED.version}, you saw 1"):
        act(ASSIGNED, A.ACK, version=1)
    assert act(ASSIGNED, A.START, version=ASSIGNED.version).changed


def test_a_note_leaves_the_version_alone() -> None:
    outcome = act(CLOSED, A.NOTE)
    assert outcome.changed
    assert outcome.incident == CLOSED


def test_what_was_folded_points_at_its_survivor() -> None:
    folded = replace(CLOSED, merged_into=7)
    for action in set(A) - {A.NOTE}:
        with pytest.raises(Conflict, match="INC-7") as refused:
            apply(folded, Command(action=action, actor=MARA, now=T0))
        assert "siems incident show INC-7" in refused.value.hint
    assert available(folded, MARA) == (A.NOTE,)
    assert act(folded, A.NOTE).changed


def test_nobody_outside_and_no_client_is_offered_anything() -> None:
    assert available(OPEN, person("eve", Role.MANAGER, "comp-other")) == ()
    assert available(OPEN, person("carl", Role.CLIENT)) == ()
    assert A.CLOSE in available(RESOLVED, MARA)
    assert A.CLOSE not in available(RESOLVED, ANA)


def test_only_a_person_leaves_a_mark_that_forbids_absorbing() -> None:
    assert act(OPEN, A.ACK).incident.touched
    assert not act(OPEN, A.ASSIGN, SYSTEM, assignee=BEN.id).incident.touched
