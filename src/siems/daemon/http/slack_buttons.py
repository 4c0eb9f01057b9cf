"""What Slack says of pressed buttons, and what it is answered."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import structlog

from siems.channels import TryLater
from siems.channels.calling import Call, Http
from siems.channels.slack import AT_ONCE, PROVIDER, after, plain_text
from siems.domain.replies import Reply
from siems.errors import UsageError

log = structlog.get_logger()

MOST = 5
SECONDS = 2.0
"""Slack shows an error when its request is not answered within three."""
HOST = "hooks.slack.com"
_ACTION = re.compile(r"siems:(ack|escalate):([BP]?[0-9]{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Pressed:
    """One button. `url`: where Slack takes what became of it."""

    member: str
    reply: Reply
    key: str
    url: str
    action: str
    message: Mapping[str, Any]

    def updated(self, lines: Iterable[str]) -> dict[str, Any]:
        """The message as it is now: without this button, with what became of it."""
        return {"replace_original": True, **after(self.message, self.action, lines)}


def read(body: bytes) -> list[Pressed]:
    """The buttons that do something; those that lead to a page do nothing here. Raises UsageError."""
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=10)
        said = json.loads(fields["payload"][0])
        user, url, message = said["user"]["id"], said.get("response_url") or "", said.get("message") or {}
        actions = said["actions"] if said.get("type") == "block_actions" else []
        if not (isinstance(user, str) and isinstance(url, str) and isinstance(message, dict)):
            raise TypeError(said)
        found = [(str(one["action_id"]), str(one["action_ts"])) for one in actions[:MOST]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as why:
        raise UsageError("this says nothing about a button") from why
    pressed = []
    for action, at in found:
        matched = _ACTION.fullmatch(action)
        if matched and matched[1] in AT_ONCE:
            reply = Reply(number=matched[2], verb=matched[1])
            pressed.append(Pressed(user, reply, f"{user}:{at}:{action}", url, action, message))
    return pressed


def aside(text: str) -> dict[str, Any]:
    """What only the one who pressed can read."""
    return {"response_type": "ephemeral", "replace_original": False, "text": plain_text(text)}


def unknown(member: str) -> str:
    """Nobody here is this member: how to change that."""
    shown = member if re.fullmatch(r"[UW][A-Z0-9]{2,20}", member, re.ASCII) else "U..."
    return (
        "siems does not know who you are in Slack, so nothing was done. Link yourself:"
        f"  siems notify contact add --channel slack --to {shown}"
    )


async def respond(url: str, answer: Mapping[str, Any], api: str) -> None:
    """Tell Slack what became of it, at its own address and no other. What was done is done without."""
    parts, ours = urlsplit(url), urlsplit(api)
    theirs = parts.scheme == "https" and parts.netloc == HOST
    if not theirs and (parts.scheme, parts.netloc) != (ours.scheme, ours.netloc):
        return
    http = Http(PROVIDER)
    try:
        async with asyncio.timeout(SECONDS):
            content = json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace")
            headers = {"Content-Type": "application/json; charset=utf-8"}
            reply = await http.post(Call(url=url, content=content, headers=headers))
        if reply.status >= 300:
            log.warning("slack.not_told", status=reply.status)
    except (TryLater, TimeoutError) as why:
        log.warning("slack.not_told", why=str(why) or type(why).__name__)
    finally:
        await http.close()
