"""Slack's Web API and its incoming webhooks: errors come with 200, limits with 429."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from . import Provider, Seen, Trouble

TOKEN = "xoxb-canary-token"
HOOK = "/services/T000/B000/canaryhook"
LIMIT = Trouble(status=429, body={"ok": False, "error": "ratelimited"}, headers={"Retry-After": "7"})


class Slack(Provider):
    """Knows the channels in `channels`; `messages` is what can be read there, by (channel, ts)."""

    def __init__(self, token: str = TOKEN) -> None:
        super().__init__()
        self.token = token
        self.channels = {"C0ACME001": "C0ACME001", "#acme": "C0ACME001", "U0SARAH01": "D0SARAH01"}
        self.messages: dict[tuple[str, str], dict[str, Any]] = {}
        self.responses: list[dict[str, Any]] = []
        """What came to the address of a pressed button."""

    @property
    def hook(self) -> str:
        return self.url + HOOK

    async def answer(self, seen: Seen) -> web.Response:
        if seen.path.startswith("/services/"):
            if seen.path != HOOK:
                return web.Response(status=404, text="no_service")
            self.take(seen)
            return web.Response(text="ok")
        if seen.path.startswith("/actions/"):
            self.responses.append(seen.json)
            return web.Response(text="ok")
        if seen.headers.get("Authorization") != f"Bearer {self.token}":
            return _no("invalid_auth")
        body = seen.json
        match seen.path:
            case "/chat.postMessage":
                channel = self.channels.get(body["channel"]) or (
                    body["channel"] if body["channel"] in self.channels.values() else ""
                )
                if not channel:
                    return _no("channel_not_found")
                stamp = f"1773144000.{self.take(seen):06d}"
            case "/chat.update":
                channel, stamp = body["channel"], body["ts"]
                if (channel, stamp) not in self.messages:
                    return _no("message_not_found")
                self.take(seen)
            case _:
                return _no("unknown_method")
        self.messages[channel, stamp] = body
        return web.json_response({"ok": True, "channel": channel, "ts": stamp})


def _no(error: str) -> web.Response:
    return web.json_response({"ok": False, "error": error})
