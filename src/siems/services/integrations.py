"""Keys of tools: adding, changing, replacing and ending them, and which clients an MSP-wide one tells apart."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, delete, select, update

from siems.clock import to_micros
from siems.domain.changing import replace
from siems.domain.events import Recorded
from siems.domain.integration import LONGEST_OVERLAP, Opening, Terms
from siems.domain.letter_rules import rules_from
from siems.domain.particulars import EMAIL, QUEUE, Particulars, Queue, particulars_from
from siems.domain.permissions import Actor, Permission, missing, require
from siems.errors import Conflict, InvalidField
from siems.storage import tables as t
from siems.storage.unit_of_work import UnitOfWork
from siems.storage.vault import Vault, key_for, signing_secret, token_hash
from siems.vocabulary import MSP, Signing
from siems.wire import IntegrationAdded, IntegrationChanged, IntegrationEdit, RotateAsk

GENERIC = "generic"
MAX_SECRET = 1_024
WHAT = ("key", "hmac", "both")
FORGOTTEN_AFTER = timedelta(days=30)


def add(
    uow: UnitOfWork, actor: Actor, company_id: str, opening: Opening, vault: Vault, public_url: str, reason: str = ""
) -> IntegrationAdded:  # fmt: skip
    """A key bound to one tool. One that serves many clients is the MSP's, and for admins."""
    require(actor, Permission.COMPANY_SETTINGS, company_id, what=f"company {company_id!r}")
    if opening.tenant_field:
        require(actor, Permission.ADMINISTER, company_id)
        if company_id != MSP:
            raise InvalidField(
                "only an integration of the MSP tells clients apart", hint="--company msp, or leave --tenant-field out"
            )
    if opening.particulars.queue is not None:  # it is emptied with the credentials of the MSP
        require(actor, Permission.ADMINISTER, company_id)
        _unclaimed(uow, opening.particulars.queue)
    uow.company(company_id)
    opening = replace(opening, terms=opening.terms.checked(uow.now))
    added = make(uow, company_id, opening, vault, public_url)
    uow.emit(
        Recorded(
            type="integration.added", actor=actor, company_id=company_id, object=added.integration_id, reason=reason,
            details={"tool": opening.tool, "signing": opening.signing.value, **_told(opening.terms)},
        )
    )  # fmt: skip
    return added


def _unclaimed(uow: UnitOfWork, queue: Queue) -> None:
    """Raises Conflict when the queue is emptied already: of two, each would get some of the messages."""
    uow.flush()
    n = t.integration.c
    alive = (n.tool == QUEUE, n.revoked_at.is_(None))
    for row in uow.connection.execute(select(n.id, n.particulars).where(*alive)):
        there = particulars_from(row.particulars).queue
        if there is not None and there.same(queue):
            raise Conflict(
                f"{row.id} empties this queue already",
                hint=f"siems integration revoke {row.id}  first; one queue of many clients: "
                "--company msp --tenant-field AWSAccountId",
            )


def make(uow: UnitOfWork, company_id: str, opening: Opening, vault: Vault, public_url: str) -> IntegrationAdded:
    """The rows and secrets of a new integration."""
    slug = company_id.removeprefix("comp-")
    key = key_for(opening.tool, slug)
    secret = None
    if opening.signing is Signing.REQUIRED and not opening.awaits_secret:
        secret = signing_secret() if opening.secret is None else _given(opening.secret)
    integration_id = f"int-{slug}-{opening.tool}-{uow.next_number('integration')}"[:64]
    terms = opening.terms
    uow.insert(
        "integration",
        (
            integration_id, company_id, opening.tool, opening.signing.value, token_hash(key), key[-4:],
            None if secret is None else vault.seal(secret), to_micros(uow.now), None, terms.name,
            terms.rate_per_minute, json.dumps(terms.networks),
            None if terms.expires_at is None else to_micros(terms.expires_at), opening.tenant_field,
            opening.particulars.kept(),
        ),
    )  # fmt: skip
    url = webhook_url(public_url, opening.tool)
    return IntegrationAdded(
        integration_id=integration_id, company_id=company_id, tool=opening.tool, signing=opening.signing.value,
        api_key=key, hmac_secret=None if opening.secret else secret,
        webhook_url=f"{url}?api_key={key}" if opening.key_in_url else url, awaits_secret=opening.awaits_secret,
    )  # fmt: skip


def webhook_url(public_url: str, tool: str) -> str:
    """Where a tool sends to, without its key."""
    return f"{public_url}/api/webhooks/{'alerts' if tool == GENERIC else tool}"


def _given(secret: str) -> str:
    if not secret.strip() or len(secret) > MAX_SECRET:
        raise InvalidField(
            f"a secret has 1 to {MAX_SECRET} characters", hint="--secret-file F, or - for standard input"
        )
    return secret.strip()


