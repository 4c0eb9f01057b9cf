"""Runs that ask: who answers, who hears of it, and what time and lost daemons make of it; on both databases."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from siems.domain.asking import asking
from siems.domain.permissions import Actor
from siems.domain.run import HostState, Run
from siems.errors import Conflict, Forbidden, InvalidField, NotFound
from siems.services import run_asking, run_work, runbook_verbs, runs
from siems.services.run_work import Job, News
from siems.storage.repositories.runs import StepRow
from siems.wire import RunAnswerAsk, RunbookAsk, RunbookContentAsk, RunHostAnswerAsk

from .test_runs import Desk, told
from .world import ACME, ROOT, World

S = HostState
TEXT = """\
name: careful
title: A careful one
risk: low
platforms: [linux]
timeout: 10m
precheck: [{name: look, run: 'true'}]
steps: [{name: act, run: 'true', on_failure: ask}]
verify: [{name: well, run: 'true', on_failure: ask}]
"""


class Asking(Desk):
    """A run of two hosts, of which the first asks."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        made = world.do(runbook_verbs.create, ROOT, ACME, RunbookAsk(company=ACME, text=TEXT))
        yes = RunbookContentAsk(company=ACME, digest=made.runbook.digest)
        world.do(runbook_verbs.approve, self.second, ACME, "careful", yes)
        self.run = self.ask(self.maria, "careful", "web-1", "web-2", canary=0, max_failures=1)
        self.job: Job = world.do(run_work.claim, self.run.id, "here")

    def tell(self, *hosts: Any, verb: Any = run_work.report, steps: tuple[StepRow, ...] = ()) -> Any:
        return self.world.do(verb, self.run.id, self.job.run.lease_token, News(hosts=list(hosts), steps=list(steps)))

    def asks(self, place: int = 0, step: int = 2) -> Any:
        begun = replace(self.job.hosts[place], step=step, phase="steps", started_at=self.world.clock.now())
        return asking(begun, "a step failed: act (exit code 3)", self.world.clock.now())

    def ends(self, place: int) -> Any:
        now = self.world.clock.now()
        return replace(self.job.hosts[place], state=S.SUCCEEDED, phase="verify", started_at=now, ended_at=now)

    def parked(self) -> Run:
        found: Run = self.tell(self.asks(), self.ends(1), verb=run_work.park)
        return found

    def answer(self, actor: Actor, answer: str, *hosts: str) -> tuple[Run, bool]:
        ask = RunHostAnswerAsk(answer=answer, hosts=list(hosts or ("web-1",)), reason="the disk is back")
        found: tuple[Run, bool] = self.world.do(run_asking.answer, actor, ACME, self.run.id, ask)
        return found

    def hosts(self) -> dict[str, str]:
        rows = self.world.rows("SELECT host, state FROM run_host WHERE run_id = :n", n=self.run.id)
        return {row["host"]: row["state"] for row in rows}


@pytest.fixture
def desk(world: World) -> Asking:
    return Asking(world)


def test_it_waits_without_any_daemon_and_goes_on_once_it_is_answered(desk: Asking) -> None:
    assert desk.parked().state.value == "asking"
    assert told(desk.world, "run.host_asked", desk.run.ref) == {"maria"}
    desk.world.passes(minutes=5)
    assert desk.world.do(run_work.claim, desk.run.id, "there") is None
    assert (desk.state(desk.run.id), desk.hosts()) == ("asking", {"web-1": "asking", "web-2": "succeeded"})

    run, changed = desk.answer(desk.priya, "retry")
    assert (run.state.value, changed) == ("queued", True)
    assert desk.answer(desk.priya, "retry")[1] is False
    desk.job = desk.world.do(run_work.claim, desk.run.id, "there")
    assert desk.job.run.started_at == desk.run.requested_at, "it goes on, it does not begin again"
    done = desk.tell(desk.ends(0), verb=run_work.finish)
    assert (done.state.value, done.verified) == ("succeeded", True)
    actions = [row["action"] for row in desk.world.rows("SELECT action FROM audit_entry ORDER BY seq")]
    assert [name for name in actions if name.startswith("run.host_a")] == ["run.host_asked", "run.host_answered"]
    assert actions.index("run.paused") < actions.index("run.resumed") < actions.index("run.finished")


