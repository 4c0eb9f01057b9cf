"""Slack: one message per incident that updates in place, with buttons; by a bot, or by an incoming webhook."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from siems.channels import Accepted, Destination, Message, Refused, TryLater
from siems.channels.calling import Call, Http, Reply, settle, word
from siems.channels.outward import Outward
from siems.channels.rendering import COLOURS, body_lines, members, one_line, title
from siems.config import Settings
from siems.errors import InvalidField

PROVIDER = "Slack"
ACTION = "siems:{verb}:{reply}"
"""The action id of a button: `siems:ack:12`."""
AT_ONCE = frozenset({"ack", "escalate"})
"""What a button does by itself; resolving asks for words, so its button opens the page."""
GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
"""The message that was to be replaced is no more: a new one is posted."""
BUSY = frozenset({
    "ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout",
    "team_added_to_org", "message_limit_exceeded",
})  # fmt: skip
_CHANNEL = re.compile(r"[CDGU][A-Z0-9]{6,20}|#[\w.-]{1,80}")
SECTION = 2_800
MEMBERS = 30


class Slack:
    """`C0123ABCD`, `#channel`, a member's id (U…), or the URL of an incoming webhook."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.slack.url.rstrip("/")
        self._token = settings.slack.token.get_secret_value()
        self._pressed = bool(settings.slack.signing_secret.get_secret_value())
        self._http = Http(PROVIDER)
        self._outward = Outward(settings.webhooks, PROVIDER)

    def check(self, address: str, options: Mapping[str, str]) -> str:
        found = address.strip()
        if "://" in found:
            return self._outward.check(found, options)
        if not _CHANNEL.fullmatch(found):
            raise InvalidField(f"{one_line(found, 60)!r} is no channel of Slack", hint="C0123ABCD, #channel or a URL")
        if not self._token:
            raise InvalidField("a channel of Slack needs the bot's token", hint="token in [slack], or a webhook's URL")
        return found

    async def send(self, message: Message, to: Destination) -> Accepted:
        if "://" in to.address:
            return await self._hooked(message, to)
        channel, _, stamp = message.update_of.partition(":")
        if stamp:
            try:
                replaced = await self._asked("chat.update", {"channel": channel, "ts": stamp, **self._card(message)})
            except _Gone:
                pass
            else:
                if message.pages:  # a message that changes makes no sound: a line below it does
                    below = {"channel": channel, "thread_ts": stamp, "text": _text(title(message)), **_QUIET}
                    await self._asked("chat.postMessage", below)
                return replaced
        posted = {"channel": to.address, **self._card(message), **_QUIET}
        posted["metadata"] = {"event_type": "siems_message", "event_payload": {"key": message.key}}
        return await self._asked("chat.postMessage", posted)

    async def _asked(self, method: str, body: Mapping[str, Any]) -> Accepted:
        if not self._token:
            raise Refused(f"{PROVIDER}: there is no token in [slack]")
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json; charset=utf-8"}
        reply = await self._http.post(Call(url=f"{self._url}/{method}", content=_json(body), headers=headers))
        settle(reply, PROVIDER, why=word(reply.json().get("error", "")))
        return _accepted(reply)

    def _card(self, message: Message) -> dict[str, Any]:
        return card(message, pressed=self._pressed)

    async def _hooked(self, message: Message, to: Destination) -> Accepted:
        call = Call(url=to.address, content=_json(card(message)), headers={"Content-Type": "application/json"})
        reply = await self._outward.post(call, to.options)
        settle(reply, PROVIDER, why=word(reply.body[:100].decode("utf-8", "replace")))
        return Accepted()

    async def close(self) -> None:
        await self._http.close()
        await self._outward.close()


class _Gone(Exception):
    pass


_QUIET = {"unfurl_links": False, "unfurl_media": False}


