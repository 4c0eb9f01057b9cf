"""Heartbeats: silence is an alert like any other, the next beat ends it, and a beat costs one row."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siems.clock import ManualClock
from siems.domain.heartbeat import Heartbeat, Pulse, grace_for, span
from siems.errors import Conflict, Forbidden, InvalidField, NotFound
from siems.services import heartbeats
from siems.storage.writer import Job
from siems.vocabulary import Role, Severity
from siems.wire import HeartbeatAsk, HeartbeatEdit

from .silencing import silence
from .world import ACME, BETA, ROOT, World


@pytest.fixture
def hour(world: World) -> str:
    """A heartbeat every hour with ten minutes of grace."""
    return made(world, "nightly", every_seconds=3_600, grace_seconds=600)


def made(world: World, name: str, company: str = ACME, **ask: Any) -> str:
    asked = HeartbeatAsk(name=name, company=company, **({"every_seconds": 3_600} | ask))
    found = world.do(heartbeats.create, ROOT, company, asked, "http://here", companies=(company,))
    return str(found.heartbeat.id)


def beat(world: World, id: str, verb: Any = heartbeats.beat, *more: Any) -> None:
    """As the address does it: in the lane of alerts."""
    job = Job(verb, (ACME, id, *more), (ACME,), True, None)
    world.database.writer.put(job)
    assert job.wait() == b"OK"


def state(world: World, id: str) -> str:
    found = world.database.read_now(heartbeats.find_heartbeat, id, ROOT)
    return found.pulse(world.clock.now()).value


def alerts(world: World) -> list[tuple[str, str, str]]:
    rows = world.rows("SELECT asset_name, signature, status FROM alert ORDER BY id")
    return [(row["asset_name"], row["signature"], row["status"]) for row in rows]


# --- silence ---------------------------------------------------------------------------------------------------


def test_nothing_is_expected_before_the_first_beat(world: World, hour: str) -> None:
    assert world.passes(hours=48) == []
    assert (state(world, hour), alerts(world)) == ("waiting", [])


def test_beats_in_time_raise_nothing(world: World, hour: str) -> None:
    for _ in range(5):
        beat(world, hour)
        world.passes(minutes=69)
    assert (state(world, hour), alerts(world)) == ("late", [])


def test_silence_beyond_the_grace_is_an_alert_and_the_next_beat_resolves_it(world: World, hour: str) -> None:
    beat(world, hour)
    world.passes(minutes=69, seconds=59)
    assert alerts(world) == []
    world.passes(seconds=1)
    assert alerts(world) == [("nightly", "heartbeat_missed", "active")]
    [row] = world.rows("SELECT tool_source, severity, message FROM alert")
    assert (row["tool_source"], row["severity"]) == ("heartbeat", int(Severity.HIGH))
    assert row["message"] == ("nightly: no heartbeat; expected every 1h (grace 10m), last at 2026-03-10T12:00:00Z")
    assert (state(world, hour), world.incident().state.value) == ("down", "OPEN")
    beat(world, hour)
    assert (state(world, hour), alerts(world)[0][2], world.incident().active_count) == ("up", "resolved", 0)
    world.passes(minutes=70)
    assert state(world, hour) == "down"


def test_what_was_raised_counts_once_and_again_when_somebody_has_resolved_it(world: World, hour: str) -> None:
    beat(world, hour)
    world.passes(hours=10)
    assert world.rows("SELECT count FROM alert") == [{"count": 1}]
    world.act(ROOT, "resolve", note="the job is off")
    world.passes(minutes=70)
    assert [line[2] for line in alerts(world)] == ["resolved", "active"]


def test_a_failure_is_an_alert_at_once_with_what_was_said(world: World, hour: str) -> None:
    beat(world, hour)
    beat(world, hour, heartbeats.fail, "disk full\n" + "x" * 5_000)
    assert alerts(world) == [("nightly", "heartbeat_failed", "active")]
    message = world.rows("SELECT message FROM alert")[0]["message"]
    assert message.startswith("nightly: reported a failure\ndisk full")
    assert len(message) < 1_100
    beat(world, hour)
    assert alerts(world)[0][2] == "resolved"


def test_a_run_that_has_begun_has_to_end_within_the_grace(world: World, hour: str) -> None:
    beat(world, hour)
    beat(world, hour, heartbeats.start)
    world.passes(minutes=9)
    assert (state(world, hour), alerts(world)) == ("up", [])
    world.passes(minutes=1)
    assert "did not end within 10m" in world.rows("SELECT message FROM alert")[0]["message"]
    beat(world, hour)
    assert state(world, hour) == "up"


def test_a_run_that_ends_in_time_goes_on_as_before(world: World, hour: str) -> None:
    beat(world, hour, heartbeats.start)
    world.passes(minutes=5)
    beat(world, hour)
    world.passes(minutes=69)
    assert alerts(world) == []
    world.passes(minutes=1)
    assert len(alerts(world)) == 1


def test_what_fell_due_while_siems_was_down_gets_its_chance_to_be_heard(world: World, hour: str) -> None:
    beat(world, hour)
    world.stop()
    world.clock.advance(hours=3)
    world.restart()
    world.tick()
    assert alerts(world) == []
    world.passes(minutes=69)
    assert alerts(world) == []
    world.passes(minutes=1)
    assert [line[1] for line in alerts(world)] == ["heartbeat_missed"]


def test_under_a_silence_it_pages_nobody_and_still_comes_back(world: World, hour: str) -> None:
    beat(world, hour)
    silence(world, "asset=nightly", seconds=48 * 3_600)
    world.passes(hours=20)
    assert (alerts(world), world.count("incident")) == ([("nightly", "heartbeat_missed", "suppressed")], 0)
    beat(world, hour)
    assert (state(world, hour), alerts(world)[0][2]) == ("up", "resolved")


# --- what it costs ---------------------------------------------------------------------------------------------


def test_a_beat_leaves_no_entry_no_event_and_no_row_but_its_own(world: World, hour: str) -> None:
    beat(world, hour)
    tables = ("audit_entry", "event", "deadline", "alert", "raw_body", "timeline", "delivery")
    before = {table: world.count(table) for table in tables}
    due = world.deadlines(hour)
    for _ in range(20):
        world.clock.advance(minutes=1)
        beat(world, hour)
    assert {table: world.count(table) for table in tables} == before
    assert world.deadlines(hour) == due
    found = world.database.read_now(heartbeats.find_heartbeat, hour, ROOT)
    assert found.last_beat_at == world.clock.now()


def test_a_restart_remembers_beats_and_silence(world: World, hour: str) -> None:
    beat(world, hour)
    world.restart()
    world.passes(minutes=70)
    assert state(world, hour) == "down"
    world.restart()
    beat(world, hour)
    assert (state(world, hour), alerts(world)[0][2]) == ("up", "resolved")


# --- what people do --------------------------------------------------------------------------------------------


def test_paused_it_raises_nothing_and_resumed_it_counts_from_then(world: World, hour: str) -> None:
    beat(world, hour)
    world.passes(minutes=70)
    world.do(heartbeats.pause, ROOT, ACME, hour)
    assert (state(world, hour), alerts(world)[0][2]) == ("paused", "resolved")
    beat(world, hour, heartbeats.fail, "")
    world.passes(hours=30)
    assert len(alerts(world)) == 1
    world.do(heartbeats.resume, ROOT, ACME, hour)
    world.passes(minutes=69)
    assert state(world, hour) == "late"
    world.passes(minutes=1)
    assert [line[2] for line in alerts(world)] == ["resolved", "active"]


def test_a_shorter_period_counts_from_the_last_beat(world: World, hour: str) -> None:
    beat(world, hour)
    world.do(heartbeats.edit, ROOT, ACME, hour, HeartbeatEdit(every_seconds=300, grace_seconds=60, severity="low"))
    world.passes(minutes=6)
    [row] = world.rows("SELECT severity FROM alert")
    assert row["severity"] == int(Severity.LOW)


def test_deleted_it_is_gone_with_its_deadline_and_what_it_raised_is_over(world: World, hour: str) -> None:
    beat(world, hour)
    world.passes(minutes=70)
    world.do(heartbeats.delete, ROOT, ACME, hour)
    assert (world.count("heartbeat"), world.deadlines(hour), alerts(world)[0][2]) == (0, {}, "resolved")
    with pytest.raises(NotFound):
        beat(world, hour)
    assert made(world, "nightly") == "HB-2"


def test_every_change_by_people_is_on_record_and_no_token_is_in_the_database(world: World) -> None:
    asked = HeartbeatAsk(name="job", company=ACME, every_seconds=60)
    token = world.do(heartbeats.create, ROOT, ACME, asked, "http://here").url.rpartition("/")[2]
    for verb in (heartbeats.pause, heartbeats.resume, heartbeats.beat_by_hand):
        world.do(verb, ROOT, ACME, "HB-1")
    newer = world.do(heartbeats.rotate, ROOT, ACME, "HB-1", "http://here").url.rpartition("/")[2]
    world.do(heartbeats.edit, ROOT, ACME, "HB-1", HeartbeatEdit(name="other"))
    world.do(heartbeats.delete, ROOT, ACME, "HB-1")
    rows = world.rows("SELECT action FROM audit_entry WHERE object = 'HB-1' ORDER BY seq")
    assert [row["action"].removeprefix("heartbeat.") for row in rows] == [
        "created", "paused", "resumed", "beaten", "rotated", "edited", "deleted",
    ]  # fmt: skip
    kept = str(world.rows("SELECT * FROM audit_detail")) + str(world.rows("SELECT * FROM event"))
    assert newer != token
    assert token not in kept
    assert newer not in kept


def test_pausing_twice_changes_and_records_nothing(world: World, hour: str) -> None:
    world.do(heartbeats.pause, ROOT, ACME, hour)
    before = world.count("audit_entry")
    world.do(heartbeats.pause, ROOT, ACME, hour)
    world.do(heartbeats.resume, ROOT, ACME, hour)
    world.do(heartbeats.resume, ROOT, ACME, hour)
    assert world.count("audit_entry") == before + 1


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        ({"name": " "}, "name"), ({"name": "x" * 101}, "name"), ({"name": "a\x1b[0m"}, "name"),
        ({"every_seconds": 9}, "every"), ({"every_seconds": 10**9}, "every"), ({"grace_seconds": -1}, "grace"),
        ({"severity": "dire"}, "severity"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_named(world: World, ask: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidField, match=says):
        made(world, **({"name": "job"} | ask))
    assert world.count("heartbeat") == 0


def test_a_name_is_taken_once_per_client(world: World, hour: str) -> None:
    with pytest.raises(Conflict, match="HB-1"):
        made(world, "nightly")
    made(world, "nightly", BETA)
    with pytest.raises(Conflict, match="HB-1 of comp-acme, HB-2 of comp-beta"):
        world.database.read_now(heartbeats.find_heartbeat, "nightly", ROOT)
    ana = world.hire("ana", Role.TECHNICIAN, ACME)
    assert world.database.read_now(heartbeats.find_heartbeat, "nightly", ana).id == "HB-1"
    assert [h.id for h in world.database.read_now(heartbeats.list_heartbeats, ana, None, world.clock.now())] == ["HB-1"]


def test_technicians_see_and_managers_change(world: World, hour: str) -> None:
    ana, max_ = world.hire("ana", Role.TECHNICIAN, ACME), world.hire("max", Role.MANAGER, ACME)
    with pytest.raises(Forbidden):
        world.do(heartbeats.pause, ana, ACME, hour)
    world.do(heartbeats.pause, max_, ACME, hour)
    cleo = world.hire("cleo", Role.CLIENT, ACME)
    with pytest.raises(Forbidden):
        world.database.read_now(heartbeats.list_heartbeats, cleo, None, world.clock.now())


# --- its parts -------------------------------------------------------------------------------------------------


@given(seconds=st.integers(0, 400 * 86_400))
@settings(max_examples=200)
def test_a_length_is_told_as_it_is_typed(seconds: int) -> None:
    from datetime import timedelta

    from siems.grammar import parse_span

    assert parse_span(span(timedelta(seconds=seconds))).total_seconds() == seconds


@pytest.mark.parametrize(("every", "grace"), [(60, 60), (3_600, 360), (86_400, 3_600)])
def test_the_grace_that_nobody_asked_for(every: int, grace: int) -> None:
    from datetime import timedelta

    assert grace_for(timedelta(seconds=every)).total_seconds() == grace


def test_late_is_not_down(clock: ManualClock) -> None:
    from datetime import timedelta

    found = Heartbeat(
        id="HB-1", company_id=ACME, name="x", every=timedelta(hours=1), grace=timedelta(minutes=5),
        severity=Severity.HIGH, token_hash="", token_hint="", created_at=clock.now(), last_beat_at=clock.now(),
        expected_since=clock.now(),
    )  # fmt: skip
    assert found.pulse(clock.now() + timedelta(minutes=61)) is Pulse.LATE
