"""Runs: who may let them begin, what they cover, what becomes of them; on both databases."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from siems.domain.permissions import Actor
from siems.domain.run import HostState, Run, RunState
from siems.domain.runbook_found import Found
from siems.errors import Conflict, Forbidden, InvalidField, NotFound
from siems.services import run_settings, run_work, runbook_verbs, runs
from siems.services.run_counts import times_fixed
from siems.services.run_work import Job, News
from siems.vocabulary import Role
from siems.wire import (
    HealAsk,
    HostLoginAsk,
    RunAnswerAsk,
    RunAsk,
    RunbookAsk,
    RunbookContentAsk,
    RunbookEdit,
    RunRuleAsk,
    StandingAsk,
)

from .world import ACME, BETA, ROOT, VAULT, World

TEXT = """\
name: {name}
title: {name}
risk: {risk}
platforms: [linux]
steps: [{{name: do it, run: 'true'}}]
verify: [{{name: it is well, run: 'true'}}]
rollback: [{{name: undo it, run: 'true'}}]
"""


class Desk:
    """Acme's people, two hosts with a high CPU, and a login for them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.maria = world.hire("maria", Role.TECHNICIAN, ACME)
        self.priya = world.hire("priya", Role.MANAGER, ACME)
        self.otto = world.hire("otto", Role.MANAGER, BETA)
        self.second = world.hire("second", Role.ADMIN)
        for number in (1, 2):
            world.fires(f"web-{number}", "high_cpu_usage")
        world.fires("db-9", company=BETA)
        login = HostLoginAsk(username="ops", known_hosts="* ssh-ed25519 AAAA", secrets={"password": "sesame"})
        world.do(run_settings.set_login, ROOT, ACME, "ssh", login, VAULT)

    def written(self, risk: str, *, approved: bool = True, name: str = "") -> Found:
        name = name or f"book-{risk}"
        ask = RunbookAsk(company=ACME, text=TEXT.format(name=name, risk=risk))
        found: Found = self.world.do(runbook_verbs.create, ROOT, ACME, ask)
        if approved:
            yes = RunbookContentAsk(company=ACME, digest=found.runbook.digest)
            found, _ = self.world.do(runbook_verbs.approve, self.second, ACME, name, yes)
        return found

    def ask(self, actor: Actor, runbook: str, *hosts: str, **more: Any) -> Run:
        ask = RunAsk(runbook=runbook, hosts=list(hosts or ("web-1",)), **more)
        run, _ = self.world.do(partial(runs.request, local=False), actor, ACME, None, ask, VAULT)
        assert isinstance(run, Run)
        return run

    def approve(self, actor: Actor, run: Run, confirm: str = "") -> Run:
        after, _ = self.world.do(runs.approve, actor, ACME, run.id, RunAnswerAsk(confirm=confirm))
        assert isinstance(after, Run)
        return after

    def state(self, number: int) -> str:
        return str(self.world.rows("SELECT state FROM run WHERE id = :n", n=number)[0]["state"])

    def carry_out(self, run: Run, ends: HostState = HostState.SUCCEEDED) -> Run:
        """As a worker would, without any host."""
        from dataclasses import replace

        job: Job = self.world.do(run_work.claim, run.id, "here")
        now = self.world.clock.now()
        hosts = [replace(h, state=ends, phase="verify", started_at=now, ended_at=now) for h in job.hosts]
        done: Run = self.world.do(run_work.finish, run.id, job.run.lease_token, News(hosts=hosts))
        return done


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


def told(world: World, event: str, ref: str) -> set[str]:
    return {user.removeprefix("user-") for user in world.notices(event, ref)}


# --- approval --------------------------------------------------------------------------------------------------


def test_by_risk_nobody_a_manager_or_an_admin_lets_it_begin(desk: Desk) -> None:
    assert desk.ask(desk.maria, "high-cpu-fix").state is RunState.QUEUED

    medium = desk.ask(desk.maria, "restart-web-server")
    assert medium.state is RunState.PENDING
    assert told(desk.world, "run.approval_asked", medium.ref) == {"priya", "root", "second"}
    with pytest.raises(Forbidden):
        desk.approve(desk.maria, medium)
    with pytest.raises(NotFound):
        desk.approve(desk.otto, medium)
    assert desk.approve(desk.priya, medium, medium.ref).state is RunState.QUEUED
    assert told(desk.world, "run.approved", medium.ref) == {"maria"}

    desk.written("high")
    with pytest.raises(InvalidField) as typed:
        desk.ask(desk.maria, "book-high")
    assert typed.value.hint == "--confirm comp-acme"
    high = desk.ask(desk.maria, "book-high", confirm=ACME)
    with pytest.raises(Forbidden):
        desk.approve(desk.priya, high, ACME)
    with pytest.raises(InvalidField):
        desk.approve(ROOT, high, high.ref)
    assert desk.approve(ROOT, high, ACME).state is RunState.QUEUED


