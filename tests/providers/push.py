"""ntfy, Pushover, a workflow of Teams, and the push service of a browser."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from . import Provider, Seen

USER = "u" * 30


class Ntfy(Provider):
    """A server of ntfy; with a `token` only who has it may publish."""

    def __init__(self, token: str = "") -> None:
        super().__init__()
        self.token = token

    async def answer(self, seen: Seen) -> web.Response:
        if self.token and seen.headers.get("Authorization") != f"Bearer {self.token}":
            return web.json_response({"code": 40301, "http": 403, "error": "forbidden"}, status=403)
        if len(seen.json.get("message", "").encode()) > 4_096 or len(seen.json.get("actions", [])) > 3:
            return web.json_response({"code": 40001, "http": 400, "error": "invalid request"}, status=400)
        return web.json_response({"id": f"n{self.take(seen)}", "event": "message", "topic": seen.json["topic"]})


class Pushover(Provider):
    """Knows one application and one user."""

    def __init__(self, token: str = "pushover-canary-token") -> None:
        super().__init__()
        self.token = token

    async def answer(self, seen: Seen) -> web.Response:
        form = seen.form
        if form.get("token") != self.token:
            return _no("application token is invalid")
        if form.get("user") != USER:
            return _no("user identifier is not a valid user, group, or subscribed user key")
        if not 0 < len(form.get("message", "")) <= 1_024 or len(form.get("title", "")) > 250:
            return _no("message is too long")
        if form.get("priority") == "2" and not {"retry", "expire"} <= form.keys():
            return _no("expire must be supplied with priority=2")
        return web.json_response({"status": 1, "request": f"req-{self.take(seen)}"})


def _no(error: str) -> web.Response:
    return web.json_response({"status": 0, "errors": [error], "request": "req-0"}, status=400)


class Teams(Provider):
    """A workflow: 202 for a card."""

    async def answer(self, seen: Seen) -> web.Response:
        card: Any = seen.json["attachments"][0]
        if card["contentType"] != "application/vnd.microsoft.card.adaptive" or len(seen.body) > 28_000:
            return web.Response(status=400)
        return web.Response(status=202, headers={"x-ms-workflow-run-id": f"run-{self.take(seen)}"})
