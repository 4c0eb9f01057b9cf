"""How people are reached, and what was sent to them, over HTTP."""

from __future__ import annotations

import asyncio
import secrets
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from aiohttp import web

from siems import wire
from siems.channels import Destination, registry
from siems.daemon.http.call import Call, encode, items_of
from siems.daemon.http.middleware import answer
from siems.daemon.http.trying import try_once
from siems.domain.permissions import Permission, require, require_role
from siems.errors import InvalidField
from siems.services import contacts, delivered, notify_rules, reach_views
from siems.services.users import mail_of
from siems.storage.reaching import OWN_MAIL
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP

TEXT = "This is a test message of siems: you can be reached this way."


async def list_channels(call: Call) -> web.Response:
    """The channels there are, and whether the settings allow them."""
    require_role(call.actor, Permission.OWN_SESSION)
    names = call.runtime.delivering.names
    return items_of([wire.ChannelView(name=name, set_up=name in names) for name in registry])


async def _checked(call: Call, channel: str, address: str, options: dict[str, str]) -> str:
    """The address in its one form. Raises InvalidField, NotFound for no such channel, UsageError for one not set up."""
    if not address:
        raise InvalidField("an address is missing", hint="--to ADDRESS")
    opened = await asyncio.to_thread(call.runtime.delivering.channel, registry.canonical(channel))
    return opened.check(address, options)


def _secret(call: Call, channel: str, options: dict[str, str]) -> str:
    """What a webhook is signed with, where nobody has chosen: put into its options, shown once. Else nothing."""
    if channel != "webhook" or options.get("secret") or call.runtime.settings.webhooks.secret.get_secret_value():
        return ""
    options["secret"] = f"whsec_{b64encode(secrets.token_bytes(24)).decode()}"
    return options["secret"]


# --- contacts --------------------------------------------------------------------------------------------------


async def list_contacts(call: Call) -> web.Response:
    work = partial(reach_views.list_contacts, user=call.word("user"))
    return items_of(await call.read(work, call.actor, call.runtime.delivering.names))


async def add_contact(call: Call) -> web.Response:
    ask = await call.body(wire.ContactAsk)
    ask.channel = registry.canonical(ask.channel)
    secret = _secret(call, ask.channel, ask.options)
    address = await _checked(call, ask.channel, ask.address, ask.options)

    def verb(uow: UnitOfWork) -> bytes:
        view = _contact(uow, call, contacts.add_contact(uow, call.actor, ask, address, call.runtime.vault))
        view.secret = secret
        return encode(view)

    return await _created(call, verb, bool(secret))


async def _created(call: Call, verb: Callable[[UnitOfWork], bytes], secret: bool) -> web.Response:
    """What was made. With a secret it is shown once, so the answer is kept nowhere."""
    if secret:
        return await call.write_secret(verb, company=MSP)
    response = await call.write(verb, company=MSP)
    response.set_status(201)
    return response


def _contact(uow: UnitOfWork, call: Call, ref: str) -> wire.ContactView:
    uow.settle()
    uow.flush()
    row = contacts.find_contact(uow, call.actor, ref)
    every = reach_views.list_contacts(uow.connection, call.actor, call.runtime.delivering.names, user=row.user_id)
    return next(view for view in every if view.id == row.id)


async def delete_contact(call: Call) -> web.Response:
    def verb(uow: UnitOfWork) -> bytes:
        return encode({"removed": True, "rules": contacts.delete_contact(uow, call.actor, call.path("ref"))})

    return await call.write(verb, company=MSP)


async def send_code(call: Call) -> web.Response:
    """Send the code that proves a contact."""
    code = f"{secrets.randbelow(1_000_000):06d}"

    def verb(uow: UnitOfWork) -> tuple[str, str, str]:
        row = contacts.find_contact(uow, call.actor, call.path("ref"))
        contacts.keep_code(uow, row.id, code)
        return row.id, row.channel, row.address

    number, channel, sealed = await call.runtime.database.write(verb, companies=(MSP,))
    text = f"Your code for siems is {code}. It is good for 15 minutes."
    to = call.runtime.delivering.opened(sealed, call.actor.name)
    key = f"code:{number}:{secrets.token_hex(8)}"
    return answer(await try_once(call.runtime, channel, to, subject=f"siems code {code}", text=text, key=key))


async def verify_contact(call: Call) -> web.Response:
    ask = await call.body(wire.VerifyAsk)
    ref = call.path("ref")
    good = await call.runtime.database.write(
        contacts.verify_contact, call.actor, ref, ask.code, companies=(MSP,)
    )  # fmt: skip
    if not good:
        raise InvalidField("this code is wrong or too old", hint=f"get a new one:  siems notify contact verify {ref}")
    return answer({"verified": True})


# --- rules, preferences, following -----------------------------------------------------------------------------


async def list_rules(call: Call) -> web.Response:
    return items_of(await call.read(partial(reach_views.list_rules, user=call.word("user")), call.actor))


async def add_rule(call: Call) -> web.Response:
    ask = await call.body(wire.RuleAsk)
    address = ""
    if ask.channel:
        ask.channel = registry.canonical(ask.channel)
    secret = ""
    if ask.address:
        secret = _secret(call, ask.channel, ask.options)
        address = await _checked(call, ask.channel, ask.address, ask.options)

    def verb(uow: UnitOfWork) -> bytes:
        view = _rule(uow, call, notify_rules.add_rule(uow, call.actor, ask, address, call.runtime.vault))
        view.secret = secret
        return encode(view)

    return await _created(call, verb, bool(secret))


