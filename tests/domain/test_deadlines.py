"""What happens later to an incident follows from how it stands."""

from __future__ import annotations

from siems.domain.changing import replace
from siems.domain.correlation import Rules
from siems.domain.deadlines import DueKind, deadlines_of
from siems.vocabulary import Action, HoldReason

from .making import MARA, T0, TARGET, act, after, hours, incident, minutes

RULES = Rules()


def test_a_clock_first_warns_then_breaches_then_is_silent() -> None:
    open_ = incident(escalates_at=T0 + minutes(15))
    due = deadlines_of(open_, RULES, TARGET)
    assert due == {
        DueKind.RESPONSE: T0 + minutes(90),
        DueKind.RESOLUTION: T0 + hours(7.5),
        DueKind.ESCALATION: T0 + minutes(15),
    }
    warned = replace(open_, clocks=replace(open_.clocks, response_warned_at=T0 + minutes(90)))
    assert deadlines_of(warned, RULES, TARGET)[DueKind.RESPONSE] == T0 + hours(2)
    late = replace(open_, clocks=replace(warned.clocks, response_breached_at=T0 + hours(2)))
    assert DueKind.RESPONSE not in deadlines_of(late, RULES, TARGET)


def test_a_paused_clock_has_no_deadline_and_the_hold_has_one() -> None:
    ready = after(incident(), Action.ACK)
    held = act(ready, Action.HOLD, hold_reason=HoldReason.CLIENT, until=T0 + hours(5)).incident
    assert deadlines_of(held, RULES, TARGET) == {DueKind.HOLD_END: T0 + hours(5)}


def test_what_is_resolved_only_waits_to_be_closed() -> None:
    done = after(incident(), Action.RESOLVE)
    assert deadlines_of(done, RULES, TARGET) == {DueKind.AUTO_CLOSE: T0 + hours(72)}
    assert deadlines_of(after(done, Action.CLOSE, actor=MARA), RULES, TARGET) == {}
    assert deadlines_of(incident(merged_into=7), RULES, TARGET) == {}


def test_a_recovered_incident_resolves_after_the_quiet_delay_unless_it_flaps() -> None:
    quiet = incident(recovered_at=T0)
    assert deadlines_of(quiet, RULES, TARGET)[DueKind.AUTO_RESOLVE] == T0 + minutes(5)
    off = replace(RULES, auto_resolve=False)
    assert DueKind.AUTO_RESOLVE not in deadlines_of(quiet, off, TARGET)
    flaps = deadlines_of(replace(quiet, flapping=True, transitions=(T0,)), RULES, TARGET)
    assert DueKind.AUTO_RESOLVE not in flaps
    assert flaps[DueKind.FLAP_END] == T0 + minutes(15)
