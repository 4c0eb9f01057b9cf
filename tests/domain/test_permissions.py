"""Who may do what: every cell of the table, inside the scope and outside of it."""

from __future__ import annotations

from itertools import product

import pytest

from siems.domain.lifecycle import permission_for
from siems.domain.permissions import SYSTEM, Permission, allowed, missing, require
from siems.errors import Forbidden, NotFound
from siems.vocabulary import MSP, Action, Role

from .making import ACME, ANA, BEN, person

P = Permission
TABLE = {
    #                    admin manager technician client
    P.SEE:              "✓     ✓       ✓          ✓",
    P.CREATE_INCIDENT:  "✓     ✓       ✓          ·",
    P.WORK:             "✓     ✓       ✓          ·",
    P.PAGE:             "✓     ✓       ✓          ·",
    P.ASSIGN_OTHERS:    "✓     ✓       ·          ·",
    P.CLOSE:            "✓     ✓       ·          ·",
    P.SILENCE:          "✓     ✓       ✓          ·",
    P.MAINTENANCE:      "✓     ✓       ·          ·",
    P.COMPANY_SETTINGS: "✓     ✓       ·          ·",
    P.ADMINISTER:       "✓     ·       ·          ·",
    P.SEE_AUDIT:        "✓     ✓       ✓          ·",
    P.VERIFY_AUDIT:     "✓     ·       ·          ·",
    P.SEE_REJECTED:     "✓     ✓       ✓          ·",
    P.SEE_HEARTBEATS:   "✓     ✓       ✓          ·",
    P.SEE_ONCALL:       "✓     ✓       ✓          ·",
    P.OWN_ONCALL:       "✓     ✓       ✓          ·",
    P.OTHERS_ONCALL:    "✓     ✓       ·          ·",
    P.SCHEDULES:        "✓     ✓       ·          ·",
    P.SEE_TICKETS:      "✓     ✓       ✓          ·",
    P.SEE_AGENTS:       "✓     ✓       ✓          ·",
    P.REPLAY:           "✓     ✓       ·          ·",
    P.OWN_SESSION:      "✓     ✓       ✓          ✓",
    P.SEE_ANALYTICS:    "✓     ✓       ✓          ·",
    P.JUDGE_ADVICE:     "✓     ✓       ·          ·",
    P.RUN:              "✓     ✓       ✓          ·",
    P.APPROVE_RUN:      "✓     ✓       ·          ·",
    P.APPROVE_HIGH_RUN: "✓     ·       ·          ·",
    P.RUN_SETTINGS:     "✓     ·       ·          ·",
    P.SEE_RUNBOOKS:     "✓     ✓       ✓          ·",
    P.APPROVE_CONTENT:  "✓     ·       ·          ·",
    P.SEVERITY:         "✓     ✓       ·          ·",
    P.SEE_PARENTS:      "✓     ·       ✓          ·",
    P.PARENTS:          "✓     ·       ·          ·",
    P.PLAYBACK:         "✓     ✓       ✓          ·",
}  # fmt: skip
"""A copy of the specification by hand: the code's own table must never be the measure of itself."""
ROLES = (Role.ADMIN, Role.MANAGER, Role.TECHNICIAN, Role.CLIENT)
CELLS = {
    (permission, role): mark == "✓"
    for permission, row in TABLE.items()
    for role, mark in zip(ROLES, row.split(), strict=True)
}
ELSEWHERE = "comp-umbrella"


@pytest.mark.parametrize(("permission", "role"), list(product(Permission, ROLES)))
def test_inside_the_scope_the_table_decides_and_the_rest_is_forbidden(permission, role) -> None:
    actor = person("x", role, ACME)
    may = CELLS[permission, role]
    assert allowed(actor, permission, ACME) == may
    if may:
        require(actor, permission, ACME, what="incident INC-42")
        return
    with pytest.raises(Forbidden, match=permission.value) as refused:
        require(actor, permission, ACME, what="incident INC-42")
    for able in ROLES:
        assert (able.value in refused.value.hint.split()) == CELLS[permission, able]


@pytest.mark.parametrize(("permission", "role"), list(product(Permission, ROLES)))
def test_outside_the_scope_nothing_exists_and_says_so_in_the_same_words(permission, role) -> None:
    actor = person("x", role, ELSEWHERE)
    if role is Role.ADMIN:
        require(actor, permission, ACME)
        return
    assert not allowed(actor, permission, ACME)
    with pytest.raises(NotFound) as hidden:
        require(actor, permission, ACME, what="incident INC-42")
    really_missing = missing("incident INC-42")
    assert (hidden.value.message, hidden.value.hint) == (really_missing.message, really_missing.hint)
    assert type(hidden.value) is type(really_missing)
    assert ACME not in hidden.value.message + hidden.value.hint


def test_a_scope_of_several_companies_shows_each_of_them() -> None:
    actor = person("x", Role.MANAGER, ACME, ELSEWHERE)
    assert actor.sees(ACME)
    assert actor.sees(ELSEWHERE)
    assert not actor.sees("comp-third")


@pytest.mark.parametrize("role", [Role.MANAGER, Role.TECHNICIAN, Role.CLIENT])
def test_without_a_scope_no_company_exists(role) -> None:
    actor = person("x", role)
    nobody = type(actor)(actor.id, actor.name, role)
    assert not nobody.sees(ACME)
    with pytest.raises(NotFound):
        require(nobody, P.SEE, ACME)


def test_a_client_never_sees_the_rows_of_the_msp() -> None:
    client = person("x", Role.CLIENT, MSP)
    with pytest.raises(NotFound):
        require(client, P.SEE, MSP)
    assert person("x", Role.ADMIN).sees(MSP)


def test_the_system_may_do_everything_everywhere() -> None:
    assert SYSTEM.machine
    assert all(allowed(SYSTEM, permission, company) for permission in Permission for company in (ACME, MSP))


@pytest.mark.parametrize(
    ("action", "assignee", "permission"),
    [
        (Action.ASSIGN, BEN.id, P.ASSIGN_OTHERS),
        (Action.ASSIGN, ANA.id, P.WORK),
        (Action.ASSIGN, None, P.WORK),
        (Action.CLOSE, None, P.CLOSE),
        (Action.NOTE, None, P.CREATE_INCIDENT),
        (Action.SEVERITY, None, P.SEVERITY),
        *((a, None, P.WORK) for a in Action if a not in (Action.ASSIGN, Action.CLOSE, Action.NOTE, Action.SEVERITY)),
    ],
)
def test_each_action_stands_in_its_row(action, assignee, permission) -> None:
    assert permission_for(action, actor=ANA, assignee=assignee) is permission


@pytest.mark.parametrize(("word", "role"), [("engineer", Role.TECHNICIAN), (" Admin ", Role.ADMIN)])
def test_engineer_is_another_word_for_technician(word, role) -> None:
    assert Role.parse(word) is role
