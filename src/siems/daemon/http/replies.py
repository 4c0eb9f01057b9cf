"""Where Twilio, Amazon and Slack bring what people answer; each proves itself by its signature, nobody logs in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from functools import partial
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import structlog
from aiohttp import web

from siems.channels import Refused, TryLater, slack_signature, twilio_signature, voice
from siems.channels.rendering import cut
from siems.channels.sms import Sms
from siems.daemon.amazon import envelope
from siems.daemon.http import slack_buttons
from siems.daemon.http.middleware import BODY_SECONDS, RUNTIME, address_of, not_draining
from siems.daemon.runtime import Runtime
from siems.domain.replies import Reply, replies
from siems.errors import Forbidden, RateLimited, SiemsError, TooLarge, UsageError
from siems.present import safe
from siems.services import replying
from siems.services.replying import Heard, Sender
from siems.vocabulary import MSP

log = structlog.get_logger()

LARGEST = 65_536
SAID = 1_500
"""Characters of a text message that answers; Twilio takes 1600."""
FORGERIES = 20
"""A minute, of one address: a wrong signature costs no more than that."""
UNKNOWN = "This number is not known here. Nothing was done."
HOW = "That was not understood. Answer 12a to acknowledge INC-12, 12r TEXT to resolve it, 12e to escalate it."
SECONDS_TO_SAY = 8.0


# --- Twilio ----------------------------------------------------------------------------------------------------


async def twilio_sms(request: web.Request) -> web.Response:
    """A text message has come: do what it says, and answer with a sentence for each object."""
    runtime = request.app[RUNTIME]
    not_draining(runtime)
    form = await _by_twilio(request)
    if form is None:
        return _twiml("", status=403)
    number = form.get("From", "")
    key = f"twilio:{form.get('MessageSid', '')}"
    said, _ = await _texted(runtime, number, form.get("Body", ""), key)
    return _twiml(f"<Message>{escape(said)}</Message>" if said else "")


async def twilio_keys(request: web.Request) -> web.Response:
    """A key was pressed in a call: 4 acknowledges, 6 escalates, others are asked for again."""
    runtime = request.app[RUNTIME]
    not_draining(runtime)
    form = await _by_twilio(request)
    if form is None:
        return _twiml("", status=403)
    settings, query, digits = runtime.settings, request.query, form.get("Digits", "")
    name, key, language = query.get("reply", ""), query.get("key", ""), runtime.settings.voice.language
    found = replies(f"{name}a")
    sender = await runtime.database.read(replying.called, key, found[0].object) if len(found) == 1 else None
    if sender is None:
        return _xml(voice.thanks("This call cannot be answered any more. Nothing was done.", language=language))
    verb = voice.VERBS.get(digits, "")
    if not verb or (verb != "ack" and not found[0].object.startswith("INC-")):
        url = settings.public_url + voice.KEYS_PATH
        return _xml(voice.again("This key does nothing", reply=name, key=key, answer_url=url, language=language))
    once = f"twilio:{form.get('CallSid', '')}:{name}:{digits}"
    heard = await _heard(runtime, [sender], [Reply(number=found[0].number, verb=verb)], by="call", key=once)
    return _xml(voice.thanks(_aloud(heard), language=language))


def _aloud(heard: Heard) -> str:
    """Few words: who was called at night hears how many, not ten titles."""
    if len(heard.lines) <= 1:
        return " ".join(heard.lines)
    return f"{len(heard.lines)} were answered. The first: {heard.lines[0]}"


async def _by_twilio(request: web.Request) -> dict[str, str] | None:
    """The form of a request that Twilio has signed; None for every other."""
    settings = request.app[RUNTIME].settings
    body = await _body(request)
    try:
        text = body.decode("utf-8", "surrogateescape")
        pairs = parse_qsl(text, keep_blank_values=True, errors="surrogateescape", max_num_fields=300)
    except ValueError:
        pairs = []
    token, given = settings.twilio.token.get_secret_value(), request.headers.get("X-Twilio-Signature", "")
    if not twilio_signature.right(token, settings.public_url + request.raw_path, pairs, given):
        _forged(request, "twilio")
        return None
    return {name: _plain(value) for name, value in pairs}


def _twiml(inner: str, *, status: int = 200) -> web.Response:
    return _xml(f'<?xml version="1.0" encoding="UTF-8"?><Response>{inner}</Response>', status=status)


def _xml(text: str, *, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/xml", headers={"Cache-Control": "no-store"})


# --- Amazon ----------------------------------------------------------------------------------------------------


async def aws_sms(request: web.Request) -> web.Response:
    """A text message by the topic of two-way messages. Everybody has topics that Amazon signs: only ours counts."""
    runtime = request.app[RUNTIME]
    not_draining(runtime)
    message = envelope(await _body(request))
    topic = runtime.settings.sms.topic
    if message is None or not topic or message.get("TopicArn") != topic or await runtime.amazon.doubts(message):
        _forged(request, "amazon")
        raise Forbidden("this is no message of the topic in [sms]", hint="topic in [sms] of siems.toml")
    if message.get("Type") == "SubscriptionConfirmation":
        await runtime.amazon.confirm(str(message["SubscribeURL"]))
    if message.get("Type") != "Notification":
        return web.Response(status=200)
    try:
        inner = json.loads(str(message["Message"]))
        number, text = inner["originationNumber"], inner["messageBody"]
    except (ValueError, KeyError, TypeError, RecursionError) as why:
        raise UsageError("this is no text message: originationNumber and messageBody are missing") from why
    said, known = await _texted(runtime, _plain(str(number)), _plain(str(text)), f"sns:{message['MessageId']}")
    if said and known:  # a stranger is not written to at our cost
        await _say(runtime, said, _plain(str(number)))
    return web.Response(status=200)


async def _say(runtime: Runtime, text: str, number: str) -> None:
    """Amazon's topic takes no answer: what became of it is a message of its own. What was done is done without."""
    try:
        channel = runtime.delivering.channel("sms")
        if isinstance(channel, Sms):
            async with asyncio.timeout(SECONDS_TO_SAY):
                await channel.say(text, number)
    except (SiemsError, Refused, TryLater, TimeoutError) as why:
        log.warning("reply.not_told", why=str(why) or type(why).__name__)