def test_nobody_approves_their_own(desk: Desk) -> None:
    run = desk.ask(desk.priya, "restart-web-server")
    with pytest.raises(Forbidden, match="somebody else"):
        desk.approve(desk.priya, run)


def test_what_nobody_answers_within_an_hour_has_expired(desk: Desk) -> None:
    run = desk.ask(desk.maria, "restart-web-server")
    desk.world.passes(minutes=59)
    assert desk.state(run.id) == "pending_approval"
    desk.world.passes(minutes=1)
    assert desk.state(run.id) == "expired"
    with pytest.raises(Conflict):
        desk.approve(desk.priya, run)
    assert told(desk.world, "run.expired", run.ref) == {"maria"}


def test_a_no_says_why_and_is_the_end(desk: Desk) -> None:
    run = desk.ask(desk.maria, "restart-web-server")
    with pytest.raises(InvalidField):
        desk.world.do(runs.reject, desk.priya, ACME, run.id, RunAnswerAsk())
    desk.world.do(runs.reject, desk.priya, ACME, run.id, RunAnswerAsk(reason="not now"))
    assert desk.state(run.id) == "rejected"
    with pytest.raises(Conflict):
        desk.approve(ROOT, run)


def test_what_was_written_counts_as_high_until_another_admin_has_read_it_and_again_once_it_is_changed(
    desk: Desk,
) -> None:
    found = desk.written("low", approved=False)
    assert desk.ask(desk.maria, "book-low", confirm=ACME).risk.value == "high"
    yes = RunbookContentAsk(company=ACME, digest=found.runbook.digest)
    with pytest.raises(Forbidden):
        desk.world.do(runbook_verbs.approve, ROOT, ACME, "book-low", yes)
    desk.world.do(runbook_verbs.approve, desk.second, ACME, "book-low", yes)
    assert desk.ask(desk.maria, "book-low").state is RunState.QUEUED
    edit = RunbookEdit(company=ACME, text=found.runbook.text + "# a word more\n")
    desk.world.do(runbook_verbs.edit, ROOT, ACME, "book-low", edit)
    assert desk.ask(desk.maria, "book-low", confirm=ACME).state is RunState.PENDING


def test_a_company_may_have_low_risk_approved_as_well(desk: Desk) -> None:
    desk.world.do(run_settings.set_rule, ROOT, ACME, RunRuleAsk(low="medium"))
    assert desk.ask(desk.maria, "high-cpu-fix").state is RunState.PENDING
    with pytest.raises(InvalidField):
        desk.world.do(run_settings.set_rule, ROOT, ACME, RunRuleAsk(medium="low"))


def test_an_approval_in_advance_is_cited_and_covers_only_what_it_names(desk: Desk) -> None:
    ask = StandingAsk(company=ACME, runbook="restart-web-server", targets=["web-1"], seconds=86_400)
    desk.world.do(run_settings.grant, ROOT, ACME, ask)
    covered = desk.ask(desk.maria, "restart-web-server")
    assert (covered.state, covered.standing) == (RunState.QUEUED, "SA-1")
    assert desk.ask(desk.maria, "restart-web-server", "web-1", "web-2").state is RunState.PENDING
    desk.world.do(run_settings.revoke, ROOT, ACME, 1, "")
    assert desk.ask(desk.maria, "restart-web-server").state is RunState.PENDING


def test_a_host_that_is_not_the_companys_refuses_the_run_before_anybody_is_asked(desk: Desk) -> None:
    with pytest.raises(InvalidField, match="db-9"):
        desk.ask(desk.maria, "restart-web-server", "web-1", "db-9")
    with pytest.raises(InvalidField, match="off"):
        desk.ask(desk.maria, "high-cpu-fix", executor="local")
    with pytest.raises(InvalidField, match="process"):
        desk.ask(desk.maria, "high-cpu-fix", values={"process": "a;reboot"})
    with pytest.raises(NotFound):
        desk.ask(desk.otto, "high-cpu-fix")
    assert desk.world.count("run") == desk.world.count("notification", "event LIKE 'run.%'") == 0


# --- how it goes -----------------------------------------------------------------------------------------------


def test_one_daemon_has_it_and_if_that_dies_it_is_shown_as_unknown_and_never_begun_again(desk: Desk) -> None:
    run = desk.ask(desk.maria, "high-cpu-fix", "web-1", "web-2")
    job: Job = desk.world.do(run_work.claim, run.id, "one")
    assert desk.world.do(run_work.claim, run.id, "two") is None
    from dataclasses import replace

    begun = replace(job.hosts[0], state=HostState.RUNNING, phase="steps")
    desk.world.do(run_work.report, run.id, job.run.lease_token, News(hosts=[begun]))
    desk.world.passes(seconds=31)
    [row] = desk.world.rows("SELECT state, detail FROM run WHERE id = :n", n=run.id)
    assert row["state"] == "failed"
    assert row["detail"].startswith("unknown")
    states = {h["host"]: h["state"] for h in desk.world.rows("SELECT host, state FROM run_host")}
    assert states == {"web-1": "unknown", "web-2": "skipped"}
    assert desk.world.do(run_work.finish, run.id, job.run.lease_token, News()) is None, "too late"
    assert told(desk.world, "run.finished", run.ref) == {"maria"}
    assert desk.world.do(run_work.claim, run.id, "two") is None


