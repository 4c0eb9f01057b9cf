"""What tickets do to the writer: batches that fail, other daemons, merges, and the property that both sides agree."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import T0
from siems.clock import ManualClock
from siems.domain.changing import replace
from siems.domain.ticket import JobVerb, Stage
from siems.domain.ticket_sync import Author, Remote, RemoteComment, mark
from siems.errors import SiemsError
from siems.services import ticket_accounts, ticket_inbound, ticket_jobs, ticket_making, tickets
from siems.vocabulary import Role
from siems.wire import TicketAccountAsk

from .world import ACME, VAULT, World

TAG = "cafe"


def account(world: World, **more: Any) -> str:
    ask = TicketAccountAsk(
        company="acme", kind="jira", url="https://acme.example", secret="s", project="OPS", username="a@b.example",
        **more,
    )  # fmt: skip
    made, _ = world.do(ticket_accounts.add, world.admin, ACME, ask, VAULT)
    return str(made.id)


class Theirs:
    """The other side: one ticket for each that was opened, done at once or with the answer lost."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.there: dict[int, Remote] = {}
        self.moved: list[Stage] = []

    def work(self, *, answered: bool = True) -> int:
        """Do what is due; how many jobs. Without an answer siems hears nothing, and tries again later."""
        done = 0
        while due := self.world.database.read_now(ticket_jobs.due, self.world.clock.now(), 1):
            job, company, _ = due[0]
            work = self.world.do(ticket_jobs.claim, job, "me", TAG, "", companies=(company,))
            if work is None:
                continue
            done += 1
            remote, comment = self._do(work)
            if answered:
                self.world.do(ticket_jobs.done, work, remote, comment, companies=(company,))
            else:
                self.world.do(ticket_jobs.failed, work, "lost", companies=(company,))
                return done
        return done

    def _do(self, work: Any) -> tuple[Remote | None, str]:
        now = self.world.clock.now()
        if work.verb is JobVerb.POLL:
            return None, ""
        number = work.ticket.id
        if work.verb is JobVerb.OPEN and number not in self.there:
            self.there[number] = Remote(
                external_id=f"x{number}", key=f"OPS-{number}", url="u", state="open", stage=Stage.OPEN, state_at=now
            )
        there = self.there[number]
        if work.verb is JobVerb.TRANSITION and there.stage is not work.stage:
            by = Author(name="siems", ours=True)
            there = replace(there, stage=work.stage, state=work.stage.value, state_at=now, by=by)
            self.moved.append(work.stage)
        if work.verb is JobVerb.COMMENT:
            text = f"{work.text}\n\n{mark(TAG, work.job_id)}"
            said = RemoteComment(id=f"c{work.job_id}", at=now, author=Author(name="siems", ours=True), text=text)
            if said.id not in [c.id for c in there.comments]:
                there = replace(there, comments=(*there.comments, said))
        self.there[number] = there
        return there, f"c{work.job_id}" if work.verb is JobVerb.COMMENT else ""

    def moves(self, stage: Stage, number: int = 1, by: str = "someone") -> None:
        there = self.there[number]
        if there.stage is not stage:
            author = Author(name=by, email=f"{by}@msp.example")
            now = self.world.clock.now()
            self.there[number] = replace(there, stage=stage, state=stage.value, state_at=now, by=author)

    def read(self, number: int = 1) -> None:
        self.world.do(ticket_inbound.take, number, self.there[number], TAG)


def test_a_batch_that_fails_leaves_no_ticket_and_the_next_has_its_number(world: World) -> None:
    account(world)
    world.fires(severity="LOW")

    def breaks(uow: Any) -> None:
        incident = uow.incidents.get(ACME, 1)
        ticket_making.make(uow, incident, uow.tickets.accounts(ACME)[0], world.admin)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        world.do(breaks)
    assert world.count("ticket") == 0
    world.do(tickets.open_ticket, world.admin, ACME, 1, "")
    assert [row["id"] for row in world.rows("SELECT id FROM ticket")] == [1]


def test_what_is_remembered_of_tickets_survives_a_restart(world: World) -> None:
    account(world)
    theirs = Theirs(world)
    world.fires()
    theirs.work()
    world.restart()
    world.act(world.admin, "start")
    assert theirs.work() > 0
    assert theirs.there[1].stage is Stage.WORKING
    world.act(world.admin, "resolve", note="done")
    world.act(world.admin, "close")
    theirs.work()
    assert theirs.there[1].stage is Stage.CLOSED
    world.restart()  # closed ones are not in memory
    world.act(world.admin, "reopen", reason="not done")
    theirs.work()
    assert theirs.there[1].stage is Stage.WORKING