def _told(terms: Terms) -> dict[str, Any]:
    """What the record keeps of it."""
    ends = None if terms.expires_at is None else terms.expires_at.isoformat()
    said = {"name": terms.name, "rate": terms.rate_per_minute, "networks": list(terms.networks), "expires_at": ends}
    return {name: value for name, value in said.items() if value}


def _row(uow: UnitOfWork, actor: Actor, integration_id: str) -> Row[Any]:
    """An integration that the actor may change. Raises NotFound and Forbidden."""
    uow.flush()
    row = uow.connection.execute(select(t.integration).where(t.integration.c.id == integration_id)).first()
    if row is None:
        raise missing(f"integration {integration_id!r}")
    require(actor, Permission.COMPANY_SETTINGS, row.company_id, what=f"integration {integration_id!r}")
    return row


def _alive(row: Row[Any]) -> None:
    if row.revoked_at is not None:
        company = row.company_id.removeprefix("comp-")
        raise Conflict(
            f"{row.id} is revoked for good",
            hint=f"make a new one:  siems integration add {row.tool} --company {company}",
        )


# --- changing --------------------------------------------------------------------------------------------------


def edit(uow: UnitOfWork, actor: Actor, integration_id: str, ask: IntegrationEdit) -> IntegrationChanged:
    """Change what is given. Raises InvalidField naming the field."""
    row = _row(uow, actor, integration_id)
    _alive(row)
    before = Terms(
        name=row.name, rate_per_minute=row.rate_per_minute, networks=tuple(json.loads(row.networks)),
        expires_at=row.expires_at,
    )  # fmt: skip
    asked = replace(
        before,
        name=before.name if ask.name is None else ask.name,
        networks=before.networks if ask.networks is None else tuple(ask.networks),
        rate_per_minute=before.rate_per_minute if ask.rate_per_minute is None else ask.rate_per_minute or None,
        expires_at=None,
    ).checked(uow.now)
    ends = before.expires_at if ask.expires_at is None else Terms(expires_at=ask.expires_at).checked(uow.now).expires_at
    after = replace(asked, expires_at=None if ask.never_expires else ends)
    kept = row.particulars if ask.rules is None else _ruled(row, ask.rules).kept()
    if after == before and kept == row.particulars:
        return IntegrationChanged(integration_id=row.id, changed=False)
    uow.connection.execute(
        update(t.integration)
        .where(t.integration.c.id == row.id)
        .values(
            name=after.name, rate_per_minute=after.rate_per_minute, networks=json.dumps(after.networks),
            expires_at=after.expires_at, particulars=kept,
        )
    )  # fmt: skip
    more = {} if ask.rules is None else {"rules": ask.rules}
    uow.emit(
        Recorded(
            type="integration.edited", actor=actor, company_id=row.company_id, object=row.id, reason=ask.reason,
            details={"before": _told(before), "after": _told(after) | more},
        )
    )  # fmt: skip
    return IntegrationChanged(integration_id=row.id, changed=True)


def _ruled(row: Row[Any], rules: list[dict[str, Any]]) -> Particulars:
    """What the integration has besides, with other rules. Raises InvalidField."""
    if row.tool != EMAIL:
        raise InvalidField(f"{row.id} has no rules: they are for mail", hint="siems integration add email")
    return Particulars(rules=rules_from(rules))


def rotate(
    uow: UnitOfWork, actor: Actor, integration_id: str, ask: RotateAsk, vault: Vault, public_url: str,
    *, key_in_url: bool, given: bool,
) -> IntegrationAdded:  # fmt: skip
    """Replace key, secret or both; the old ones are taken until the overlap ends. `given`: the tool makes secrets."""
    row = _row(uow, actor, integration_id)
    _alive(row)
    what = _what(ask, row, given=given)
    overlap = timedelta(seconds=ask.overlap_seconds)
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise InvalidField(f"the overlap is between 0 and {LONGEST_OVERLAP.days} days", hint="--overlap 24h")
    values: dict[str, Any] = {}
    key = secret = None
    if "key" in what:
        key = key_for(row.tool, row.company_id.removeprefix("comp-"))
        values |= {"key_hash": token_hash(key), "key_hint": key[-4:]}
        _keep(uow, row, "key", row.key_hash, overlap)
    if "hmac" in what:
        secret = signing_secret() if ask.secret is None else _given(ask.secret)
        values["secret"] = vault.seal(secret)
        if row.secret is not None:
            _keep(uow, row, "hmac", row.secret, overlap)
    kept = bool(overlap) and ("key" in what or row.secret is not None)
    if ask.expires_at is not None:
        values["expires_at"] = Terms(expires_at=ask.expires_at).checked(uow.now).expires_at
    uow.connection.execute(update(t.integration).where(t.integration.c.id == row.id).values(**values))
    long_ago = (t.old_key.c.integration_id == row.id, t.old_key.c.until < uow.now - FORGOTTEN_AFTER)
    uow.connection.execute(delete(t.old_key).where(*long_ago))
    uow.emit(
        Recorded(
            type="integration.rotated", actor=actor, company_id=row.company_id, object=row.id, reason=ask.reason,
            details={"what": sorted(what), "overlap_seconds": ask.overlap_seconds},
        )
    )  # fmt: skip
    url = webhook_url(public_url, row.tool)
    return IntegrationAdded(
        integration_id=row.id, company_id=row.company_id, tool=row.tool, signing=row.signing, api_key=key,
        hmac_secret=None if ask.secret else secret, webhook_url=f"{url}?api_key={key}" if key and key_in_url else url,
        old_until=uow.now + overlap if kept else None,
    )  # fmt: skip


