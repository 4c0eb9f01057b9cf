"""Runs, their hosts and what was printed: read from the database and written at once; no storm brings them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, select

from siems.clock import to_micros
from siems.domain.run import Run, RunHost, RunRule, RunState
from siems.domain.self_heal import HealRule
from siems.domain.standing import Standing
from siems.storage import tables as t
from siems.storage.run_rows import (
    heal_from,
    heal_row,
    host_from,
    host_row,
    run_from,
    run_row,
    standing_from,
    standing_row,
)
from siems.vocabulary import Risk

if TYPE_CHECKING:
    from siems.storage.unit_of_work import UnitOfWork


def _put(table: str, keys: int) -> str:
    names = [column.name for column in t.metadata.tables[table].columns]
    marks, own, others = ", ".join("?" * len(names)), ", ".join(names[:keys]), names[keys:]
    sets = ", ".join(f"{c} = excluded.{c}" for c in others)
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks}) ON CONFLICT ({own}) DO UPDATE SET {sets}"  # noqa: S608


_RUN, _HOST, _STEP = _put("run", 1), _put("run_host", 2), _put("run_step", 4)
_STANDING, _HEAL, _RULE = _put("standing_approval", 1), _put("self_heal", 2), _put("run_rule", 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    """One try of a step on one host. `number` counts over the whole run of that host, `attempt` its tries, from 1."""

    host: str
    number: int
    phase: str
    name: str
    state: str
    exit_code: int | None = None
    detail: str = ""
    started_at: datetime
    ended_at: datetime | None = None
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Piece:
    """What a host printed during a step."""

    host: str
    number: int
    error: bool
    at: datetime
    text: str
    attempt: int = 1


class Runs:
    """The runs of a batch."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def put(self, run: Run) -> None:
        """A run as it is now."""
        self._uow.run(_RUN, [run_row(run)])

    def put_hosts(self, run: Run, hosts: Iterable[RunHost]) -> None:
        self._uow.run(_HOST, [host_row(run.id, run.company_id, host) for host in hosts])

    def put_steps(self, run: Run, steps: Iterable[StepRow]) -> None:
        self._uow.run(
            _STEP,
            [
                (
                    run.id, s.host, s.number, s.attempt, run.company_id, s.phase, s.name, s.state, s.exit_code,
                    s.detail, to_micros(s.started_at), None if s.ended_at is None else to_micros(s.ended_at),
                )
                for s in steps
            ],
        )  # fmt: skip

    def print(self, run: Run, pieces: Sequence[Piece]) -> None:
        """More that was printed, in its order."""
        statement = self._uow.dialect.insert("run_output")
        rows = [(run.company_id, run.id, p.host, p.number, p.error, to_micros(p.at), p.text, p.attempt) for p in pieces]
        self._uow.run(statement, rows)

    def find(self, number: int) -> Run | None:
        return find(self._uow.connection, number)

    def hold(self, number: int) -> Run | None:
        """As `find`, and nobody else changes it until the commit; None where somebody does."""
        statement = select(t.run).where(t.run.c.id == number)
        if self._uow.dialect.shared:
            statement = statement.with_for_update(skip_locked=True)
        row = self._uow.connection.execute(statement).first()
        return None if row is None else run_from(row)

    def hosts(self, number: int) -> list[RunHost]:
        return hosts_of(self._uow.connection, number)

    # --- settings ----------------------------------------------------------------------------------------------

    def put_standing(self, standing: Standing) -> None:
        self._uow.run(_STANDING, [standing_row(standing)])

    def put_heal(self, rule: HealRule) -> None:
        """It is kept in memory, too: each incident that opens is held against it."""
        self._uow.run(_HEAL, [heal_row(rule)])
        self._uow.journal.set(self._uow.company(rule.company_id).heals, rule.runbook, rule)

    def drop_heal(self, rule: HealRule) -> None:
        self._uow.run("DELETE FROM self_heal WHERE company_id = ? AND runbook = ?", [(rule.company_id, rule.runbook)])
        self._uow.journal.drop(self._uow.company(rule.company_id).heals, rule.runbook)

    def put_rule(self, company_id: str, rule: RunRule, by: str) -> None:
        row = (company_id, rule.low.value, rule.medium.value, by, to_micros(self._uow.now))
        self._uow.run(_RULE, [row])


# --- reading ---------------------------------------------------------------------------------------------------


def find(connection: Connection, number: int) -> Run | None:
    """A run as the database has it."""
    row = connection.execute(select(t.run).where(t.run.c.id == number)).first()
    return None if row is None else run_from(row)


def hosts_of(connection: Connection, number: int) -> list[RunHost]:
    """The hosts of a run, in their order."""
    h = t.run_host.c
    rows = connection.execute(select(t.run_host).where(h.run_id == number).order_by(h.position))
    return [host_from(row) for row in rows]


def attempts_of(connection: Connection, number: int) -> dict[tuple[str, int], int]:
    """How often each step was begun on each host."""
    s = t.run_step.c
    rows = connection.execute(
        select(s.host, s.number, func.max(s.attempt)).where(s.run_id == number).group_by(s.host, s.number)
    )
    return {(host, step): attempt for host, step, attempt in rows}


def queued(connection: Connection, limit: int) -> list[tuple[int, str]]:
    """(run, company) of what waits to be begun, the oldest first."""
    r = t.run.c
    rows = connection.execute(
        select(r.id, r.company_id).where(r.state == RunState.QUEUED.value).order_by(r.id).limit(limit)
    )
    return [(row.id, row.company_id) for row in rows]


def standing_of(connection: Connection, company_id: str) -> list[Standing]:
    """The standing approvals of a company that are not revoked, the oldest first."""
    s = t.standing_approval.c
    rows = connection.execute(
        select(t.standing_approval).where(s.company_id == company_id, s.revoked_at.is_(None)).order_by(s.id)
    )
    return [standing_from(row) for row in rows]


def rule_of(connection: Connection, company_id: str) -> RunRule:
    """As which risk the runs of a company count."""
    row = connection.execute(select(t.run_rule).where(t.run_rule.c.company_id == company_id)).first()
    return RunRule() if row is None else RunRule(Risk(row.low), Risk(row.medium))


def heals_of(connection: Connection, company_id: str) -> dict[str, HealRule]:
    """What may heal a company by itself, by runbook."""
    s = t.self_heal.c
    rows = connection.execute(select(t.self_heal).where(s.company_id == company_id).order_by(s.runbook))
    return {row.runbook: heal_from(row) for row in rows}
