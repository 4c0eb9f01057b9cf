"""What people do to incidents: every action in every state, versions, conflicts, and doing it twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from siems.domain.permissions import Actor
from siems.errors import Conflict, InvalidField, NotFound, StaleVersion, UsageError
from siems.vocabulary import Role, State

from .world import ACME, BETA, World

STATES = ("OPEN", "ASSIGNED", "IN_PROGRESS", "RESOLVED", "CLOSED")
# what DOMAIN §6 makes of each action in each state, for Mara, who is a manager and to whom nothing belongs yet:
# the state it leads to, "same" for a change that stays, "-" for nothing to do, "!" for a conflict
TABLE = {
    #            OPEN         ASSIGNED       IN_PROGRESS    RESOLVED       CLOSED
    "assign":   "ASSIGNED     ASSIGNED       IN_PROGRESS    !              !",
    "unassign": "-            OPEN           OPEN           !              !",
    "ack":      "ASSIGNED     ASSIGNED       -              !              !",
    "start":    "IN_PROGRESS  IN_PROGRESS    -              !              !",
    "hold":     "!            !              IN_PROGRESS    !              !",
    "resume":   "-            -              -              !              !",
    "resolve":  "RESOLVED     RESOLVED       RESOLVED       -              !",
    "close":    "!            !              !              CLOSED         -",
    "reopen":   "-            -              -              IN_PROGRESS    IN_PROGRESS",
    "escalate": "ASSIGNED     ASSIGNED       IN_PROGRESS    !              !",
    "note":     "OPEN         ASSIGNED       IN_PROGRESS    RESOLVED       CLOSED",
}  # fmt: skip
CELLS = [
    (action, state, cell) for action, row in TABLE.items() for state, cell in zip(STATES, row.split(), strict=True)
]


@pytest.fixture
def ana(world: World) -> Actor:
    return world.hire("ana", Role.TECHNICIAN, ACME)


@pytest.fixture
def mara(world: World) -> Actor:
    return world.hire("mara", Role.MANAGER, ACME)


def bring_to(world: World, state: str, ana: Actor, mara: Actor, asset: str = "web-1") -> str:
    """An incident in this state, by the shortest way; assigned means given to Ana, who has not looked yet."""
    ref = str(world.fires(asset, f"problem_of_{asset}")["incident_id"])
    if state == "ASSIGNED":
        world.act(mara, "assign", ref, to=ana.id)
    elif state != "OPEN":
        world.act(ana, "start", ref)
    if state in ("RESOLVED", "CLOSED"):
        world.act(ana, "resolve", ref, note="restarted")
    if state == "CLOSED":
        world.act(mara, "close", ref)
    assert world.incident(ref).state == state
    return ref


def words(world: World, action: str) -> dict[str, object]:
    """All that an action needs to be told."""
    return {
        "resolve": {"note": "restarted"}, "note": {"note": "look here"}, "reopen": {"reason": "not gone"},
        "escalate": {"reason": "too hard"}, "assign": {"to": "@me"},
        "hold": {"hold_for": "client", "until": world.clock.now() + timedelta(hours=4)},
    }.get(action, {})  # fmt: skip


@pytest.mark.parametrize("state", STATES)
def test_each_action_in_each_state_does_what_the_table_says(world: World, ana, mara, state) -> None:
    for action, _, leads_to in (cell for cell in CELLS if cell[1] == state):
        check_cell(world, bring_to(world, state, ana, mara, asset=action), mara, action, leads_to)


def check_cell(world: World, ref: str, mara: Actor, action: str, leads_to: str) -> None:
    before = world.incident(ref)
    if leads_to == "!":
        with pytest.raises(Conflict) as refused:
            world.act(mara, action, ref, **words(world, action))
        assert refused.value.exit == 6
        assert refused.value.message.startswith(f"{ref} is "), action
        assert "siems incident" in refused.value.hint
        assert world.incident(ref) == before
        return
    done = world.act(mara, action, ref, **words(world, action))
    after = world.incident(ref)
    if leads_to == "-":
        assert not done.changed, action
        assert after == before
        return
    assert done.changed, action
    assert after.state == leads_to, action
    assert (after.version > before.version) == (action != "note")


def test_the_conflict_names_the_state_and_the_next_legal_step(world: World, ana, mara) -> None:
    bring_to(world, "OPEN", ana, mara)
    with pytest.raises(Conflict, match="INC-1 is OPEN, it cannot be closed") as refused:
        world.act(mara, "close")
    assert "siems incident ack INC-1" in refused.value.hint


def test_what_was_folded_away_points_to_the_survivor(world: World, mara) -> None:
    for asset in "abc":
        world.fires(asset)
    with pytest.raises(Conflict, match="INC-2 was folded into INC-1"):
        world.act(mara, "reopen", "INC-2", reason="no")
    assert world.act(mara, "note", "INC-2", note="still allowed").changed


def test_resolving_an_open_incident_takes_the_missing_steps_and_audits_each(world: World, ana) -> None:
    world.fires()
    assert world.act(ana, "resolve", note="restarted").steps == ("assign", "ack", "start", "resolve")
    audited = [
        row["action"] for row in world.rows("SELECT action FROM audit_entry WHERE object = 'INC-1' ORDER BY seq")
    ]
    assert audited == ["incident.assigned", "incident.acknowledged", "incident.started", "incident.resolved"]
    incident = world.incident()
    assert (incident.assignee, incident.resolved_by, incident.resolution_notes) == (ana.id, ana.id, "restarted")


def test_an_ack_on_an_open_incident_takes_it(world: World, ana) -> None:
    world.fires()
    assert world.act(ana, "ack").steps == ("assign", "ack")
    assert world.incident().assignee == ana.id
    assert not world.act(ana, "ack").changed


@pytest.mark.parametrize("action", ["ack", "start", "resolve", "note", "escalate"])
def test_a_write_against_a_stale_version_is_a_conflict(world: World, ana, action) -> None:
    world.fires()
    world.act(ana, "assign", to="@me")
    with pytest.raises(StaleVersion) as refused:
        world.act(ana, action, version=1, **words(world, action))
    assert "version 1" not in refused.value.message.split(",")[0]
    assert world.incident().version == 3


def test_the_right_version_lets_a_write_through_once(world: World, ana) -> None:
    world.fires()
    version = world.incident().version
    assert world.act(ana, "ack", version=version).changed
    with pytest.raises(StaleVersion):
        world.act(ana, "start", version=version)


def test_repeats_do_not_move_the_version(world: World) -> None:
    world.fires()
    world.fires()
    assert world.incident().version == 1


@pytest.mark.parametrize(
    ("action", "ask"),
    [
        ("resolve", {}),
        ("resolve", {"note": "  "}),
        ("escalate", {}),
        ("note", {"note": "\n"}),
        ("assign", {}),
        ("hold", {"hold_for": "client"}),
        ("hold", {}),
    ],
)
def test_what_an_action_needs_is_asked_for_by_the_name_of_its_flag(world: World, mara, action, ask) -> None:
    world.fires()
    world.act(mara, "ack")
    with pytest.raises(UsageError) as refused:
        world.act(mara, action, **ask)
    assert refused.value.hint
    assert world.incident().version == 3


@pytest.mark.parametrize("days", [-1, 0, 7.1])
def test_a_hold_ends_in_the_future_and_within_seven_days(world: World, ana, days) -> None:
    world.fires()
    world.act(ana, "ack")
    with pytest.raises(InvalidField):
        world.act(ana, "hold", hold_for="client", until=world.clock.now() + timedelta(days=days))


def test_a_time_without_a_zone_is_refused_as_a_field_and_never_a_crash(world: World, ana) -> None:
    world.fires()
    world.act(ana, "ack")
    naive = (world.clock.now() + timedelta(hours=1)).replace(tzinfo=None)
    with pytest.raises(InvalidField):
        world.act(ana, "hold", hold_for="client", until=naive)


def test_an_unknown_reason_to_hold_lists_the_known_ones(world: World, ana) -> None:
    world.fires()
    world.act(ana, "ack")
    with pytest.raises(InvalidField, match="coffee") as refused:
        world.act(ana, "hold", hold_for="coffee", until=world.clock.now() + timedelta(hours=1))
    assert refused.value.hint == "one of: client, vendor, parts, scheduled"


def test_assigning_finds_people_by_id_short_name_and_name(world: World, ana, mara) -> None:
    for to in ("user-ana", "ana", "ANA"):
        world.fires(to, to)
    for number, to in enumerate(("user-ana", "ana", "ANA"), start=1):
        world.act(mara, "assign", f"INC-{number}", to=to)
        assert world.incident(f"INC-{number}").assignee == ana.id


def test_an_incident_is_not_given_to_clients_or_to_who_does_not_work_there(world: World, mara) -> None:
    world.hire("carl", Role.CLIENT, ACME)
    world.hire("both", Role.TECHNICIAN, BETA)
    world.fires()
    with pytest.raises((InvalidField, NotFound)):
        world.act(mara, "assign", to="carl")
    with pytest.raises((InvalidField, NotFound)):
        world.act(mara, "assign", to="both")


def test_people_of_other_clients_do_not_exist_for_a_manager(world: World, mara) -> None:
    world.hire("ben", Role.TECHNICIAN, BETA)
    world.fires()
    said = []
    for to in ("ben", "zed"):
        with pytest.raises(NotFound) as refused:
            world.act(mara, "assign", to=to)
        said.append((refused.value.message.replace(to, "?"), refused.value.hint))
    assert said[0] == said[1]


@pytest.mark.parametrize("action", ["ack", "undo", "note"])
def test_an_incident_of_another_company_is_missing_in_the_same_words(world: World, ana, action) -> None:
    world.fires(company=BETA)
    said = []
    for ref in ("INC-1", "INC-9"):
        with pytest.raises(NotFound) as refused:
            world.act(ana, action, ref, company=BETA, note="x")
        said.append(refused.value.message.replace(ref, "?"))
    assert said[0] == said[1]


def test_notices_go_to_the_assignee_and_never_to_the_one_who_did_it(world: World, ana, mara) -> None:
    world.fires()
    world.act(mara, "assign", to=ana.id)
    assert world.notices("incident.assigned") == {ana.id}
    world.act(ana, "resolve", note="restarted")
    assert world.notices("incident.resolved") == {mara.id}


def test_a_state_is_never_left_half_changed_when_a_later_step_is_refused(world: World, ana) -> None:
    world.fires()
    with pytest.raises(UsageError):
        world.act(ana, "resolve", note="")
    assert (world.incident().state, world.incident().version) == (State.OPEN, 1)
    assert world.count("audit_entry", "object = 'INC-1'") == 0
