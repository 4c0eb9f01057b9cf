"""Writing runbooks, and approving what was written: nobody's own text is taken at its word (DOMAIN §11)."""

from __future__ import annotations

from siems import library
from siems.domain.events import Recorded, RunbookApproved, RunbookWritten
from siems.domain.permissions import Actor, Permission, missing, require, require_role
from siems.domain.runbook import Runbook
from siems.domain.runbook_found import RISKS, Approval, Found
from siems.domain.runbook_text import runbook_from
from siems.errors import Conflict, Forbidden, InvalidField, StaleVersion
from siems.storage.repositories import runbooks as rows
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP, Risk, Role
from siems.wire import RunbookAsk, RunbookContentAsk, RunbookEdit

MOST = 500


def may_write(actor: Actor, owner: str) -> None:
    """A company's own are its settings; the MSP's are for every company, so they are for admins."""
    if owner == MSP:
        require_role(actor, Permission.COMPANY_SETTINGS)
        require_role(actor, Permission.ADMINISTER)
    else:
        require(actor, Permission.COMPANY_SETTINGS, owner, what=owner)


def create(uow: UnitOfWork, actor: Actor, owner: str, ask: RunbookAsk) -> Found:
    """A new runbook. Raises InvalidField with line and column, Conflict where the name is taken, Forbidden."""
    may_write(actor, owner)
    runbook = runbook_from(ask.text)
    if rows.current(uow.connection, (owner,), runbook.name):
        raise Conflict(
            f"{owner} has a runbook {runbook.name} already", hint=f"siems runbook edit {runbook.name}{_flag(owner)}"
        )
    if rows.count(uow.connection, owner) >= MOST:
        raise Conflict(f"{owner} has {MOST} runbooks already", hint="siems runbook list")
    return _keep(uow, actor, owner, runbook, None, ask.reason)


def edit(uow: UnitOfWork, actor: Actor, owner: str, name: str, ask: RunbookEdit) -> tuple[Found, bool]:
    """(the runbook as it is now, whether it changed). What was approved is the old text: the new one is HIGH.

    A text that was approved before is approved again. One that ships becomes the company's own by this.
    """
    may_write(actor, owner)
    before = _own(uow, owner, name)
    if before is None and library.find(name) is None:
        raise missing(f"runbook {name[:64]!r}")
    version = before.version if before is not None else 0
    if ask.version is not None and ask.version != version:
        raise StaleVersion(
            f"{name} is at version {version}, you saw {ask.version}: it changed meanwhile",
            hint=f"look again:  siems runbook show {name}{_flag(owner)}",
        )
    runbook = runbook_from(ask.text)
    if runbook.name != name:
        raise InvalidField(
            f"the text is of {runbook.name}, not of {name}", hint="a new name is a new runbook:  siems runbook new"
        )
    if before is not None and before.runbook.digest == runbook.digest:
        return before, False
    if before is None and rows.count(uow.connection, owner) >= MOST:
        raise Conflict(f"{owner} has {MOST} runbooks already", hint="siems runbook list")
    return _keep(uow, actor, owner, runbook, before, ask.reason), True


def delete(uow: UnitOfWork, actor: Actor, owner: str, name: str, *, reason: str) -> Found:
    """It is gone from lists; its versions stay for the record. Raises NotFound."""
    may_write(actor, owner)
    before = _own(uow, owner, name)
    if before is None:
        refused = missing(f"runbook {name[:64]!r} of {owner}")
        refused.hint = "what ships with siems cannot be deleted" if library.find(name) else "siems runbook list"
        raise refused
    rows.retire(uow.connection, owner, name)
    uow.emit(
        Recorded(
            type="runbook.deleted", actor=actor, company_id=owner, object=name, reason=reason,
            details={"version": before.version, "digest": before.runbook.digest},
        )
    )  # fmt: skip
    return before


