"""Hands on schedules: make them, stand in, swap, hand over."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from siems.domain.oncall import Schedule
from siems.domain.permissions import Actor
from siems.services import handoffs, oncall, schedules, standing_in
from siems.vocabulary import MSP, Role
from siems.wire import AcceptAsk, GiveAsk, LayerAsk, OverrideAsk, ScheduleAsk, ScheduleEdit, SwapAsk

from .world import ACME, BETA, ROOT, World

ALL = (ACME, BETA, MSP)


def crew(world: World, *names: str) -> list[Actor]:
    """Technicians of Acme and Beta."""
    return [world.hire(name, Role.TECHNICIAN, ACME, BETA) for name in names]


def daily(*members: str, **more: Any) -> LayerAsk:
    return LayerAsk(members=list(members), **({"rotation": "daily", "handoff": "09:00"} | more))


def make(world: World, *layers: LayerAsk, by: Actor = ROOT, company: str = MSP, **ask: Any) -> Schedule:
    """A schedule, by default of the MSP and by UTC; today is 10 March, noon."""
    given: dict[str, Any] = {"name": "primary", "layers": list(layers)} | ask
    found = world.do(schedules.create, by, company, ScheduleAsk(**given), companies=(company,))
    assert isinstance(found, Schedule)
    return found


def edit(world: World, schedule: str = "sch-primary", *, by: Actor = ROOT, **ask: Any) -> Schedule:
    found = world.do(schedules.edit, by, schedule, ScheduleEdit(**ask), companies=(MSP,))
    assert isinstance(found, Schedule)
    return found


def on_call(world: World, company: str = ACME, at: datetime | None = None) -> list[str]:
    found = world.do(oncall.on_call, company, at, companies=(company,))
    return [person.name for person in found]


def stand_in(
    world: World, user: str, *, hours: float = 2, after: float = 0, by: Actor = ROOT, schedule: str = "sch-primary"
) -> Any:
    starts = world.clock.now() + timedelta(hours=after)
    ask = OverrideAsk(user=user, starts_at=starts, ends_at=starts + timedelta(hours=hours))
    return world.do(standing_in.add, by, schedule, ask, companies=(MSP,))


def ask_swap(world: World, by: Actor, other: str, mine: str, theirs: str = "") -> int:
    ask = SwapAsk(other=other, mine=mine, theirs=theirs)
    return int(world.do(standing_in.ask_swap, by, "sch-primary", ask, companies=(MSP,)))


def answer(world: World, by: Actor, number: int, *, accept: bool = True) -> bool:
    def verb(uow: Any) -> bool:
        return standing_in.answer_swap(uow, by, number, accept=accept, reason="")

    return bool(world.do(verb, companies=(MSP,)))


def give(world: World, by: Actor, *keep: str) -> int:
    return int(world.do(handoffs.give, by, "sch-primary", GiveAsk(keep=list(keep)), companies=ALL))


def accept(world: World, by: Actor) -> tuple[list[int], list[str], list[str]]:
    found: tuple[list[int], list[str], list[str]] = world.do(
        handoffs.accept, by, "sch-primary", AcceptAsk(), [ACME, BETA], companies=ALL
    )
    return found


def brief(world: World, reader: Actor, **more: Any) -> list[Any]:
    def read(connection: Any) -> list[Any]:
        return handoffs.show(connection, reader, world.clock.now(), **more)

    return list(world.database.read_now(read))


def told(world: World, event: str) -> list[tuple[str, str]]:
    """(person, subject) of the notices of this kind, the oldest first."""
    rows = world.rows("SELECT user_id, subject FROM notification WHERE event = :e ORDER BY id", e=event)
    return [(row["user_id"], row["subject"]) for row in rows]
