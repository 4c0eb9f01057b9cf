"""Cross-company parents: what joins, who is called, and who sees that there is one."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.making import incident as made
from siems.domain.parent import ParentState, compiled, matches
from siems.errors import Conflict, Forbidden, InvalidField, NotFound, UsageError
from siems.services import parent_views, parents
from siems.vocabulary import MSP, Role, Severity, State

from .world import ACME, BETA, World


def create(world: World, *refs: str, query: str = "", title: str = ""):
    def verb(uow):
        return parents.create(uow, world.admin, title=title, query=query, refs=refs)

    return world.do(verb, companies=(MSP,))


def shown(world: World, actor, ref: str = "PAR-1"):
    return world.database.read_now(parent_views.show_parent, ref, actor)


def children(world: World, actor=None) -> list[str]:
    return [child.id for child in shown(world, actor or world.admin).children]


def ack(world: World) -> None:
    world.do(parents.acknowledge, world.admin, 1, companies=(MSP,))


def test_a_group_takes_what_is_named_and_what_matches_now_and_later(world: World) -> None:
    world.fires("vpn-1", "vpn_down")
    world.fires("vpn-9", "vpn_down", company=BETA)
    world.fires("web-1", "high_cpu", company=BETA)
    parent, placed = create(world, "INC-3", query="signature:vpn_down")
    assert (parent.ref, parent.title) == ("PAR-1", "High CPU on web-1")
    assert {one.ref for one in placed if one.changed} == {"INC-1", "INC-2", "INC-3"}
    world.fires("vpn-2", "vpn_down")
    world.fires("web-2", "disk_full")
    assert children(world) == ["INC-1", "INC-2", "INC-3", "INC-4"]
    world.restart()
    world.fires("vpn-3", "vpn_down", severity="CRITICAL")
    assert children(world) == ["INC-1", "INC-2", "INC-3", "INC-4"]  # it folded into Acme's own
    assert shown(world, world.admin).companies == 2


def test_what_joins_an_acknowledged_one_calls_nobody_and_its_clocks_run(world: World) -> None:
    ana = world.hire("ana", Role.TECHNICIAN, BETA)
    world.fires("vpn-1", "vpn_down")
    create(world, query="signature:vpn_down")
    ack(world)
    world.fires("vpn-9", "vpn_down", company=BETA, severity="CRITICAL")
    joined = world.incident("INC-2")
    assert children(world) == ["INC-1", "INC-2"]
    assert (joined.state, joined.assignee, joined.acknowledged_at) == (State.ASSIGNED, world.admin.id, None)
    assert joined.clocks.response_open
    assert "escalation" not in world.deadlines("INC-2")
    assert not world.rows("SELECT 1 FROM notification WHERE object = 'INC-2' AND (pages OR unacknowledged)")
    assert world.notices("parent.joined", "PAR-1") == {world.admin.id}
    # nobody acknowledges it: the warning of its own deadline calls somebody
    world.passes(minutes=23)
    assert world.notices("sla.warned", "INC-2") >= {world.admin.id}
    assert ana.id not in world.notices("incident.opened", "INC-2")
    world.act(world.admin, "ack", "INC-2", company=BETA)
    assert world.incident("INC-2").clocks.response_met_at is not None


def test_what_joins_one_that_nobody_has_acknowledged_calls_as_always(world: World) -> None:
    ana = world.hire("ana", Role.TECHNICIAN, BETA)
    create(world, query="signature:vpn_down")
    world.fires("vpn-9", "vpn_down", company=BETA)
    assert children(world) == ["INC-1"]
    assert ana.id in world.notices("incident.opened", "INC-1")
    assert "escalation" in world.deadlines("INC-1")


def test_one_that_is_over_takes_nothing_more(world: World) -> None:
    world.fires("vpn-1", "vpn_down")
    create(world, query="signature:vpn_down")
    ack(world)
    world.do(parents.end, world.admin, 1, ParentState.CLOSED, companies=(MSP,))
    world.fires("vpn-9", "vpn_down", company=BETA)
    assert children(world) == ["INC-1"]
    assert world.notices("incident.opened", "INC-2")
    with pytest.raises(Conflict, match="closed"):
        ack(world)
    assert world.do(parents.end, world.admin, 1, ParentState.CLOSED, companies=(MSP,))[1] is False


def test_each_incident_belongs_to_one_at_most_and_errors_are_each_its_own(world: World) -> None:
    world.fires()
    world.fires(company=BETA)
    create(world, "INC-1")
    _, placed = create(world, "INC-1", "INC-2", "INC-77")
    assert [(one.ref, one.changed) for one in placed] == [("INC-1", False), ("INC-2", True), ("INC-77", False)]
    assert "belongs to PAR-1" in placed[0].error.message
    assert isinstance(placed[2].error, NotFound)
    world.do(parents.remove, world.admin, 1, ["INC-1"], companies=(MSP,))
    world.do(parents.add, world.admin, 2, ["INC-1"], companies=(MSP,))
    assert [c.id for c in shown(world, world.admin, "PAR-2").children] == ["INC-1", "INC-2"]


def test_staff_see_their_part_and_managers_and_clients_nothing(world: World) -> None:
    world.fires()
    world.fires(company=BETA)
    create(world, "INC-1", "INC-2", query="company:beta")
    ana = world.hire("ana", Role.TECHNICIAN, ACME)
    eve = world.hire("eve", Role.TECHNICIAN)
    view = shown(world, ana)
    assert ([c.id for c in view.children], view.companies, view.open) == (["INC-1"], 1, 1)
    assert (view.query, view.story) == ("", [])
    assert [p.id for p in world.database.read_now(_listed, ana)] == ["PAR-1"]
    assert world.database.read_now(_listed, eve) == []
    with pytest.raises(NotFound) as other:
        shown(world, eve)
    with pytest.raises(NotFound) as none:
        shown(world, eve, "PAR-9")
    assert other.value.message.replace("PAR-1", "") == none.value.message.replace("PAR-9", "")
    for name, role in (("mara", Role.MANAGER), ("carl", Role.CLIENT)):
        actor = world.hire(name, role, ACME)
        said = set()
        for ref in ("PAR-1", "PAR-9"):
            with pytest.raises(Forbidden) as refused:
                shown(world, actor, ref)
            said.add(refused.value.message)
        assert len(said) == 1
    with pytest.raises(Forbidden):
        world.do(parents.add, ana, 1, ["INC-1"], companies=(MSP,))


def test_groups_are_listed_by_how_they_stand(world: World) -> None:
    world.fires("vpn-1", "vpn_down")
    for number in (1, 2, 3):
        create(world, query=f"signature:vpn_{number}")
    for number, state in ((1, ParentState.RESOLVED), (3, ParentState.CLOSED)):
        world.do(parents.end, world.admin, number, state, companies=(MSP,))

    def listed(words: str) -> list[str]:
        states = parent_views.states_named(words)
        found = world.database.read_now(
            lambda connection: parent_views.list_parents(connection, world.admin, states=states, limit=0)
        )
        return [one.id for one in found]

    assert [listed(words) for words in ("", "open", "ended", "all", "closed", "Open, resolved", "open,all")] == [
        ["PAR-2"], ["PAR-2"], ["PAR-3", "PAR-1"], ["PAR-3", "PAR-2", "PAR-1"], ["PAR-3"], ["PAR-2", "PAR-1"],
        ["PAR-3", "PAR-2", "PAR-1"],
    ]  # fmt: skip
    with pytest.raises(InvalidField, match="a group is not 'gone'"):
        listed("gone")


def _listed(connection, actor):
    return parent_views.list_parents(connection, actor, states={ParentState.OPEN}, limit=0)


def test_no_record_of_a_client_knows_of_it(world: World) -> None:
    world.fires("vpn-1", "vpn_down")
    create(world, "INC-1", query="signature:vpn_down")
    ack(world)
    world.fires("vpn-9", "vpn_down", company=BETA)
    for table in ("timeline", "audit_entry", "event", "notification"):
        rows = world.rows(f"SELECT * FROM {table} WHERE company_id <> 'msp'")
        assert "PAR-" not in str(rows), table
        assert "parent" not in str(rows), table
    actions = {row["action"] for row in world.rows("SELECT action FROM audit_entry WHERE company_id = 'msp'")}
    assert {"parent.created", "parent.added", "parent.acknowledged", "parent.joined"} <= actions


def test_what_cannot_be_meant_is_refused(world: World) -> None:
    with pytest.raises(UsageError):
        create(world)
    for query in ("sla:<1h", "severity:awful", "title:>3", "("):
        with pytest.raises(InvalidField):
            create(world, query=query)
    with pytest.raises(InvalidField):
        create(world, query="x", title="t" * 201)
    with pytest.raises(NotFound):
        ack(world)


# --- which incidents a query means -----------------------------------------------------------------------------

INCIDENT = made(signature="vpn_down", title="VPN down on gw-1", assets=("gw-1",), tool_sources=("PRTG",))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("signature:vpn_down", True), ("signature:vpn", True), ("signature:dns", False), ("VPN gw-1", True),
        ("VPN dns", False), ("-dns VPN", True), ("dns OR vpn", True), ("severity:>=HIGH", True),
        ("severity:CRITICAL,HIGH", True), ("severity:<HIGH", False), ("severity:>HIGH", False), ("#acme", True),
        ("company:beta,acme", True), ("-#acme vpn", False), ("asset:GW source:prtg category:cpu", True),
        ("category:disk", False), ("(dns OR vpn) -severity:<=LOW", True), ("", False),
    ],
)  # fmt: skip
def test_a_query_means_what_it_says(query: str, expected: bool) -> None:
    assert matches(query, INCIDENT) is expected


@example(query="@me", severity=Severity.LOW)
@given(query=st.text(max_size=80), severity=st.sampled_from(Severity))
def test_any_query_is_understood_or_refused_before_it_is_kept(query: str, severity: Severity) -> None:
    try:
        compiled(query)
    except InvalidField:
        return
    matches(query, made(severity=severity))
