"""Integrations over HTTP, and the tools that they are for: how each is set up to send here."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from siems import wire
from siems.daemon.http.call import Call, encode, items_of
from siems.daemon.http.middleware import answer
from siems.daemon.keyring import Entry
from siems.domain.integration import Opening, Terms
from siems.domain.letter_rules import rules_from
from siems.domain.particulars import EMAIL, NONE, QUEUE, Particulars, particulars_from, queue_from
from siems.domain.permissions import Permission, missing, require_role
from siems.domain.signature import SIEMS
from siems.errors import InvalidField
from siems.services import directory, integrations, ways
from siems.services.integrations import webhook_url
from siems.sources import SOURCES, Setup, Tool
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP, Signing

KEY, SECRET = "YOUR-KEY", "YOUR-SECRET"
"""What stands in instructions where a key would be that is kept as a hash."""


# --- tools -----------------------------------------------------------------------------------------------------


async def list_tools(call: Call) -> web.Response:
    require_role(call.actor, Permission.SEE)
    return items_of(await asyncio.to_thread(lambda: [_tool_view(SOURCES.get(name)) for name in SOURCES]))


async def show_tool(call: Call) -> web.Response:
    require_role(call.actor, Permission.SEE)
    return answer(_tool_view(SOURCES.get(call.path("ref"))))


def _tool_view(tool: Tool) -> wire.ToolView:
    values = {
        "url": f"URL of {tool.title} in siems", "base": "the address of siems", "key": KEY, "secret": SECRET,
        "address": "the address that siems makes", "source": "aws-cloudwatch",
    }  # fmt: skip
    return wire.ToolView(
        name=tool.name, title=tool.title, signs="" if tool.signing is None else tool.signing.told(),
        proves=tool.proves, tenant=tool.tenant, aliases=SOURCES.aliases(tool.name),
        setup=_setup_view(tool.setup, values | {"integration": "INTEGRATION", "company": "COMPANY"}),
    )  # fmt: skip


def _setup_view(setup: Setup, values: dict[str, str]) -> wire.SetupView:
    filled = setup.filled(values)
    return wire.SetupView(
        steps=list(filled.steps), snippet=filled.snippet, snippet_name=filled.snippet_name, docs=filled.docs
    )  # fmt: skip


# --- looking ---------------------------------------------------------------------------------------------------


async def list_integrations(call: Call) -> web.Response:
    require_role(call.actor, Permission.COMPANY_SETTINGS)
    await call.runtime.flush_sightings()
    found = await call.read(ways.list_integrations, call.actor, call.runtime.clock.now())
    known = call.runtime.keyring.by_integration()
    return items_of([_addressed(call, view, known) for view in found])


async def show_integration(call: Call) -> web.Response:
    row = await call.read(ways.find_integration, call.path("ref"), call.actor)
    await call.runtime.flush_sightings()
    view = await call.read(ways.show_integration, row.id, call.runtime.clock.now())
    return answer(_addressed(call, view, call.runtime.keyring.by_integration()))


def _addressed(call: Call, view: wire.IntegrationView, known: Mapping[str, Entry]) -> wire.IntegrationView:
    """With what only the daemon knows: where it is reached, and how much it takes."""
    if (entry := known.get(view.id)) is not None:
        view.rate_in_force, view.burst = call.runtime.intake.rate_of(entry, SOURCES.get(view.tool))
    if view.tool == EMAIL and call.runtime.settings.mail_ingest.enabled:
        view.mail_domain = call.runtime.settings.mail_ingest.domain
    view.webhook_url = webhook_url(call.runtime.public_url, view.tool)
    return view


async def integration_setup(call: Call) -> web.Response:
    """The steps for an integration that is there: its key is a hash, so another word stands for it."""
    row = await call.read(ways.find_integration, call.path("ref"), call.actor)
    tool = SOURCES.get(row.tool)
    url = webhook_url(call.runtime.public_url, row.tool)
    made = wire.IntegrationAdded(
        integration_id=row.id, company_id=row.company_id, tool=row.tool, signing=row.signing, api_key=None,
        hmac_secret=None, webhook_url=f"{url}?api_key={KEY}" if _key_in_url(tool, row.signing) else url,
        awaits_secret=row.signing == Signing.REQUIRED.value and row.secret is None,
    )  # fmt: skip
    return answer(_with_setup(call, tool, made, particulars_from(row.particulars)))


def _with_setup(
    call: Call, tool: Tool, made: wire.IntegrationAdded, particulars: Particulars = NONE
) -> wire.IntegrationAdded:
    mail, queue = call.runtime.settings.mail_ingest, particulars.queue
    made.queue_url = "" if queue is None else queue.url
    if tool.name == QUEUE:  # nobody sends anything: there is a key only because every integration has one
        made.api_key, made.webhook_url = None, ""
    if tool.name == EMAIL and mail.enabled and mail.domain:
        made.mail_address = f"{made.api_key or KEY}@{mail.domain}"
    values = {
        "address": made.mail_address or f"{made.api_key or KEY}@YOUR-MAIL-DOMAIN",
        "url": made.queue_url or made.webhook_url, "key": made.api_key or KEY, "secret": made.hmac_secret or SECRET,
        "base": made.webhook_url.partition("/api/")[0], "integration": made.integration_id,
        "company": made.company_id.removeprefix("comp-"), "source": "" if queue is None else queue.source,
    }  # fmt: skip
    made.setup = _setup_view(tool.setup, values)
    return made


# --- changing --------------------------------------------------------------------------------------------------


def _key_in_url(tool: Tool, signing: str) -> bool:
    """Whether the URL holds the key: only who speaks the contract of siems sends it in a header."""
    return tool.signing != SIEMS or signing == Signing.NONE.value


def _particulars(call: Call, tool: Tool, ask: wire.IntegrationAsk) -> Particulars:
    """The rules of mail and the queue that were asked for. Raises InvalidField."""
    if (tool.name == QUEUE) != (ask.queue is not None):
        raise InvalidField(
            "which queue?" if ask.queue is None else f"{tool.title} has no queue",
            hint="siems integration add sqs --company acme --queue-url URL --source aws-cloudwatch",
        )
    if ask.rules is not None and tool.name != EMAIL:
        raise InvalidField(f"{tool.title} has no rules: they are for mail", hint="leave --rules-file out")
    if tool.name == EMAIL and ask.company.strip().lower() == MSP:
        raise InvalidField("an address is of one client", hint="--company acme")
    if ask.queue is None:
        return Particulars(rules=rules_from(ask.rules or []))
    q, source = ask.queue, SOURCES.get(ask.queue.source)
    endpoint = call.runtime.settings.aws.endpoint_url
    return Particulars(
        queue=queue_from(q.url, q.region, q.role_arn, q.external_id, source.name, endpoint=endpoint)
    )  # fmt: skip


def _opening(tool: Tool, ask: wire.IntegrationAsk, particulars: Particulars) -> Opening:
    """What is asked for, by what the tool can do. Raises InvalidField."""
    scheme = tool.signing
    if ask.sign and scheme is None:
        raise InvalidField(
            f"{tool.title} cannot sign its requests", hint="leave --sign out, and limit who may send:  --allow-cidr"
        )
    signs = scheme is not None and ask.sign is not False
    if ask.secret is not None and not signs:
        raise InvalidField(f"{tool.title} gets no secret, since it does not sign", hint="leave --secret-file out")
    field = (ask.tenant_field or tool.tenant) if ask.company.strip().lower() == MSP else ask.tenant_field
    if ask.company.strip().lower() == MSP and not field:
        raise InvalidField(
            f"which field of {tool.title}'s bodies names the client?", hint="--tenant-field organizationId"
        )
    signing = Signing.REQUIRED if signs else Signing.NONE
    return Opening(
        tool=tool.name, signing=signing, secret=ask.secret,
        awaits_secret=signs and scheme is not None and scheme.given and ask.secret is None,
        key_in_url=_key_in_url(tool, signing.value), tenant_field=field.strip()[:255],
        terms=Terms(
            name=ask.name, rate_per_minute=ask.rate_per_minute, networks=tuple(ask.networks),
            expires_at=ask.expires_at,
        ),
        particulars=particulars,
    )  # fmt: skip


async def add_integration(call: Call) -> web.Response:
    ask = await call.body(wire.IntegrationAsk)
    company_id = await _company(call, ask.company)
    tool = SOURCES.get(ask.tool)
    opening = _opening(tool, ask, _particulars(call, tool, ask))
    runtime = call.runtime

    def verb(uow: UnitOfWork) -> bytes:
        made = integrations.add(
            uow, call.actor, company_id, opening, runtime.vault, runtime.public_url, ask.reason
        )  # fmt: skip
        return encode(_with_setup(call, tool, made, opening.particulars))

    return await call.write_secret(verb, company=company_id)


async def _company(call: Call, ref: str) -> str:
    if ref.strip().lower() == MSP:
        if not call.actor.sees(MSP):
            raise missing(f"company {ref[:64]!r}")
        return MSP
    return await call.read(directory.find_company, ref, call.actor)


async def edit_integration(call: Call) -> web.Response:
    ask = await call.body(wire.IntegrationEdit)
    row = await call.read(ways.find_integration, call.path("ref"), call.actor)
    return await _change(call, row, lambda uow: integrations.edit(uow, call.actor, row.id, ask))


async def rotate_integration(call: Call) -> web.Response:
    ask = await call.body(wire.RotateAsk)
    row = await call.read(ways.find_integration, call.path("ref"), call.actor)
    tool, runtime = SOURCES.get(row.tool), call.runtime
    given = tool.signing is not None and tool.signing.given

    def verb(uow: UnitOfWork) -> bytes:
        made = integrations.rotate(
            uow, call.actor, row.id, ask, runtime.vault, runtime.public_url,
            key_in_url=_key_in_url(tool, row.signing), given=given,
        )  # fmt: skip
        return encode(_with_setup(call, tool, made, particulars_from(row.particulars)))

    return await call.write_secret(verb, company=row.company_id)


async def revoke_integration(call: Call) -> web.Response:
    ask = await call.body(wire.RevokeAsk)
    row = await call.read(ways.find_integration, call.path("ref"), call.actor)
    return await _change(
        call, row, lambda uow: integrations.revoke(uow, call.actor, row.id, old=ask.old, reason=ask.reason)
    )


async def map_tenant(call: Call) -> web.Response:
    ask = await call.body(wire.TenantAsk)
    row = await call.read(ways.find_integration, call.path("ref"), call.actor)
    require_role(call.actor, Permission.ADMINISTER)
    target = await call.read(directory.find_company, ask.company, call.actor) if ask.company else None
    return await _change(
        call,
        row,
        lambda uow: integrations.map_tenant(uow, call.actor, row.id, ask.value, target, reason=ask.reason),
    )


async def _change(call: Call, row: Any, work: Any) -> web.Response:
    response = await call.write(lambda uow: encode(work(uow)), company=row.company_id)
    await call.runtime.reload_keys()
    return response
