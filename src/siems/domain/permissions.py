"""Who may do what: the table of DOMAIN §1, and the one function that asks it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from siems.domain.changing import replace
from siems.errors import Forbidden, NotFound
from siems.vocabulary import MSP, Role, Via


class Permission(StrEnum):
    """One row of the table, as far as the product has come."""

    SEE = "see"
    CREATE_INCIDENT = "create incidents, write notes"
    WORK = "take, acknowledge, start, hold, resolve, reopen, escalate"
    PAGE = "page people"
    ASSIGN_OTHERS = "assign to others"
    CLOSE = "close incidents"
    SILENCE = "silence alerts for up to 24 hours"
    MAINTENANCE = "silence for longer than 24 hours, plan maintenance windows"
    COMPANY_SETTINGS = "change a company's settings, keys and technicians"
    ADMINISTER = "manage companies and other users"
    SEE_AUDIT = "read the audit log"
    SEE_ANALYTICS = "read reports"
    VERIFY_AUDIT = "verify the audit log"
    SEE_REJECTED = "see refused deliveries"
    SEE_HEARTBEATS = "see heartbeats"
    SEE_TICKETS = "see tickets and templates"
    SEE_AGENTS = "see which machines answer and how they are patched"
    REPLAY = "replay alerts"
    PLAYBACK = "play back what a board looked like"
    SEE_ONCALL = "see who is on call"
    OWN_ONCALL = "stand in for others, ask for a swap, hand a shift over"
    OTHERS_ONCALL = "let others stand in"
    SCHEDULES = "change on-call schedules"
    JUDGE_ADVICE = "take or decline advice on severity and category"
    OWN_SESSION = "use one's own account"
    RUN = "run runbooks, see runs"
    APPROVE_RUN = "approve runs of medium risk"
    APPROVE_HIGH_RUN = "approve runs of high risk"
    RUN_SETTINGS = "change how runs are approved, self-healing and how hosts are reached"
    SEE_RUNBOOKS = "see runbooks"
    APPROVE_CONTENT = "approve a runbook's content and risk"
    SEVERITY = "set a severity by hand"
    SEE_PARENTS = "see what groups incidents of several clients"
    PARENTS = "group incidents of several clients"


_A, _M, _T, _C = Role.ADMIN, Role.MANAGER, Role.TECHNICIAN, Role.CLIENT

ALLOWED: dict[Permission, frozenset[Role]] = {
    Permission.SEE: frozenset({_A, _M, _T, _C}),
    Permission.CREATE_INCIDENT: frozenset({_A, _M, _T}),
    Permission.WORK: frozenset({_A, _M, _T}),
    Permission.PAGE: frozenset({_A, _M, _T}),
    Permission.ASSIGN_OTHERS: frozenset({_A, _M}),
    Permission.CLOSE: frozenset({_A, _M}),
    Permission.SILENCE: frozenset({_A, _M, _T}),
    Permission.MAINTENANCE: frozenset({_A, _M}),
    Permission.COMPANY_SETTINGS: frozenset({_A, _M}),
    Permission.ADMINISTER: frozenset({_A}),
    Permission.SEE_AUDIT: frozenset({_A, _M, _T}),
    Permission.SEE_ANALYTICS: frozenset({_A, _M, _T}),
    Permission.VERIFY_AUDIT: frozenset({_A}),
    Permission.SEE_REJECTED: frozenset({_A, _M, _T}),
    Permission.SEE_HEARTBEATS: frozenset({_A, _M, _T}),
    Permission.SEE_TICKETS: frozenset({_A, _M, _T}),
    Permission.SEE_AGENTS: frozenset({_A, _M, _T}),
    Permission.REPLAY: frozenset({_A, _M}),
    Permission.PLAYBACK: frozenset({_A, _M, _T}),
    Permission.SEE_ONCALL: frozenset({_A, _M, _T}),
    Permission.OWN_ONCALL: frozenset({_A, _M, _T}),
    Permission.OTHERS_ONCALL: frozenset({_A, _M}),
    Permission.SCHEDULES: frozenset({_A, _M}),
    Permission.JUDGE_ADVICE: frozenset({_A, _M}),
    Permission.OWN_SESSION: frozenset({_A, _M, _T, _C}),
    Permission.RUN: frozenset({_A, _M, _T}),
    Permission.APPROVE_RUN: frozenset({_A, _M}),
    Permission.APPROVE_HIGH_RUN: frozenset({_A}),
    Permission.RUN_SETTINGS: frozenset({_A}),
    Permission.SEE_RUNBOOKS: frozenset({_A, _M, _T}),
    Permission.APPROVE_CONTENT: frozenset({_A}),
    Permission.SEVERITY: frozenset({_A, _M}),
    Permission.SEE_PARENTS: frozenset({_A, _T}),
    Permission.PARENTS: frozenset({_A}),
}


def granted(role: Role) -> list[str]:
    """What a role may do where it sees the company, for consoles: the names of the rows, as `company_settings`."""
    return [permission.name.lower() for permission, roles in ALLOWED.items() if role in roles]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person with a role and a scope, or siems itself."""

    id: str
    name: str
    role: Role
    scope: frozenset[str] = frozenset()
    via: Via = Via.API
    machine: bool = False

    def sees(self, company_id: str) -> bool:
        """Whether the company exists for this actor. The MSP's own rows are for admins, unless a scope names it."""
        if company_id == MSP and self.role is Role.CLIENT:
            return False
        return self.role is Role.ADMIN or company_id in self.scope


SYSTEM = Actor("system", "siems", Role.ADMIN, via=Via.SYSTEM, machine=True)


def allowed(actor: Actor, permission: Permission, company_id: str) -> bool:
    """Whether `require` would let this pass."""
    return actor.sees(company_id) and actor.role in ALLOWED[permission]


def require(actor: Actor, permission: Permission, company_id: str, *, what: str = "") -> None:
    """Let it pass, or raise: NotFound outside the scope (it does not exist for them), Forbidden inside it."""
    if not actor.sees(company_id):
        raise missing(what)
    if actor.role not in ALLOWED[permission]:
        roles = " or ".join(sorted(role.value for role in ALLOWED[permission]))
        raise Forbidden(
            f"{actor.name} is a {actor.role.value} and may not {permission.value}",
            hint=f"ask somebody with the role {roles}",
        )


def require_role(actor: Actor, permission: Permission) -> None:
    """As `require`, for what is limited to the scope by its query: lists, and one's own things."""
    if actor.role not in ALLOWED[permission]:
        require(replace(actor, scope=frozenset({"*"})), permission, "*")


def missing(what: str) -> NotFound:
    """The one answer for what is not there and for what the caller may not know of."""
    return NotFound(f"there is no {what or 'such object'}")