def _accepted(reply: Reply) -> Accepted:
    """Slack says no with 200: what counts is `ok`. Raises Refused, TryLater."""
    said = reply.json()
    if said.get("ok") is True:
        return Accepted(message_id=f"{said.get('channel', '')}:{said.get('ts', '')}")
    error = word(said.get("error") or "an answer that is none")
    if error in GONE:
        raise _Gone(error)
    if error in BUSY or not said.get("error"):
        raise TryLater(f"{PROVIDER}: {error}", reply.retry_after)
    raise Refused(f"{PROVIDER}: {error}")


def card(message: Message, *, pressed: bool = False) -> dict[str, Any]:
    """`text` for notifications and `attachments` with the blocks; no foreign text can mention anybody or link.

    `pressed`: Slack tells us of buttons, so those that need no words act at once instead of opening a page.
    """
    head = f"*{message.severity.name}* {_text(one_line(message.company, 60))} {_text(one_line(message.object, 40))}"
    blocks: list[dict[str, Any]] = [_section(f"{head.strip()}\n*{_text(one_line(message.subject))}*")]
    if message.lines:
        blocks.append(_section(_joined(members(message)[:MEMBERS])))
    if message.text:
        blocks.append(_section(_joined(body_lines(message, 300))))
    buttons = [
        _button(
            a.label,
            "" if pressed and a.verb in AT_ONCE and message.reply else a.url,
            ACTION.format(verb=a.verb, reply=message.reply),
            a.verb,
        )
        for a in message.answers
    ]
    if message.url:
        buttons.append(_button("Open", message.url, "siems:open", ""))
    if buttons:
        blocks.append({"type": "actions", "elements": buttons[:25]})
    fallback = _text(title(message))
    return {"text": fallback, "attachments": [
        {"color": COLOURS[message.severity.name], "fallback": fallback, "blocks": blocks},
    ]}  # fmt: skip


def after(message: Mapping[str, Any], action: str, lines: Iterable[str]) -> dict[str, Any]:
    """A message as Slack gave it back, with what became of a button instead of the button."""
    text = plain_text("\n".join(lines))
    found = message.get("attachments")
    first = found[0] if isinstance(found, list) and found and isinstance(found[0], dict) else {}
    blocks: list[dict[str, Any]] = []
    for block in first.get("blocks") or []:
        if isinstance(block, dict) and block.get("type") == "section":
            blocks.append(block)
        elif isinstance(block, dict) and block.get("type") == "actions":
            left = [b for b in block.get("elements") or [] if isinstance(b, dict) and b.get("action_id") != action]
            blocks += [_section(text), *([block | {"elements": left}] if left else [])]
            text = ""
    blocks += [_section(text)] if text else []
    frame = {name: first[name] for name in ("color", "fallback") if isinstance(first.get(name), str)}
    shown = message.get("text")
    return {"text": shown if isinstance(shown, str) else "", "attachments": [frame | {"blocks": blocks}]}


def plain_text(text: str) -> str:
    """Foreign text for Slack, line by line: it mentions nobody and links to nothing."""
    return _joined([one_line(line, SECTION) for line in text.split("\n")])


def _button(label: str, url: str, action: str, verb: str) -> dict[str, Any]:
    text = {"type": "plain_text", "text": one_line(label, 75), "emoji": False}
    made: dict[str, Any] = {"type": "button", "text": text, "action_id": action[:255]}
    made |= {"url": url[:3_000]} if url else {}
    return made | ({"style": "primary"} if verb == "ack" else {})


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _joined(lines: list[str]) -> str:
    """Lines escaped one by one, so that the cut never falls into an escape."""
    kept, room = [], SECTION
    for line in lines:
        shown = _text(line)
        if len(shown) + 1 > room:
            kept.append("…")
            break
        kept.append(shown)
        room -= len(shown) + 1
    return "\n".join(kept) or " "


_MARKS = str.maketrans({"*": "∗", "~": "∼", "`": "ˋ"})


def _text(text: str) -> str:
    """Escaped for mrkdwn: `&`, `<` and `>` as Slack asks for, marks as signs that look like them."""
    plain = text.encode("utf-8", "replace").decode().translate(_MARKS)
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