def test_who_answers_and_what(desk: Asking) -> None:
    desk.parked()
    with pytest.raises(NotFound):
        desk.answer(desk.otto, "skip")
    with pytest.raises(Forbidden):
        desk.answer(Actor("user-carol", "carol", _client(), frozenset({ACME})), "skip")
    with pytest.raises(InvalidField, match="no answer"):
        desk.answer(desk.maria, "shrug")
    with pytest.raises(NotFound, match="does not run on 'web-9'"):
        desk.answer(desk.maria, "skip", "web-1", "web-9")
    with pytest.raises(Conflict, match="asks nothing"):
        desk.answer(desk.maria, "skip", "web-1", "web-2")
    assert desk.hosts()["web-1"] == "asking", "of all or of none"
    assert desk.answer(desk.maria, "hold")[0].state.value == "asking"
    assert desk.answer(desk.maria, "skip")[0].state.value == "queued"
    job = desk.world.do(run_work.claim, desk.run.id, "there")
    done = desk.world.do(run_work.finish, desk.run.id, job.run.lease_token, News())
    assert (done.state.value, done.detail) == ("failed", "1 succeeded, 1 skipped")


def test_an_answer_given_while_others_run_is_not_written_over(desk: Asking) -> None:
    asked = desk.asks()
    desk.tell(asked)
    desk.answer(desk.maria, "retry")
    job = desk.tell(replace(asked, output_bytes=77))  # late output of the step that failed
    assert next((host.state, host.answer, host.output_bytes) for host in job.hosts) == (S.WAITING, "retry", 77)
    assert desk.tell(verb=run_work.park).state.value == "queued", "there is something to do at once"


def test_a_verify_that_a_person_has_passed_over_is_no_success_that_was_looked_at(desk: Asking) -> None:
    row = StepRow(
        host="web-1", number=3, phase="verify", name="well", state="failed", started_at=desk.world.clock.now()
    )
    desk.tell(desk.asks(step=3), desk.ends(1), verb=run_work.park, steps=(row,))
    desk.answer(desk.maria, "go-on")
    desk.job = desk.world.do(run_work.claim, desk.run.id, "there")
    done = desk.tell(desk.ends(0), verb=run_work.finish)
    assert (done.state.value, done.verified) == ("succeeded", False)


def test_the_time_of_a_run_goes_on_while_it_asks(desk: Asking) -> None:
    desk.parked()
    desk.world.passes(minutes=10)
    assert desk.state(desk.run.id) == "asking"
    desk.world.passes(minutes=2)
    assert (desk.state(desk.run.id), desk.hosts()["web-1"]) == ("failed", "timed_out")
    with pytest.raises(Conflict):
        desk.answer(desk.maria, "retry")


def test_cancelling_ends_what_only_waits(desk: Asking) -> None:
    desk.parked()
    desk.world.do(runs.cancel, desk.maria, ACME, desk.run.id, RunAnswerAsk())
    assert (desk.state(desk.run.id), desk.hosts()) == ("cancelled", {"web-1": "cancelled", "web-2": "succeeded"})
    desk.world.passes(minutes=30)
    assert desk.state(desk.run.id) == "cancelled"


def test_a_daemon_that_is_lost_in_a_step_that_asks_loses_no_host(desk: Asking) -> None:
    running = [replace(host, state=S.RUNNING, step=2 - place) for place, host in enumerate(desk.job.hosts)]
    desk.tell(*running)
    desk.world.passes(seconds=40)
    assert (desk.state(desk.run.id), desk.hosts()) == ("asking", {"web-1": "asking", "web-2": "unknown"})
    desk.answer(desk.maria, "go-on")
    assert desk.state(desk.run.id) == "queued"


def _client() -> Any:
    from siems.vocabulary import Role

    return Role.CLIENT
