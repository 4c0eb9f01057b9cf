"""Policies as objects: who may make them, what they take, and that open incidents keep what they opened with."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest

from siems.domain.permissions import Actor
from siems.errors import Conflict, Forbidden, InvalidField, NotFound, StaleVersion
from siems.services import policies, policy_preview, policy_views
from siems.vocabulary import MSP, Role
from siems.wire import PolicyAsk, PolicyEdit, PolicyPreviewAsk

from .chains import change, on_call, policy, step, trial
from .world import ACME, BETA, ROOT, VAULT, World


@pytest.fixture
def ana(world: World) -> Actor:
    return world.hire("ana", Role.TECHNICIAN, ACME)


@pytest.fixture
def mara(world: World) -> Actor:
    return world.hire("mara", Role.MANAGER, ACME)


CHAIN = {"steps": [{"targets": "owner", "wait": "5m"}]}


def make(world: World, actor: Actor, owner: str, **more: object) -> str:
    ask = PolicyAsk(**({"name": "night", "policy": CHAIN} | more))
    return str(world.do(policies.create, actor, owner, ask, VAULT, companies=(owner,)).id)


def test_the_default_policy_is_there_from_the_beginning_and_stays(world: World) -> None:
    [found] = world.database.read_now(policy_views.list_policies, world.admin, None)
    assert (found.id, found.name, found.companies) == ("pol-default", "default", [ACME, BETA])
    with pytest.raises(Conflict, match="used by comp-acme, comp-beta"):
        world.do(lambda uow: policies.delete(uow, world.admin, "pol-default", reason=""))


def test_a_company_uses_what_it_names_and_open_incidents_keep_what_they_opened_with(world: World, ana, mara) -> None:
    world.fires("before")
    chain = policy(world, step("role:technician", wait="3m"), step("role:admin"))
    world.fires("after", "disk_full")
    assert world.deadlines("INC-1")["escalation"] == world.clock.now() + (15 * 60) * world_second()
    assert world.deadlines("INC-2")["escalation"] == world.clock.now() + (3 * 60) * world_second()
    change(world, chain, policy={"steps": [step("role:technician", wait="7m"), step("role:admin")]})
    world.fires("later", "no_space")
    assert world.deadlines("INC-2")["escalation"] == world.clock.now() + (3 * 60) * world_second()
    assert world.deadlines("INC-3")["escalation"] == world.clock.now() + (7 * 60) * world_second()
    world.restart()
    world.fires("restarted", "oom")
    assert world.deadlines("INC-4")["escalation"] == world.clock.now() + (7 * 60) * world_second()


def world_second():
    from datetime import timedelta

    return timedelta(seconds=1)


def test_a_manager_makes_policies_of_their_company_and_an_admin_those_of_the_msp(world: World, ana, mara) -> None:
    assert make(world, mara, ACME) == "pol-acme-night"
    for actor, owner, refused in (
        (mara, MSP, Forbidden), (mara, BETA, NotFound), (ana, ACME, Forbidden), (ana, MSP, Forbidden),
    ):  # fmt: skip
        with pytest.raises(refused):
            make(world, actor, owner, name="other")
    assert make(world, world.admin, MSP) == "pol-night"


def test_what_another_company_owns_cannot_be_seen_used_or_changed(world: World, mara) -> None:
    make(world, world.admin, BETA)
    assert [p.id for p in world.database.read_now(policy_views.list_policies, mara, None)] == ["pol-default"]
    for work in (
        lambda uow: policies.edit(uow, mara, "pol-beta-night", PolicyEdit(name="mine"), VAULT),
        lambda uow: policies.delete(uow, mara, "pol-beta-night", reason=""),
    ):
        with pytest.raises(NotFound):
            world.do(work)
    with pytest.raises(NotFound):
        world.settings(ACME, policy="pol-beta-night")
    with pytest.raises(Forbidden):
        world.do(lambda uow: policies.edit(uow, mara, "pol-default", PolicyEdit(name="ours"), VAULT))


def test_of_two_with_one_name_a_company_means_its_own(world: World) -> None:
    make(world, world.admin, MSP)
    own = make(world, world.admin, ACME)
    world.settings(ACME, policy="night")
    world.settings(BETA, policy="night")
    used = {p.id: p.companies for p in world.database.read_now(policy_views.list_policies, world.admin, None)}
    assert used == {"pol-default": [], "pol-night": [BETA], own: [ACME]}


def test_one_that_is_used_is_not_deleted_and_one_that_is_not_is(world: World) -> None:
    chain = policy(world, step("owner"))
    with pytest.raises(Conflict, match="comp-acme") as refused:
        world.do(lambda uow: policies.delete(uow, world.admin, chain, reason=""))
    assert "--policy default" in refused.value.hint
    world.settings(ACME, policy="default")
    world.do(lambda uow: policies.delete(uow, world.admin, chain, reason="unused"))
    with pytest.raises(NotFound):
        world.do(lambda uow: policies.delete(uow, world.admin, chain, reason=""))
    told = world.rows("SELECT action FROM audit_entry WHERE object = :o ORDER BY seq", o=chain)
    assert [row["action"] for row in told] == ["policy.created", "policy.deleted"]


def test_a_change_against_an_old_version_is_refused_and_one_that_changes_nothing_counts_for_none(world: World) -> None:
    chain = policy(world, step("owner"))
    assert change(world, chain, policy={"steps": [step("owner")], "repeat": 1}, version=1)
    assert not change(world, chain, policy={"steps": [step("owner")], "repeat": 1})
    with pytest.raises(StaleVersion, match="version 2"):
        change(world, chain, name="x", version=1)


def test_who_is_named_must_work_for_the_company(world: World, ana) -> None:
    world.hire("ben", Role.TECHNICIAN, BETA)
    for word in ("user:ben", "user:nobody"):
        with pytest.raises(InvalidField, match=r"step 1, targets: there is no user"):
            make(world, world.admin, ACME, policy={"steps": [step(word)]})
    make(world, world.admin, ACME, policy={"steps": [step("user:ana")]})


def test_a_trial_walks_the_whole_chain_and_changes_nothing(world: World, ana, mara, monkeypatch) -> None:
    on_call(monkeypatch, world, ana.id, night=mara.id)
    weekdays = {"days": "mon-fri", "from": "09:00", "until": "17:00", "zone": "Europe/Oslo"}
    chain = policy(
        world, step("role:manager", wait="5m", when=weekdays), step("schedule:night", wait="10m"),
        step("schedule:empty", wait="10m"), step("oncall", wait=None), repeat=0,
    )  # fmt: skip
    before = world.count("event"), world.count("notification"), world.count("audit_entry")
    found = trial(world, chain, at=datetime(2026, 3, 14, 3, 0, tzinfo=UTC))
    said = [(f"{s.at:%H:%M}", s.kind, s.level, s.people) for s in found.steps]
    assert said == [
        ("03:00", "skip", 1, []),
        ("03:00", "page", 2, ["mara"]),
        ("03:10", "skip", 3, []),
        ("03:10", "page", 4, ["ana"]),
        ("05:00", "page", 4, ["ana"]),
        ("11:00", "page", 4, ["ana"]),
    ]
    assert "only mon-fri 09:00-17:00 Europe/Oslo" in found.steps[0].text
    assert "level 3 has nobody" in found.steps[2].text
    assert "resolution deadline" in found.steps[-1].text
    assert before == (world.count("event"), world.count("notification"), world.count("audit_entry"))


@pytest.mark.parametrize("severity", ["HIGH", "CRITICAL"])
def test_a_trial_says_what_then_happens(world: World, ana, mara, severity) -> None:
    chain = policy(world, step("owner", wait="5m"), step("role:manager", wait="15m"), step("role:admin"), repeat=1)
    at = world.clock.now()
    foreseen = [s for s in trial(world, chain, severity=severity, at=at).steps if s.kind == "page"]
    world.fires(severity=severity)
    world.passes(hours=9)
    rows = world.rows("SELECT at, data FROM timeline WHERE kind = 'escalation' AND data <> '{}' ORDER BY id")
    happened = [(row["at"], json.loads(row["data"])["step"].rpartition(".")[2]) for row in rows]
    from siems.clock import to_micros

    assert [(to_micros(s.at), str((s.level or 0) - 1)) for s in foreseen[1:]] == happened


# --- addresses that policies call ------------------------------------------------------------------------------

HOOK = "https://hooks.example/T0/token-in-clear"


def everything(world: World) -> str:
    """All that somebody reads who has the database."""
    tables = ("policy", "snapshot", "policy_hook", "message", "audit_detail", "event", "timeline", "incident")
    return str([world.rows(f"SELECT * FROM {table}") for table in tables])


def test_an_address_with_a_token_is_kept_sealed_and_shown_by_half(world: World) -> None:
    policy_id = policy(world, step("owner", f"webhook:{HOOK}"), step("role:admin", f"webhook:{HOOK}"))
    world.fires(severity="CRITICAL")
    assert "token-in-clear" not in everything(world)
    shown = world.database.read_now(policy_views.show_policy, policy_id, ROOT)
    targets = [target for one in shown.policy["steps"] for target in one["targets"] if target.startswith("webhook:")]
    assert len(set(targets)) == 1
    assert re.fullmatch(r"webhook:hook-[0-9a-f]{8} https://hooks\.example/\.\.\.", targets[0])
    tried = trial(world, policy_id, severity="CRITICAL")
    assert tried.steps[0].webhooks == ["https://hooks.example/..."]
    assert tried.steps[0].targets == ["owner", "webhook https://hooks.example/..."]


def test_what_is_shown_can_be_given_back_and_the_same_address_changes_nothing(world: World) -> None:
    policy_id = policy(world, step("owner", f"webhook:{HOOK}"))
    shown = world.database.read_now(policy_views.show_policy, policy_id, ROOT)
    assert not change(world, policy_id, policy=shown.policy)
    assert not change(world, policy_id, policy={"steps": [step("owner", f"webhook:{HOOK}")]})
    assert change(world, policy_id, policy={"steps": [step("owner", f"webhook:{HOOK}2")]})
    assert world.count("policy_hook") == 2


def test_the_address_of_another_owner_cannot_be_named(world: World) -> None:
    policy_id = policy(world, step("owner", f"webhook:{HOOK}"))
    shown = world.database.read_now(policy_views.show_policy, policy_id, ROOT)
    ask = PolicyAsk(name="theirs", policy=shown.policy, company=BETA)
    with pytest.raises(InvalidField, match=r"step 1, targets: there is no address hook-[0-9a-f]{8} of comp-beta"):
        world.do(policies.create, ROOT, BETA, ask, VAULT, companies=(BETA,))


def test_one_that_is_not_kept_is_tried_by_whoever_may_make_it_and_leaves_nothing(world: World, ana, mara) -> None:
    document = {
        "steps": [step("user:ana", wait="7m"), step("webhook:https://hooks.example/secret-token"), step("role:manager")]
    }

    def tried(actor: Actor, owner: str, **more: object) -> list[tuple[str, list[str], list[str]]]:
        ask = PolicyPreviewAsk(**({"policy": document, "severity": "HIGH"} | more))
        found = world.do(lambda uow: policy_preview.preview(uow, actor, ask, owner=owner, company_id=ACME))
        return [(one.kind, one.people, one.webhooks) for one in found.steps[:3]]

    before = world.rows("SELECT count(*) FROM policy_hook")
    [first, second, third] = tried(mara, ACME)
    assert first == ("page", ["ana"], [])
    assert third == ("page", ["mara"], [])
    assert second[2]
    assert "secret" not in second[2][0]
    assert world.rows("SELECT count(*) FROM policy_hook") == before
    assert [p.id for p in world.database.read_now(policy_views.list_policies, world.admin, None)] == ["pol-default"]
    for actor, owner, refused in ((ana, ACME, Forbidden), (mara, MSP, Forbidden), (mara, BETA, NotFound)):
        with pytest.raises(refused):
            tried(actor, owner)
    with pytest.raises(InvalidField, match="step 1, targets: there is no user 'nobody'"):
        tried(mara, ACME, policy={"steps": [step("user:nobody")]})