async def edit_rule(call: Call) -> web.Response:
    ask = await call.body(wire.RuleEdit)

    def verb(uow: UnitOfWork) -> bytes:
        notify_rules.edit_rule(uow, call.actor, call.path("ref"), ask)
        return encode(_rule(uow, call, call.path("ref")))

    return await call.write(verb, company=MSP)


def _rule(uow: UnitOfWork, call: Call, ref: str) -> wire.RuleView:
    uow.settle()
    uow.flush()
    number = ref.upper() if ref.upper().startswith("NR-") else f"NR-{ref}"
    return next(rule for rule in reach_views.list_rules(uow.connection, call.actor, user="") if rule.id == number)


async def delete_rule(call: Call) -> web.Response:
    def verb(uow: UnitOfWork) -> bytes:
        notify_rules.delete_rule(uow, call.actor, call.path("ref"))
        return encode({"removed": True})

    return await call.write(verb, company=MSP)


async def list_preferences(call: Call) -> web.Response:
    return items_of(await call.read(partial(reach_views.list_preferences, user=call.word("user")), call.actor))


async def set_preferences(call: Call) -> web.Response:
    ask = await call.body(wire.PreferencesAsk)

    def verb(uow: UnitOfWork) -> bytes:
        user_id = contacts.set_preferences(uow, call.actor, ask)
        uow.flush()
        [view] = reach_views.list_preferences(uow.connection, call.actor, user=user_id)
        return encode(view)

    return await call.write(verb, company=MSP)


async def list_follows(call: Call) -> web.Response:
    return items_of(await call.read(partial(reach_views.list_follows, user=call.word("user")), call.actor))


async def follow(call: Call) -> web.Response:
    ask = await call.body(wire.FollowAsk)

    def verb(uow: UnitOfWork) -> bytes:
        return encode({"changed": contacts.follow(uow, call.actor, ask)})

    return await call.write(verb, company=MSP)


# --- messages --------------------------------------------------------------------------------------------------


async def list_messages(call: Call) -> web.Response:
    work = partial(
        reach_views.list_messages, object=call.word("object"), user=call.word("user"), state=call.word("state"),
        since=call.since(), limit=call.limit(),
    )  # fmt: skip
    return items_of(await call.read(work, call.actor))


async def show_message(call: Call) -> web.Response:
    return answer(await call.read(reach_views.show_message, call.path("ref"), call.actor))


async def retry_message(call: Call) -> web.Response:
    row = await call.read(reach_views.find_message, call.path("ref"), call.actor)
    require(call.actor, Permission.WORK, row.company_id, what=call.path("ref"))

    def verb(uow: UnitOfWork) -> bytes:
        changed = delivered.retry(uow, call.actor, row.id)
        uow.flush()
        view = reach_views.show_message(uow.connection, f"MSG-{row.id}", call.actor)
        return encode({"changed": changed, "message": view})

    return await call.write(verb, company=row.company_id)


async def why(call: Call) -> web.Response:
    return items_of(await call.read(reach_views.why, call.actor, call.path("ref")))


async def would_have(call: Call) -> web.Response:
    since = call.since(timedelta(days=7))
    assert since is not None
    return items_of(await call.read(partial(reach_views.would_have, since=since), call.actor))


# --- trying a channel ------------------------------------------------------------------------------------------


async def try_channel(call: Call) -> web.Response:
    """Send a test message at once, and say what the provider answered."""
    ask = await call.body(wire.TrialAsk)
    require_role(call.actor, Permission.OWN_SESSION)
    channel, to = await _where(call, ask)
    told = {"subject": "siems: a test message", "text": TEXT, "key": f"test:{secrets.token_hex(8)}"}
    return answer(await try_once(call.runtime, channel, to, **told))


async def _where(call: Call, ask: wire.TrialAsk) -> tuple[str, Destination]:
    if ask.address:
        require_role(call.actor, Permission.ADMINISTER)  # whoever may send anywhere
        channel = registry.canonical(ask.channel)
        _secret(call, channel, ask.options)
        address = await _checked(call, channel, ask.address, ask.options)
        return channel, Destination(address=address, name=call.actor.name, options=ask.options)
    every = await call.read(
        partial(reach_views.list_contacts, user="" if ask.contact else ask.user or "@me"), call.actor,
        call.runtime.delivering.names,
    )  # fmt: skip
    wanted = ask.contact.upper()
    for contact in every:
        if (wanted and contact.id.upper() == wanted) or (not wanted and contact.channel == ask.channel.lower()):
            if contact.id.startswith(OWN_MAIL):
                return "email", Destination(address=await call.read(mail_of, contact.user_id), name=contact.user)
            sealed = await call.runtime.database.write(_sealed, call.actor, contact.id, companies=(MSP,))
            return contact.channel, call.runtime.delivering.opened(sealed, contact.user)
    hint = f"siems notify contact add --channel {ask.channel or 'sms'} --to ADDRESS"
    raise InvalidField(f"there is no contact for {ask.channel or ask.contact or 'it'}", hint=hint)


def _sealed(uow: UnitOfWork, actor: Any, ref: str) -> str:
    return str(contacts.find_contact(uow, actor, ref).address)