# --- Slack -----------------------------------------------------------------------------------------------------


async def slack_actions(request: web.Request) -> web.Response:
    """Buttons were pressed. Slack wants an empty answer at once, and what became of it at the address it names."""
    runtime = request.app[RUNTIME]
    not_draining(runtime)
    body = await _body(request)
    secret = runtime.settings.slack.signing_secret.get_secret_value()
    stamp = request.headers.get("X-Slack-Request-Timestamp", "")
    given = request.headers.get("X-Slack-Signature", "")
    if not slack_signature.right(secret, stamp, body, given, now=runtime.clock.now()):
        _forged(request, "slack")
        raise Forbidden("this was not signed by Slack", hint="signing_secret in [slack] of siems.toml")
    pressed = slack_buttons.read(body)
    for one in pressed:
        senders = await runtime.repliers.by_slack(one.member)
        if not senders:
            answer: dict[str, Any] = slack_buttons.aside(slack_buttons.unknown(one.member))
        else:
            heard = await _heard(runtime, senders, [one.reply], by="slack", key=f"slack:{one.key}")
            answer = one.updated(heard.lines) if heard.changed else slack_buttons.aside("\n".join(heard.lines))
        await slack_buttons.respond(one.url, answer, runtime.settings.slack.url)
    return web.Response(status=200)


# --- all of them -----------------------------------------------------------------------------------------------


async def _texted(runtime: Runtime, number: str, text: str, key: str) -> tuple[str, bool]:
    """(what a text message is answered with, whether somebody has this number)."""
    senders = await runtime.repliers.by_phone(number)
    found = replies(text) if senders else []
    if found:
        heard = await _heard(runtime, senders, found, by="sms", key=key)
        return cut(safe(" ".join(heard.lines)), SAID), True
    bucket = runtime.limiter.bucket(f"told:{number}", per_minute=2, burst=3)
    if bucket.wait:  # two machines could go on like this for ever
        return "", bool(senders)
    bucket.tokens -= 1
    return (HOW if senders else UNKNOWN), bool(senders)


async def _heard(runtime: Runtime, senders: Sequence[Sender], said: Sequence[Reply], *, by: str, key: str) -> Heard:
    """Done, or told what was done when the provider asks again."""
    database = runtime.database
    companies = await database.read(replying.companies_of, [reply.object for reply in said[: replying.MOST]])
    work = partial(replying.hear, senders=senders, said=said, by=by, key=key)
    return await database.write(work, companies=tuple(companies) or (MSP,))


def _plain(text: str) -> str:
    """Text from outside without signs that are none: what is no UTF-8, NUL, and others that nobody types."""
    whole = text.encode("utf-8", "replace").decode()
    return "".join(c for c in whole if c in "\r\n" or c.isprintable())


async def _body(request: web.Request) -> bytes:
    """A small body. Raises TooLarge, and UsageError when it does not come in time."""
    found = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.content.iter_any():
                found += part
                if len(found) > LARGEST:
                    raise TooLarge("an answer is not as large as that")
    except TimeoutError as why:
        raise UsageError(f"the body did not come within {BODY_SECONDS:.0f} s", hint="try again") from why
    return bytes(found)


def _forged(request: web.Request, provider: str) -> None:
    """Count a request that was not signed. Raises RateLimited; what is signed right never waits for forgers."""
    address = address_of(request)
    bucket = request.app[RUNTIME].limiter.bucket(f"replies:{address}", per_minute=FORGERIES, burst=FORGERIES)
    if bucket.wait:
        raise RateLimited("too many requests without a right signature", retry_after=bucket.wait)
    bucket.tokens -= 1
    log.warning("reply.not_signed", provider=provider, address=address)


ADDRESSES: tuple[tuple[str, str, Any], ...] = (
    ("POST", "/api/twilio/sms", twilio_sms),
    ("POST", voice.KEYS_PATH, twilio_keys),
    ("POST", "/api/aws/sms", aws_sms),
    ("POST", "/api/slack/actions", slack_actions),
)