def _what(ask: RotateAsk, row: Row[Any], *, given: bool) -> set[str]:
    """`key` and `hmac`, as they are asked for. Raises InvalidField."""
    signs = row.signing == Signing.REQUIRED.value
    default = "hmac" if ask.secret is not None else "key" if given or not signs else "both"
    what = ask.what or default
    if what not in WHAT:
        raise InvalidField(f"{what!r} cannot be rotated", hint=f"one of: {', '.join(WHAT)}")
    found = {"key", "hmac"} if what == "both" else {what}
    if "hmac" in found and not signs:
        raise InvalidField(f"{row.id} does not sign", hint="--what key")
    if "hmac" in found and given and ask.secret is None:
        raise InvalidField(
            f"{row.tool} makes the secret itself", hint=f"siems integration rotate {row.id} --what hmac --secret-file -"
        )
    if "hmac" not in found and ask.secret is not None:
        raise InvalidField("a secret was given, but only the key is rotated", hint="--what hmac, or --what both")
    return found


def _keep(uow: UnitOfWork, row: Row[Any], kind: str, value: str, overlap: timedelta) -> None:
    """What is replaced stays for the overlap; without one it is known as ended, so that its use has a cause."""
    if kind == "hmac" and not overlap:
        return
    uow.connection.execute(
        t.old_key.insert().values(
            company_id=row.company_id, integration_id=row.id, kind=kind, value=value,
            hint=row.key_hint if kind == "key" else "", until=uow.now + overlap,
        )
    )  # fmt: skip


def revoke(uow: UnitOfWork, actor: Actor, integration_id: str, *, old: bool, reason: str) -> IntegrationChanged:
    """End a key at once and for good; with `old` only those that were replaced and are still taken."""
    row = _row(uow, actor, integration_id)
    mine = (t.old_key.c.integration_id == row.id, t.old_key.c.until > uow.now)
    ended = uow.connection.execute(update(t.old_key).where(*mine).values(until=uow.now)).rowcount
    changed = bool(ended) if old else row.revoked_at is None
    if not old and changed:
        uow.connection.execute(update(t.integration).where(t.integration.c.id == row.id).values(revoked_at=uow.now))
    if changed:
        uow.emit(
            Recorded(
                type="integration.revoked", actor=actor, company_id=row.company_id, object=row.id, reason=reason,
                details={"what": "replaced keys" if old else "all", "tool": row.tool},
            )
        )  # fmt: skip
    return IntegrationChanged(integration_id=row.id, changed=changed)


def map_tenant(
    uow: UnitOfWork, actor: Actor, integration_id: str, value: str, target: str | None, *, reason: str
) -> IntegrationChanged:
    """Let a value in the bodies of an MSP-wide integration stand for a client, or for nobody any more."""
    row = _row(uow, actor, integration_id)
    require(actor, Permission.ADMINISTER, row.company_id)
    if not row.tenant_field:
        raise Conflict(
            f"{row.id} belongs to one client",
            hint=f"for many:  siems integration add {row.tool} --company msp --tenant-field FIELD",
        )
    value = value.strip()
    if not 0 < len(value) <= 255:
        raise InvalidField("a value has 1 to 255 characters")
    if target is not None:
        uow.company(target)
    same = (t.tenant.c.integration_id == row.id, t.tenant.c.value == value)
    before = uow.connection.execute(select(t.tenant.c.target_id).where(*same)).scalar()
    if before != target:
        uow.connection.execute(delete(t.tenant).where(*same))
        if target is not None:
            uow.connection.execute(
                t.tenant.insert().values(
                    integration_id=row.id, value=value, company_id=row.company_id, target_id=target
                )
            )
        uow.emit(
            Recorded(
                type="integration.mapped", actor=actor, company_id=row.company_id, object=row.id, reason=reason,
                details={"value": value, "from": before, "to": target},
            )
        )  # fmt: skip
    return IntegrationChanged(integration_id=row.id, changed=before != target)
