"""What is old enough goes, a little at a time; what is open, needed or on the record stays."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from siems.clock import to_micros
from siems.domain.deadlines import DueKind
from siems.domain.retention import DAY, Retention
from siems.services import queries, retention
from siems.services.deadlines import fire
from siems.storage.repositories.deadlines import Due, due_rows
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP

from .world import ACME, World


def sweep(world: World, kept: Retention | None = None) -> int:
    """One sweep from its beginning to its end; how many verbs it took."""

    def begin(uow: UnitOfWork) -> None:
        uow.deadlines.set(retention.HOUSE, DueKind.HOUSEKEEPING.value, uow.now, company_id=MSP)

    world.do(begin, companies=(MSP,))
    verbs = 0
    while rows := mine(world):
        assert world.do(fire, rows[0], kept or Retention(), companies=(MSP,))
        verbs += 1
    return verbs


def mine(world: World) -> list[Due]:
    return [row for row in world.database.read_now(due_rows, world.clock.now()) if row.kind == "housekeeping"]


def close(world: World, ref: str) -> None:
    world.act(world.admin, "start", ref)
    world.act(world.admin, "resolve", ref, note="done")
    world.act(world.admin, "close", ref)


def test_a_closed_incident_goes_with_its_story_after_its_alerts(world: World) -> None:
    world.fires(body=b"the body")
    close(world, "INC-1")
    entries = world.count("audit_entry")
    world.clock.advance(hours=24 * 31)
    sweep(world)
    assert (world.count("raw_body"), world.count("alert"), world.count("incident")) == (0, 1, 1)
    view, raw = world.database.read_now(queries.alert_detail, "ALR-1", world.admin)
    assert (view.id, raw) == ("ALR-1", None)
    world.clock.advance(hours=24 * 365)
    sweep(world)
    assert (world.count("alert"), world.count("incident")) == (0, 1)
    assert world.incident().alert_count == 1
    world.clock.advance(hours=24 * 365)
    sweep(world)
    assert (world.count("incident"), world.count("timeline")) == (0, 0)
    assert world.count("audit_entry") > entries, "what was removed is on the record, and nothing of the record went"
    told = world.rows("SELECT details FROM audit_detail WHERE details LIKE '%removed%' ORDER BY seq")
    assert ['"alert"' in t["details"] or '"incident"' in t["details"] for t in told].count(True) == 2


def test_what_is_open_stays_however_old(world: World) -> None:
    world.fires("web-1", "still_active")
    world.fires("web-2", "recovered_but_open")
    world.recovers("web-2", "recovered_but_open")
    world.clock.advance(hours=24 * 2_000)
    sweep(world)
    assert (world.count("alert"), world.count("incident")) == (2, 2)
    assert world.count("timeline") >= 0


def test_an_incident_that_an_open_one_recurs_from_stays(world: World) -> None:
    world.fires()
    world.act(world.admin, "start")
    world.act(world.admin, "resolve", note="done")
    world.clock.advance(hours=2)
    world.fires()
    assert world.incident("INC-2").recurrence_of == 1
    world.act(world.admin, "close", "INC-1")
    world.clock.advance(hours=24 * 2_000)
    sweep(world)
    assert [row["id"] for row in world.rows("SELECT id FROM incident ORDER BY id")] == [1, 2]
    close(world, "INC-2")
    sweep(world)
    assert [row["id"] for row in world.rows("SELECT id FROM incident ORDER BY id")] == [2]


def test_an_incident_whose_alerts_are_kept_for_longer_stays_with_them(world: World) -> None:
    world.fires()
    close(world, "INC-1")
    world.clock.advance(hours=24 * 20)
    kept = Retention(alerts=30 * DAY, incidents=10 * DAY)
    sweep(world, kept)
    assert world.count("incident") == 1
    world.clock.advance(hours=24 * 20)
    sweep(world, kept)
    assert (world.count("alert"), world.count("incident")) == (0, 0)


def test_a_message_that_is_not_sent_yet_stays(world: World) -> None:
    world.fires("web-1")
    world.fires("db-1", "slow")
    assert world.count("notification") == 2
    first = world.rows("SELECT min(id) AS id FROM notification")[0]["id"]
    world.do(lambda uow: uow.run("UPDATE notification SET state = 'pending' WHERE id = ?", [(first,)]))
    world.clock.advance(hours=24 * 91)
    sweep(world)
    assert [row["id"] for row in world.rows("SELECT id FROM notification")] == [first]


def test_short_lived_things_go_and_young_ones_stay(world: World) -> None:
    world.fires("old", delivery="d-1")
    world.act(world.admin, "start")
    world.clock.advance(hours=24 * 8)
    world.fires("new", delivery="d-2")
    sweep(world)
    assert [row["delivery_id"] for row in world.rows("SELECT delivery_id FROM delivery")] == ["d-2"]
    assert world.count("undo") == 0
    [oldest] = world.rows("SELECT min(at) AS at FROM event")
    assert world.clock.now() - timedelta(days=7) <= datetime.fromtimestamp(
        oldest["at"] / 1e6, tz=world.clock.now().tzinfo
    )


# --- a little at a time ----------------------------------------------------------------------------------------


def many_raw(world: World, count: int) -> None:
    def add(uow: UnitOfWork) -> None:
        for _ in range(count):
            uow.alerts.keep_raw(ACME, "generic", b"x")

    world.do(add)


def test_no_verb_removes_more_than_a_chunk_and_alerts_are_stored_between(world: World) -> None:
    many_raw(world, 1_700)
    old = f"at <= {to_micros(world.clock.now())}"
    world.clock.advance(hours=24 * 31)
    left = [world.count("raw_body", old)]
    for number in range(4):
        [row] = mine(world)
        world.do(fire, row, companies=(MSP,))
        left.append(world.count("raw_body", old))
        world.fires(f"web-{number}", f"problem {number}")
    assert left == [1_700, 1_450, 1_200, 950, 700]
    assert world.count("alert") == 4


def test_a_sweep_goes_on_where_it_was_after_a_restart(world: World) -> None:
    many_raw(world, 1_200)
    world.clock.advance(hours=24 * 31)
    [row] = mine(world)
    world.do(fire, row, companies=(MSP,))
    world.restart()
    assert world.count("raw_body") == 950
    while rows := mine(world):
        world.do(fire, rows[0], companies=(MSP,))
    assert world.count("raw_body") == 0
    [told] = world.rows("SELECT details FROM audit_detail WHERE details LIKE '%raw_body%'")
    assert '"raw_body":1200' in told["details"].replace(" ", "")


def test_a_long_story_is_removed_over_several_verbs(world: World) -> None:
    world.fires()
    close(world, "INC-1")

    def talk(uow: UnitOfWork) -> None:
        for number in range(1_300):
            uow.timeline.add(ACME, 1, "note", f"note {number}", actor=world.admin)

    world.do(talk)
    world.clock.advance(hours=24 * 1_100)
    few = sweep(world)
    assert (world.count("timeline"), world.count("incident")) == (0, 0)
    assert few >= len(retention.SWEEPS) + 2


def test_it_comes_back_every_hour(world: World) -> None:
    sweep(world)
    [row] = world.rows("SELECT due_at, payload FROM deadline WHERE kind = 'housekeeping'")
    assert row == {"due_at": int((world.clock.now() + timedelta(hours=1)).timestamp() * 1e6), "payload": "{}"}


# --- whatever happens ------------------------------------------------------------------------------------------

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("fires"), st.integers(0, 3)),
        st.tuples(st.just("recovers"), st.integers(0, 3)),
        st.tuples(st.just("closes"), st.integers(1, 6)),
        st.tuples(st.just("passes"), st.sampled_from([1, 20, 60])),
        st.tuples(st.just("sweeps"), st.just(0)),
    ),
    max_size=25,
)
BRIEF = Retention(
    raw=5 * DAY, alerts=10 * DAY, incidents=30 * DAY, events=DAY, deliveries=DAY, rejections=DAY, notifications=DAY
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_nothing_that_is_open_or_needed_is_ever_removed(world: World, steps: list[tuple[str, int]]) -> None:
    base = world.rows("SELECT value FROM counter WHERE name = 'incident'")[0]["value"]
    for what, number in [*steps, ("passes", 60), ("sweeps", 0)]:
        _step(world, what, number, base)
        if what == "sweeps":
            _whole(world)


def _step(world: World, what: str, number: int, base: int) -> None:
    match what:
        case "fires":
            world.fires(f"web-{number}", f"problem {number}")
        case "recovers":
            world.recovers(f"web-{number}", f"problem {number}")
        case "closes":
            open_ = world.rows("SELECT id FROM incident WHERE state NOT IN ('RESOLVED', 'CLOSED') ORDER BY id")
            if open_:
                close(world, f"INC-{open_[number % len(open_)]['id']}")
        case "passes":
            world.clock.advance(hours=24 * number)
        case "sweeps":
            sweep(world, BRIEF)


def _whole(world: World) -> None:
    """What memory holds is in the database, nothing points to what is gone, and what is old and over is gone."""
    company = world.database.memory.companies[ACME]
    alerts = {row["id"]: row for row in world.rows("SELECT id, incident_id, status, resolved_at FROM alert")}
    incidents: dict[int, dict[str, Any]] = {
        row["id"]: row for row in world.rows("SELECT id, state, closed_at, recurrence_of, merged_into FROM incident")
    }
    assert {a.id for a in company.alerts.values()} <= alerts.keys()
    assert company.incidents.keys() <= incidents.keys()
    assert {a["incident_id"] for a in alerts.values()} - {None} <= incidents.keys()
    for incident in incidents.values():
        if incident["state"] != "CLOSED":
            assert incident["recurrence_of"] is None or incident["recurrence_of"] in incidents
    now = world.clock.now()
    old = (now - BRIEF.alerts).timestamp() * 1e6
    over = [a for a in alerts.values() if a["status"] == "resolved" and a["resolved_at"] < old]
    assert all(incidents[a["incident_id"]]["state"] != "CLOSED" for a in over)
    assert world.count("timeline", "incident_id NOT IN (SELECT id FROM incident)") == 0
