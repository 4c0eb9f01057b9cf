"""Who gets an incident: whom people name, and whom the strategy of a company chooses when one opens."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from siems.domain.assignment import MANUAL, STRATEGIES, Candidate, Choice, Rated, choose
from siems.domain.changing import replace
from siems.domain.events import AssigneeChosen
from siems.domain.incident import Incident
from siems.domain.permissions import SYSTEM, Actor, Permission, missing, require
from siems.errors import Conflict, InvalidField, NotFound
from siems.services import oncall
from siems.storage.people import Person
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import Category, Role, State
from siems.wire import CandidateView, ChoiceView

FALLBACK = "best_match"
"""The strategy of `--to auto` where a company assigns by hand."""


def candidates(uow: UnitOfWork, company_id: str) -> list[Candidate]:
    """Those who may be given work of a company: its technicians, and whoever is on call for it."""
    there = {person.id: place for place, person in enumerate(oncall.on_call(uow, company_id), 1)}
    people = [
        p for p in uow.people()
        if (p.role is Role.TECHNICIAN and company_id in p.scope) or (p.id in there and p.role is not Role.CLIENT)
    ]  # fmt: skip
    return [
        Candidate(
            id=p.id, name=p.name, skills=p.skills, availability=p.availability, on_call=there.get(p.id, 0),
            open=workload(uow, p.id), assigned_at=p.assigned_at,
        )
        for p in people
    ]  # fmt: skip


def workload(uow: UnitOfWork, user_id: str) -> int:
    """How many open incidents somebody has, of whatever client."""
    return sum(company.workload.get(user_id, 0) for company in uow.memory.companies.values())


def rate(uow: UnitOfWork, company_id: str, category: Category, strategy: str) -> Choice:
    """What a strategy makes of everybody now. Raises NotFound for a strategy that is not known."""
    return choose(strategy, candidates(uow, company_id), category)


def find_owner(uow: UnitOfWork, incident: Incident) -> tuple[Incident, Choice | None]:
    """An incident that nobody has, with whom the strategy of its company chooses; nobody is taken to have acted.

    Where the company assigns by hand, the incident as it is and None.
    """
    strategy = uow.company(incident.company_id).settings.assign
    if strategy == MANUAL or incident.assignee is not None:
        return incident, None
    if strategy not in STRATEGIES:  # its plug-in is gone: an incident opens all the same
        return incident, None
    choice = rate(uow, incident.company_id, incident.category, strategy)
    if choice.chosen is None:
        return incident, choice
    state = State.ASSIGNED if incident.state is State.OPEN else incident.state
    return replace(incident, assignee=choice.chosen.id, assigned_at=uow.now, state=state), choice


def told(incident: Incident, choice: Choice | None, actor: Actor = SYSTEM) -> Iterable[AssigneeChosen]:
    """The event of a choice, where there was one."""
    return () if choice is None else (AssigneeChosen(incident, choice, actor),)


# --- whom people name ------------------------------------------------------------------------------------------


def named(uow: UnitOfWork, actor: Actor, to: str | None, incident: Incident) -> tuple[str | None, Choice | None]:
    """(the user behind `--to`, the scores where a strategy chose): `@me`, `oncall`, `auto`, an id or a name.

    Raises NotFound for who is not there or not for this actor to know, InvalidField for who does not work for the
    client, Conflict where nobody is on call or comes into question.
    """
    if not to:
        return None, None
    word, company_id = to.strip().lower(), incident.company_id
    if word in ("@me", "me"):
        return actor.id, None
    if word in ("oncall", "@oncall"):
        there = oncall.on_call(uow, company_id)
        if not there:
            raise Conflict(f"nobody is on call for {company_id} now", hint="name somebody:  --to NAME  or  --to auto")
        return there[0].id, None
    if word == "auto":
        strategy = uow.company(company_id).settings.assign
        choice = rate(uow, company_id, incident.category, FALLBACK if strategy == MANUAL else strategy)
        if choice.chosen is None:
            raise Conflict(
                f"{choice.strategy} finds nobody for {incident.ref}", hint=f"siems incident candidates {incident.ref}"
            )
        return choice.chosen.id, choice
    return find_person(uow, actor, to, company_id).id, None


def find_person(uow: UnitOfWork, actor: Actor, word: str, company_id: str) -> Person:
    """Somebody on the staff of a client, by id or name. Raises NotFound with the nearest name, InvalidField."""
    wanted = word.strip().lower()
    for person in uow.people():
        if wanted in (person.id, person.id.removeprefix("user-"), person.name.lower(), person.email):
            if not known_to(actor, person):
                break
            if not person.covers(company_id) or person.role is Role.CLIENT:
                raise InvalidField(
                    f"{person.name} does not work for this company", hint="siems user list shows who does"
                )
            return person
    staff = [p for p in uow.people() if known_to(actor, p) and p.covers(company_id) and p.role is not Role.CLIENT]
    near = get_close_matches(wanted.removeprefix("user-"), [p.name.lower() for p in staff], n=1)
    hint = f"did you mean {near[0]}?  siems user list shows who there is" if near else "siems user list"
    raise NotFound(f"there is no user {word[:64]!r}", hint=hint)


def known_to(actor: Actor, person: Person) -> bool:
    """Whether this actor may know that the person exists: the rule of the list of users."""
    return Role.ADMIN in (actor.role, person.role) or actor.id == person.id or bool(actor.scope & person.scope)


# --- looking ---------------------------------------------------------------------------------------------------


def preview(uow: UnitOfWork, actor: Actor, company_id: str, number: int, strategy: str) -> ChoiceView:
    """What a strategy (default: the company's) would choose for an incident now; it changes nothing."""
    ref = f"INC-{number}"
    if not actor.sees(company_id):
        raise missing(ref)
    require(actor, Permission.WORK, company_id, what=ref)
    incident = uow.incidents.get(company_id, number)
    mine = uow.company(company_id).settings.assign
    wanted = STRATEGIES.canonical(strategy) if strategy else (FALLBACK if mine == MANUAL else mine)
    return choice_view(rate(uow, company_id, incident.category, wanted), incident.ref)


def choice_view(choice: Choice, ref: str) -> ChoiceView:
    return ChoiceView(
        incident_id=ref, strategy=choice.strategy, category=choice.category.value,
        chosen=choice.chosen.id if choice.chosen is not None else None,
        candidates=[_candidate_view(one, choice) for one in choice.rated],
    )  # fmt: skip


def _candidate_view(one: Rated, choice: Choice) -> CandidateView:
    c = one.candidate
    return CandidateView(
        id=c.id, name=c.name, score=one.score, terms=one.terms, fit=one.fit, skilled=choice.category in c.skills,
        availability=c.availability.value, on_call=c.on_call > 0, open_incidents=c.open, assigned_at=c.assigned_at,
    )  # fmt: skip
