"""Looking up runbooks: lists, and one with its scripts, versions and approval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from siems import library
from siems.domain.permissions import Actor, Permission, missing, require, require_role
from siems.domain.runbook import Parameter, Phase, Runbook
from siems.domain.runbook_found import Found, Origin, shipped
from siems.domain.runbook_text import digest_of, read
from siems.domain.runbook_values import wants
from siems.errors import InvalidField
from siems.services.directory import find_company
from siems.services.runbook_verbs import may_approve
from siems.services.runbooks import find, usable
from siems.services.views import load_names
from siems.storage.repositories import runbooks as rows
from siems.vocabulary import MSP
from siems.wire import (
    ParameterView,
    RunbookDetail,
    RunbookStepView,
    RunbookText,
    RunbookVersionView,
    RunbookView,
)


def owner_of(connection: Connection, ref: str, actor: Actor) -> str:
    """The company behind what people type, or `msp`, whose runbooks are for every company. Raises NotFound."""
    if ref.strip().lower() == MSP:
        require_role(actor, Permission.SEE_RUNBOOKS)
        return MSP
    company_id = find_company(connection, ref, actor)
    require(actor, Permission.SEE_RUNBOOKS, company_id, what=company_id)
    return company_id


def list_runbooks(connection: Connection, actor: Actor, company: str) -> list[RunbookView]:
    """What a company may use; without one everything that the reader may see."""
    users = load_names(connection).users
    if company:
        return [_view(found, users) for found in usable(connection, owner_of(connection, company, actor))]
    require_role(actor, Permission.SEE_RUNBOOKS)
    everything = [shipped(runbook) for runbook in library.every()] + rows.in_scope(connection, actor)
    return [_view(found, users) for found in sorted(everything, key=lambda one: (one.runbook.name, one.company_id))]


def locate(connection: Connection, actor: Actor, name: str, company: str) -> Found:
    """The runbook that is meant. Without a company: the MSP's or the one that ships, else the only one of a client.

    Raises NotFound, InvalidField where several companies have one of this name.
    """
    if company:
        return find(connection, owner_of(connection, company, actor), name)
    require_role(actor, Permission.SEE_RUNBOOKS)
    mine = [found for found in rows.in_scope(connection, actor) if found.runbook.name == name.strip()]
    shared = [found for found in mine if found.origin is Origin.MSP]
    if not shared and library.find(name.strip()) is None and mine:
        if len(mine) > 1:
            said = ", ".join(found.company_id for found in mine[:5])
            raise InvalidField(f"several companies have a runbook {name[:64]}: {said}", hint="--company acme")
        return mine[0]
    return find(connection, MSP, name)


def show_runbook(connection: Connection, actor: Actor, name: str, company: str) -> RunbookDetail:
    return detail(connection, locate(connection, actor, name, company), actor)


def text_of(connection: Connection, actor: Actor, name: str, company: str, version: str) -> RunbookText:
    """A text as it was: version 3, or `library` for what ships under this name. Raises NotFound."""
    found = locate(connection, actor, name, company)
    if version == Origin.LIBRARY.value:
        text = library.text_of(found.runbook.name)
    elif not version or version == str(found.version):
        text = found.runbook.text
    else:
        known = rows.versions(connection, found.company_id, found.runbook.name)
        text = next((one.text for one in known if str(one.version) == version), None)
    if text is None:
        raise missing(f"version {version[:20]!r} of {found.runbook.name}")
    return RunbookText(
        name=found.runbook.name, version=version or str(found.version), text=text, digest=digest_of(text)
    )


def detail(connection: Connection, found: Found, actor: Actor) -> RunbookDetail:
    """All that there is to know of it."""
    runbook, users = found.runbook, load_names(connection).users
    kept = [] if found.origin is Origin.LIBRARY else rows.versions(connection, found.company_id, runbook.name)
    return RunbookDetail(
        **_fields(found, users),
        description=runbook.description, timeout_seconds=int(runbook.timeout.total_seconds()),
        parameters=[_parameter(parameter) for parameter in runbook.parameters],
        precheck=_steps(runbook, Phase.PRECHECK), steps=_steps(runbook, Phase.STEPS),
        verify=_steps(runbook, Phase.VERIFY), rollback=_steps(runbook, Phase.ROLLBACK), text=runbook.text,
        versions=[
            RunbookVersionView(
                version=one.version, current=one.current, digest=one.digest, declared_risk=one.risk.value,
                author=one.author, author_name=users.get(one.author, one.author), at=one.at, reason=one.reason,
                approved=one.approval is not None,
            ) for one in kept
        ],
        hides=_hides(connection, found), warnings=[str(problem) for problem in read(runbook.text)[1]],
        may_approve=may_approve(actor, found),
    )  # fmt: skip


def _hides(connection: Connection, found: Found) -> str | None:
    """Whose runbook of this name would be used if this one were not there."""
    name = found.runbook.name
    if found.origin is Origin.COMPANY and rows.current(connection, (MSP,), name):
        return Origin.MSP.value
    if found.origin is not Origin.LIBRARY and library.find(name) is not None:
        return Origin.LIBRARY.value
    return None


def _view(found: Found, users: Mapping[str, str]) -> RunbookView:
    return RunbookView(**_fields(found, users))


def _fields(found: Found, users: Mapping[str, str]) -> dict[str, Any]:
    runbook, approval = found.runbook, found.approval
    return {
        "id": runbook.name, "name": runbook.name, "title": runbook.title, "category": runbook.category,
        "platforms": [platform.value for platform in runbook.platforms], "origin": found.origin.value,
        "company_id": found.company_id, "risk": found.effective_risk.value, "declared_risk": runbook.risk.value,
        "approved": found.approved, "version": found.version, "digest": runbook.digest,
        "matches": list(runbook.matches), "author": found.author or None,
        "author_name": users.get(found.author, found.author) or None, "changed_at": found.at,
        "approved_by": users.get(approval.by, approval.by) if approval is not None else None,
        "approved_at": approval.at if approval is not None else None,
    }  # fmt: skip


def _parameter(parameter: Parameter) -> ParameterView:
    return ParameterView(
        name=parameter.name, type=parameter.kind.value, pattern=parameter.pattern, default=parameter.default,
        choices=list(parameter.choices), description=parameter.description, secret=parameter.secret,
        wants=wants(parameter),
    )  # fmt: skip


def _steps(runbook: Runbook, phase: Phase) -> list[RunbookStepView]:
    return [
        RunbookStepView(
            name=step.name, timeout_seconds=int((step.timeout or runbook.timeout).total_seconds()),
            run={platform.value: script for platform, script in step.run.items()}, on_failure=step.on_failure.value,
        ) for step in runbook.phases.get(phase, ())
    ]  # fmt: skip