def approve(uow: UnitOfWork, actor: Actor, owner: str, name: str, ask: RunbookContentAsk) -> tuple[Found, bool]:
    """(the runbook as it counts from now on, whether that changed).

    Raises StaleVersion when the text is another one than was read, Forbidden for its author as long as there is
    another admin, InvalidField for less risk than the text declares.
    """
    if owner == MSP:
        require_role(actor, Permission.APPROVE_CONTENT)
    else:
        require(actor, Permission.APPROVE_CONTENT, owner, what=owner)
    found = _own(uow, owner, name)
    if found is None:
        if library.find(name) is not None:
            raise Conflict(f"{name} ships with siems and needs no approval", hint=f"siems runbook show {name}")
        raise missing(f"runbook {name[:64]!r} of {owner}")
    if ask.digest != found.runbook.digest:
        raise StaleVersion(
            f"{name} is another text than the one you read: it changed meanwhile",
            hint=f"look again:  siems runbook show {name}{_flag(owner)}",
        )
    if ask.withdraw:
        return _withdraw(uow, actor, found, ask.reason)
    if actor.id == found.author and _another_admin(uow, actor):
        raise Forbidden(
            f"you wrote this version of {name}: another admin has to approve it", hint="siems user list --role admin"
        )
    risk = _risk(ask.risk, found.runbook)
    if found.approval is not None and found.approval.risk is risk:
        return found, False
    rows.approve(uow.connection, found, Approval(risk=risk, by=actor.id, at=uow.now), reason=ask.reason[:1_000])
    after = _must(uow, owner, name)
    uow.emit(RunbookApproved(found=after, actor=actor, reason=ask.reason))
    return after, True


def _withdraw(uow: UnitOfWork, actor: Actor, found: Found, reason: str) -> tuple[Found, bool]:
    """What was approved in error counts as HIGH again, at once."""
    if not found.approved:
        return found, False
    rows.withdraw(uow.connection, found)
    uow.emit(
        Recorded(
            type="runbook.approval_withdrawn", actor=actor, company_id=found.company_id, object=found.runbook.name,
            reason=reason, details={"version": found.version, "digest": found.runbook.digest},
        )
    )  # fmt: skip
    return _must(uow, found.company_id, found.runbook.name), True


def may_approve(actor: Actor, found: Found) -> bool:
    """Whether this admin could be asked to approve it: it is not their own text."""
    return not found.approved and actor.role is Role.ADMIN and found.author != actor.id


def _another_admin(uow: UnitOfWork, actor: Actor) -> bool:
    return any(person.role is Role.ADMIN and person.id != actor.id for person in uow.people())


def _risk(word: str, runbook: Runbook) -> Risk:
    if not word:
        return runbook.risk
    if word.lower() not in RISKS:
        raise InvalidField(f"{word[:40]!r} is no risk", hint="low, medium or high")
    risk = Risk(word.lower())
    if RISKS.index(risk) < RISKS.index(runbook.risk):
        raise InvalidField(
            f"{runbook.name} declares {runbook.risk} itself: it is approved as that, or as more",
            hint=f"--risk {runbook.risk}, or have its author declare {risk}",
        )
    return risk


def _keep(
    uow: UnitOfWork, actor: Actor, owner: str, runbook: Runbook, before: Found | None, reason: str
) -> Found:  # fmt: skip
    rows.add(uow.connection, owner, runbook, author=actor.id, at=uow.now, reason=reason[:1_000])
    after = _must(uow, owner, runbook.name)
    uow.emit(RunbookWritten(found=after, before=before, actor=actor, reason=reason))
    return after


def _own(uow: UnitOfWork, owner: str, name: str) -> Found | None:
    return next(iter(rows.current(uow.connection, (owner,), name)), None)


def _must(uow: UnitOfWork, owner: str, name: str) -> Found:
    found = _own(uow, owner, name)
    assert found is not None, "it was kept a moment ago"
    return found


def _flag(owner: str) -> str:
    return "" if owner == MSP else f" --company {owner.removeprefix('comp-')}"
