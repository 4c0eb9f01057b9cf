"""Whom each step of an escalation policy would reach at a time, for an incident that nobody owns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection

from siems.domain.escalation import StepTarget, TargetKind
from siems.domain.permissions import Actor, Permission, require
from siems.services import oncall
from siems.services.directory import find_company
from siems.services.oncall_views import WhoAsk, schedule_of_company, who_of
from siems.services.policy_lookup import find_policy
from siems.services.policy_views import trial_company
from siems.services.views import load_names
from siems.storage.people import Person, load_people
from siems.storage.repositories.oncall import load_rota
from siems.vocabulary import Role
from siems.wire import WhoView


def who(connection: Connection, ask: WhoAsk, actor: Actor) -> list[WhoView]:
    """A line per step, target and person; addresses that are called are left out. Raises NotFound, InvalidField."""
    company_id = find_company(connection, ask.company, actor) if ask.company else None
    named = find_policy(connection, ask.policy, actor, company_id)
    company_id = company_id or trial_company(connection, named, actor)
    require(actor, Permission.SEE_ONCALL, company_id, what=f"escalation policy {ask.policy[:64]!r}")
    look = _Look(connection, ask, company_id)
    return [line for step in named.policy.steps for target in step.targets for line in look.lines(step.level, target)]


class _Look:
    """What one answer looks at."""

    def __init__(self, connection: Connection, ask: WhoAsk, company_id: str) -> None:
        self.connection = connection
        self.ask = ask
        self.company_id = company_id
        self.rota = load_rota(connection, ask.at)
        self.names = load_names(connection)
        self.people = load_people(connection)

    def lines(self, level: int, target: StepTarget) -> Iterator[WhoView]:
        """Whom a target of a step reaches."""
        match target.kind:
            case TargetKind.WEBHOOK:
                return
            case TargetKind.ONCALL | TargetKind.SCHEDULE:
                yield from self._scheduled(level, target) or [self._nobody(level, target)]
            case TargetKind.OWNER:
                on_call = [line for line in self._scheduled(level, target) if line.user]
                everybody = self._role(Role.TECHNICIAN) or self._role(Role.ADMIN)
                yield from on_call or self._named(level, target, everybody)
            case TargetKind.USER:
                person = self.people.get(target.name) or self.people.get(f"user-{target.name}")
                known = [person] if person is not None and person.covers(self.company_id) else []
                yield from self._named(level, target, known)
            case _:
                yield from self._named(level, target, self._role(Role.parse(target.name)))

    def _role(self, role: Role) -> list[Person]:
        return [p for p in self.people.values() if p.role is role and p.covers(self.company_id)]

    def _scheduled(self, level: int, target: StepTarget) -> list[WhoView]:
        if target.kind is TargetKind.SCHEDULE:
            schedule = oncall.named(self.rota.schedules, target.name)
        else:
            schedule = schedule_of_company(self.connection, self.rota, self.company_id)
        if schedule is None:
            return []
        found = who_of(
            self.rota, schedule, self.ask.at, self.company_id, self.names, self.people, [self.company_id]
        )  # fmt: skip
        found.level, found.target = level, target.label()
        return [found]

    def _named(self, level: int, target: StepTarget, people: Iterable[Person]) -> list[WhoView]:
        found = []
        for person in people:
            line = self._nobody(level, target)
            line.user, line.user_name, line.pages = person.id, person.name, True
            line.availability = person.availability.value
            found.append(line)
        return found or [self._nobody(level, target)]

    def _nobody(self, level: int, target: StepTarget) -> WhoView:
        return WhoView(
            schedule_id="", schedule="", company_id=self.company_id, time_zone="UTC", at=self.ask.at, user="",
            user_name="", availability="", source="policy", until=None, next_user="", next_user_name="", pages=False,
            level=level, target=target.label(),
        )  # fmt: skip