def test_folding_hands_the_ticket_over_or_closes_it_with_a_word(world: World) -> None:
    account(world, min_severity="LOW")
    theirs = Theirs(world)
    for asset in ("web-1", "web-2"):
        world.fires(asset)
    theirs.work()
    world.fires("web-3")  # one signature on three assets is one incident
    theirs.work()
    survivors = world.rows("SELECT id FROM incident WHERE merged_into IS NULL")
    assert [row["id"] for row in survivors] == [1]
    assert theirs.there[1].stage is Stage.OPEN
    assert theirs.there[2].stage is Stage.CLOSED
    assert any("folded into INC-1" in c.text for c in theirs.there[2].comments)


def test_a_comment_that_carries_our_mark_is_never_news(world: World) -> None:
    account(world)
    theirs = Theirs(world)
    world.fires()
    theirs.work()
    world.clock.advance(minutes=1)
    now = world.clock.now()
    said = [("1", f"echo {mark(TAG, 1)}"), ("2", f"another siems {mark('beef', 1)}"), ("3", "a person")]
    comments = tuple(RemoteComment(id=i, at=now, author=Author(name="p"), text=text) for i, text in said)
    theirs.there[1] = replace(theirs.there[1], comments=comments)
    for _ in range(2):
        theirs.read()
    notes = [line for line in world.story() if " in OPS-1: " in line]
    assert len(notes) == 2
    assert not any("echo" in line for line in notes)
    assert theirs.work() == 0


def test_permissions_of_whoever_moves_it_there_are_those_of_here(world: World) -> None:
    """A technician may not close: the incident is resolved, and the ticket is left as it is."""
    account(world)
    tess = world.hire("tess", Role.TECHNICIAN, ACME)
    theirs = Theirs(world)
    world.fires()
    theirs.work()
    world.clock.advance(minutes=5)
    theirs.moves(Stage.CLOSED, by="tess")
    theirs.read()
    found = world.incident()
    assert (found.state.value, found.resolved_by) == ("RESOLVED", tess.id)
    theirs.work()
    assert theirs.there[1].stage is Stage.CLOSED


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("act"), st.sampled_from(["start", "resolve", "reopen", "close", "ack"])),
        st.tuples(st.just("move"), st.sampled_from([Stage.OPEN, Stage.WORKING, Stage.RESOLVED, Stage.CLOSED]),
                  st.sampled_from(["tess", "a.stranger"])),
        st.tuples(st.just("work"), st.booleans()),
        st.tuples(st.just("read")),
        st.tuples(st.just("wait"), st.integers(1, 150)),
    ),
    max_size=12,
)  # fmt: skip


@pytest.fixture(scope="module")
def furnished(furnished_file: Path) -> Path:
    return furnished_file


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_once_it_is_quiet_both_are_done_or_both_are_not(furnished: Path, steps: list[Any]) -> None:
    folder = tempfile.mkdtemp(prefix="siems-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    path = Path(folder) / "siems.db"
    shutil.copy(furnished, path)
    world = World(str(path), ManualClock(T0), furnished=True)
    try:
        _walk(world, steps)
    finally:
        world.stop()
        shutil.rmtree(folder)


def _walk(world: World, steps: list[Any]) -> None:
    tess = world.hire("tess", Role.MANAGER, ACME)
    account(world)
    theirs = Theirs(world)
    world.fires()
    theirs.work()
    for name, *more in steps:
        match name:
            case "act":
                with contextlib.suppress(SiemsError):  # not from this state
                    world.act(tess, more[0], note="x", reason="x")
            case "move":
                theirs.moves(more[0], by=more[1])
            case "work":
                theirs.work(answered=more[0])
            case "read":
                theirs.read()
            case "wait":
                world.clock.advance(seconds=more[0])
    for _ in range(3):
        world.clock.advance(minutes=15)
        theirs.work()
        theirs.read()
    theirs.work()
    incident, remote = world.incident(), theirs.there[1]
    assert incident.open != remote.stage.done, (incident.state, remote.stage)
    quiet = (incident.state, remote.stage)
    theirs.read()
    assert theirs.work() == 0
    assert (world.incident().state, theirs.there[1].stage) == quiet


def test_times_of_waiting_follow_the_clock_of_the_database(world: World) -> None:
    account(world)
    theirs = Theirs(world)
    world.fires()
    while theirs.work(answered=False):
        pass
    at = world.database.read_now(ticket_jobs.next_at)
    assert timedelta(seconds=4) <= at - world.clock.now() <= timedelta(seconds=6)
