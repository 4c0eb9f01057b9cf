"""The verbs of ticket accounts: add, edit, remove; and looking them up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select

from siems.domain.changing import replace
from siems.domain.deadlines import DueKind
from siems.domain.events import Recorded
from siems.domain.permissions import Actor, Permission, missing, require, require_role
from siems.domain.ticket import REACHES, Comments, Stage, TicketAccount, TicketRules
from siems.errors import Conflict, InvalidField
from siems.services.filters import in_scope
from siems.services.views import Names, load_names
from siems.storage import tables as t
from siems.storage.ticket_rows import account_from
from siems.storage.unit_of_work import UnitOfWork
from siems.storage.vault import Vault, random_token, token_hash
from siems.vocabulary import MSP, Category, Severity, State
from siems.wire import TicketAccountAsk, TicketAccountEdit, TicketAccountView, TicketRulesView

MOST = 20
WORDS = {
    "OPEN": Stage.OPEN, "IN_PROGRESS": Stage.WORKING, "ON_HOLD": Stage.HELD, "RESOLVED": Stage.RESOLVED,
    "CLOSED": Stage.CLOSED,
}  # fmt: skip
_WORD_OF = {stage: word for word, stage in WORDS.items()}
_RULE_FIELDS = (
    "create", "min_severity", "categories", "at_state", "states", "priorities", "fields", "ticket_type", "comments",
    "reopen_within_seconds", "poll_seconds",
)  # fmt: skip


def add(
    uow: UnitOfWork, actor: Actor, company_id: str, ask: TicketAccountAsk, vault: Vault
) -> tuple[TicketAccount, str]:  # fmt: skip
    """A new account, and the token of its webhook or "". `ask.kind` is one that there is. Raises InvalidField."""
    require(actor, Permission.COMPANY_SETTINGS, company_id, what=company_id)
    mine = uow.company(company_id).ticket_accounts
    if len(mine) >= MOST:
        raise Conflict(f"{company_id} has {MOST} ticket accounts already", hint="siems ticket account list")
    if not ask.secret.strip():
        raise InvalidField("an account needs a secret: a token or password", hint="--secret-file F, or -")
    stem = f"{company_id.removeprefix('comp-')}-{ask.kind}"[:56]
    account_id = next(n for n in (stem, *(f"{stem}-{i}" for i in range(2, 10_000))) if not _taken(uow, n))
    token = random_token("tkh") if ask.webhook else ""
    account = TicketAccount(
        id=account_id, company_id=company_id, kind=ask.kind, url=ask.url.strip().rstrip("/")[:1_000],
        project=ask.project.strip()[:80], username=ask.username.strip()[:255], secret=vault.seal(ask.secret.strip()),
        rules=rules_of(TicketRules(), ask), paused=False, hook_hash=token_hash(token) if token else None,
        created_by=actor.id, created_at=uow.now, since=uow.now,
    )  # fmt: skip
    uow.tickets.put_account(account, new=True)
    uow.tickets.queue_poll(account)
    _turn(uow, account)
    _record(uow, actor, "ticket_account.added", account, ask.reason)
    return account, token


def _taken(uow: UnitOfWork, account_id: str) -> bool:
    where = t.ticket_account.c.id == account_id
    return uow.connection.execute(select(t.ticket_account.c.id).where(where)).first() is not None


def _turn(uow: UnitOfWork, account: TicketAccount) -> None:
    at = uow.now + account.rules.poll_every
    uow.deadlines.set(account.id, DueKind.TICKET_POLL.value, at, company_id=account.company_id)


def edit(
    uow: UnitOfWork, actor: Actor, company_id: str, account_id: str, ask: TicketAccountEdit, vault: Vault
) -> tuple[TicketAccount, str]:  # fmt: skip
    """Change what is given; the token of a new webhook, or ""."""
    before = _find(uow, actor, company_id, account_id)
    given = {name: getattr(ask, name) for name in ("url", "project", "username", "paused")}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if ask.url is not None:
        changes["url"] = ask.url.strip().rstrip("/")[:1_000]
        if ask.secret is None and changes["url"] != before.url:
            # who may change the address must not learn by it what was never shown
            raise InvalidField("another URL needs the secret once more", hint="--secret-file F, or -")
    if ask.secret is not None:
        if not ask.secret.strip():
            raise InvalidField("the secret is empty", hint="--secret-file F, or -")
        changes["secret"] = vault.seal(ask.secret.strip())
    token = random_token("tkh") if ask.webhook else ""
    if ask.webhook is not None:
        changes["hook_hash"] = token_hash(token) if token else None
    after = replace(before, **changes, rules=rules_of(before.rules, ask))
    uow.tickets.put_account(after, new=False)
    _turn(uow, after)
    _record(uow, actor, "ticket_account.edited", after, ask.reason, secret=ask.secret is not None)
    return after, token


def remove(uow: UnitOfWork, actor: Actor, company_id: str, account_id: str, reason: str) -> None:
    """It is gone with its links; the tickets themselves stay as they are, over there."""
    account = _find(uow, actor, company_id, account_id)
    uow.tickets.drop_account(account)
    uow.deadlines.cancel(account.id, DueKind.TICKET_POLL.value)
    _record(uow, actor, "ticket_account.removed", account, reason)


def _find(uow: UnitOfWork, actor: Actor, company_id: str, account_id: str) -> TicketAccount:
    require(actor, Permission.COMPANY_SETTINGS, company_id, what=account_id)
    found = uow.company(company_id).ticket_accounts.get(account_id)
    if found is None:
        raise missing(account_id)
    return found


def _record(
    uow: UnitOfWork, actor: Actor, type: str, account: TicketAccount, reason: str, *, secret: bool = False
) -> None:  # fmt: skip
    details = {
        "kind": account.kind, "url": account.url, "project": account.project, "username": account.username,
        "paused": account.paused, "webhook": account.hook_hash is not None, "secret_changed": secret,
        "min_severity": account.rules.min_severity.name, "create": account.rules.create,
    }  # fmt: skip
    uow.emit(
        Recorded(
            type=type, actor=actor, company_id=account.company_id, object=account.id, reason=reason, details=details
        )
    )  # fmt: skip


# --- rules -----------------------------------------------------------------------------------------------------


def rules_of(before: TicketRules, ask: TicketAccountAsk | TicketAccountEdit) -> TicketRules:
    """The rules with what is given. Raises InvalidField naming the field and what it takes."""
    given = {name: getattr(ask, name) for name in _RULE_FIELDS}
    changes: dict[str, Any] = {}
    for name, value in given.items():
        if value is not None:
            changes |= _rule(name, value)
    return replace(before, **changes)


def _rule(name: str, value: Any) -> dict[str, Any]:
    match name:
        case "create":
            if value not in ("auto", "never"):
                raise InvalidField(f"create is auto or never, not {value!r}", hint="--create auto")
            return {"create": value == "auto"}
        case "min_severity":
            return {"min_severity": Severity[_one_of(name, value.upper(), Severity.__members__)]}
        case "categories":
            words = [_one_of("category", word.lower(), Category) for word in value]
            return {"categories": frozenset(Category(word) for word in words)}
        case "at_state":
            return {"at_state": State(_one_of("state", value.upper(), REACHES))}
        case "states":
            return {"states": {WORDS[_one_of("state", w.upper(), WORDS)]: str(n)[:80] for w, n in value.items()}}
        case "priorities":
            named = {_one_of("severity", w.upper(), Severity.__members__): str(n)[:80] for w, n in value.items()}
            return {"priorities": named}
        case "comments":
            return {"comments": Comments(_one_of(name, value, Comments))}
        case "reopen_within_seconds":
            return {"reopen_within": timedelta(seconds=_between("reopen-within", value, 0, 366 * 86_400))}
        case "poll_seconds":
            return {"poll_every": timedelta(seconds=_between("poll", value, 10, 86_400))}
        case "ticket_type":
            return {name: value.strip()[:80]}
        case _:
            return {name: value}


def _one_of(name: str, word: str, known: Any) -> str:
    if word not in [str(k) for k in known]:
        raise InvalidField(f"{word!r} is no {name}", hint=f"one of: {', '.join(str(k) for k in known)}")
    return word


def _between(name: str, value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise InvalidField(f"{name} must be between {low} and {high} seconds", hint="nothing was changed")
    return value


# --- looking ---------------------------------------------------------------------------------------------------


def list_accounts(connection: Connection, actor: Actor, company_id: str | None) -> list[TicketAccountView]:
    """Those of the companies in the reader's scope; the MSP's own are for admins."""
    require_role(actor, Permission.COMPANY_SETTINGS)
    a = t.ticket_account.c
    where = [in_scope(a.company_id, actor)]
    if company_id is not None:
        where.append(a.company_id == company_id)
    rows = connection.execute(select(t.ticket_account).where(*where).order_by(a.company_id, a.id)).all()
    names, held = load_names(connection), _held(connection)
    return [_view(connection, row, names, held) for row in rows]


def find_account(connection: Connection, ref: str, actor: Actor) -> TicketAccount:
    """Raises NotFound for what is not there and for what the reader may not know of."""
    where = t.ticket_account.c.id == ref[:64]
    row = connection.execute(select(*t.raw_columns(t.ticket_account)).where(where)).first()
    if row is None:
        raise missing(ref[:64])
    require(actor, Permission.COMPANY_SETTINGS, row.company_id, what=ref[:64])
    return account_from(row)


def show_account(connection: Connection, account_id: str) -> TicketAccountView:
    row = connection.execute(select(t.ticket_account).where(t.ticket_account.c.id == account_id)).one()
    return _view(connection, row, load_names(connection), _held(connection))


def account_of_hook(connection: Connection, token: str) -> tuple[str, str] | None:
    """(account, company) whose webhook this is."""
    a = t.ticket_account.c
    row = connection.execute(select(a.id, a.company_id).where(a.hook_hash == token_hash(token))).first()
    return None if row is None else (row.id, row.company_id)


def _held(connection: Connection) -> dict[str, int]:
    c = t.ticket.c
    rows = connection.execute(select(c.account_id, func.count()).group_by(c.account_id))
    return {row[0]: row[1] for row in rows}


def _view(connection: Connection, row: Row[Any], names: Names, held: dict[str, int]) -> TicketAccountView:
    raw = connection.execute(select(*t.raw_columns(t.ticket_account)).where(t.ticket_account.c.id == row.id)).one()
    rules = account_from(raw).rules
    company = "all clients" if row.company_id == MSP else names.companies.get(row.company_id, row.company_id)
    return TicketAccountView(
        id=row.id, company_id=row.company_id, company=company, kind=row.kind, url=row.url, project=row.project,
        username=row.username, rules=_rules_view(rules), paused=row.paused, webhook=row.hook_hash is not None,
        created_by=row.created_by, created_at=row.created_at, since=row.since, polled_at=row.polled_at,
        failures=row.failures, error=row.error, error_at=row.error_at, tickets=held.get(row.id, 0),
    )  # fmt: skip


def _rules_view(rules: TicketRules) -> TicketRulesView:
    return TicketRulesView(
        create="auto" if rules.create else "never", min_severity=rules.min_severity.name,
        categories=sorted(rules.categories), at_state=rules.at_state.value,
        states={_WORD_OF[stage]: name for stage, name in rules.states.items()}, priorities=dict(rules.priorities),
        fields=dict(rules.fields), ticket_type=rules.ticket_type, comments=rules.comments.value,
        reopen_within_seconds=int(rules.reopen_within.total_seconds()),
        poll_seconds=int(rules.poll_every.total_seconds()),
    )  # fmt: skip