def test_what_takes_too_long_is_stopped(desk: Desk) -> None:
    run = desk.ask(desk.maria, "high-cpu-fix")
    job: Job = desk.world.do(run_work.claim, run.id, "one")
    for _ in range(20):
        desk.world.passes(seconds=20)
        desk.world.do(run_work.report, run.id, job.run.lease_token, News())
    assert desk.state(run.id) == "cancelling"


def test_a_rollback_is_covered_and_goes_where_something_may_have_changed(desk: Desk) -> None:
    desk.written("medium")
    run = desk.ask(desk.maria, "book-medium", "web-1", "web-2")
    with pytest.raises(Conflict):
        desk.world.do(runs.roll_back, desk.maria, ACME, run.id, "")
    desk.approve(desk.priya, run)
    assert desk.carry_out(run).verified
    back: Run = desk.world.do(runs.roll_back, desk.maria, ACME, run.id, "")
    assert (back.state, back.rollback_of) == (RunState.QUEUED, run.id)
    with pytest.raises(Conflict):
        desk.world.do(runs.roll_back, desk.maria, ACME, run.id, "")
    assert not desk.carry_out(back).verified


def test_cancelling_before_it_begins_ends_it_at_once(desk: Desk) -> None:
    run = desk.ask(desk.maria, "restart-web-server")
    desk.world.do(runs.cancel, desk.maria, ACME, run.id, RunAnswerAsk())
    assert desk.state(run.id) == "cancelled"
    with pytest.raises(Conflict):
        desk.approve(desk.priya, run)


# --- by itself -------------------------------------------------------------------------------------------------


def healing(desk: Desk, **more: Any) -> None:
    ask = HealAsk(matchers=["signature=disk_hot"], wait_seconds=30, **more)
    desk.written("low", name="cool-down")
    desk.world.do(run_settings.set_heal, ROOT, ACME, "cool-down", ask)


def test_what_is_healed_and_verified_is_resolved_by_siems(desk: Desk) -> None:
    healing(desk)
    ref = desk.world.fires("web-1", "disk_hot")["incident_id"]
    desk.world.passes(seconds=30)
    [run] = desk.world.rows("SELECT id, heals, requested_by FROM run")
    assert (run["requested_by"], bool(run["heals"])) == ("system", True)
    found: Any = desk.world.do(lambda uow: uow.runs.find(run["id"]))
    desk.carry_out(found)
    incident = desk.world.incident(ref)
    assert (incident.state.value, incident.cause) == ("RESOLVED", "self-healed")
    assert any("RUN-1 cool-down: succeeded, verified" in line for line in desk.world.story(ref))
    assert desk.world.database.read_now(times_fixed, ACME, ["disk_hot"]) == {"cool-down": 1}
    desk.world.act(ROOT, "reopen", ref, reason="it is back")
    assert desk.world.database.read_now(times_fixed, ACME, ["disk_hot"]) == {}


def test_what_could_not_be_healed_is_rolled_back_and_somebody_is_called(desk: Desk) -> None:
    healing(desk)
    ref = desk.world.fires("web-1", "disk_hot")["incident_id"]
    desk.world.passes(seconds=30)
    found: Any = desk.world.do(lambda uow: uow.runs.find(1))
    desk.carry_out(found, HostState.FAILED)
    assert desk.world.incident(ref).open
    assert desk.world.rows("SELECT rollback_of FROM run WHERE id = 2") == [{"rollback_of": 1}]
    assert desk.world.notices("run.heal_failed", ref)


def test_nothing_heals_where_somebody_is_on_it_or_too_many_hosts_are_meant(desk: Desk) -> None:
    healing(desk, max_hosts=1)
    desk.world.settings(strategy="signature")
    ref = desk.world.fires("web-1", "disk_hot")["incident_id"]
    assert desk.world.fires("web-2", "disk_hot")["incident_id"] == ref
    desk.world.passes(seconds=30)
    assert desk.world.count("run") == 0
    assert any("more than the 1" in line for line in desk.world.story(ref))
    desk.world.act(desk.maria, "resolve", ref, note="x")


def test_only_low_risk_heals(desk: Desk) -> None:
    with pytest.raises(Conflict):
        desk.world.do(run_settings.set_heal, ROOT, ACME, "restart-web-server", HealAsk(matchers=["signature=x"]))
    with pytest.raises(Forbidden):
        desk.world.do(run_settings.set_heal, desk.priya, ACME, "high-cpu-fix", HealAsk(matchers=["signature=x"]))


def test_what_a_login_keeps_is_never_in_the_database_in_clear(desk: Desk) -> None:
    [row] = desk.world.rows("SELECT secret FROM host_login")
    assert "sesame" not in row["secret"]
