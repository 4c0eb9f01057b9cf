"""Whom a step of a policy can page: all that exists, and of that what fits the words under the caret."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from siems.wire import PolicyView, ScheduleView, UserView

MSP = "msp"


@dataclass(frozen=True, slots=True)
class Pick:
    """One target: as it is written, and what it is."""

    word: str
    about: str


ALWAYS = (
    Pick("owner", "the assignee, else who is on call, else the technicians, else the admins"),
    Pick("oncall", "who is on call for the client"),
    Pick("role:technician", "all technicians of the client"),
    Pick("role:manager", "the client's managers"),
    Pick("role:admin", "all admins of the MSP"),
)
ADDRESS = Pick("webhook:https://", "a program, by its address")


def pickable(
    people: Iterable[UserView], schedules: Iterable[ScheduleView], policies: Iterable[PolicyView], owner: str
) -> list[Pick]:
    """What a policy of this owner may name: staff who see that client, schedules, addresses in use."""
    found = list(ALWAYS)
    for plan in sorted(schedules, key=lambda one: one.name):
        if owner == MSP or plan.company_id in (owner, MSP):
            now = f"on call now: {plan.now.user_name}" if plan.now is not None else "nobody is on call now"
            found.append(Pick(f"schedule:{plan.id.removeprefix('sch-')}", f"{plan.name}, {now}"))
    for one in sorted(people, key=lambda one: one.name):
        sees = owner == MSP or one.role == "admin" or owner in one.companies
        if one.role != "client" and not one.disabled and sees:
            away = "" if one.availability == "available" else f", {one.availability}"
            found.append(Pick(f"user:{one.id.removeprefix('user-')}", f"{one.name}, {one.role}{away}"))
    hooks = {
        word: policy.name
        for policy in policies
        if policy.company_id == owner
        for step in policy.policy.get("steps", ())
        for word in step.get("targets", ())
        if isinstance(word, str) and word.startswith("webhook:")
    }
    found += [Pick(word, f"an address of {name}") for word, name in sorted(hooks.items())]
    return [*found, ADDRESS]


def part_at(text: str, caret: int) -> tuple[int, int]:
    """Where the target under the caret begins and ends, without the spaces around it."""
    begin = text.rfind(",", 0, caret) + 1
    end = text.find(",", caret)
    end = len(text) if end < 0 else end
    while begin < end and text[begin] == " ":
        begin += 1
    return begin, max(begin, begin + len(text[begin:end].rstrip()))


def fitting(known: Sequence[Pick], text: str, caret: int) -> list[Pick]:
    """Those that fit what is under the caret and are not named yet; none where it is one of them already."""
    begin, end = part_at(text, caret)
    part = text[begin:end].lower()
    if any(one.word == part for one in known) or part.startswith("webhook:http"):
        return []
    named = {word.strip() for word in (text[:begin] + text[end:]).split(",")}
    left = [one for one in known if one.word not in named]
    first = [one for one in left if one.word.startswith(part) or one.word.partition(":")[2].startswith(part)]
    words = part.split()
    return first + [
        one for one in left if one not in first and all(word in f"{one.word} {one.about}".lower() for word in words)
    ]


def taken(text: str, caret: int, pick: Pick) -> tuple[str, int]:
    """The text with the target under the caret replaced, and where the caret is then."""
    begin, end = part_at(text, caret)
    return text[:begin] + pick.word + text[end:], begin + len(pick.word)
