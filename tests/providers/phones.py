"""Twilio: its REST for text messages and calls, with its errors and limits."""

from __future__ import annotations

from base64 import b64encode

from aiohttp import web

from . import Provider, Seen, Trouble

ACCOUNT, TOKEN = "AC" + "0" * 30 + "42", "twilio-canary-token"
NUMBER = "+15005550006"
LIMIT = Trouble(
    status=429, headers={"Retry-After": "3"}, body={"code": 20429, "message": "Too Many Requests", "status": 429}
)


class Twilio(Provider):
    """`landlines` take no text messages (21614)."""

    def __init__(self, account: str = ACCOUNT, token: str = TOKEN) -> None:
        super().__init__()
        self.account, self.token = account, token
        self.landlines: set[str] = set()

    @property
    def texts(self) -> list[tuple[str, str]]:
        """(number, text) of what was taken."""
        return [(seen.form["To"], seen.form["Body"]) for seen in self.taken if seen.path.endswith("/Messages.json")]

    @property
    def calls(self) -> list[tuple[str, str]]:
        """(number, TwiML)."""
        return [(seen.form["To"], seen.form["Twiml"]) for seen in self.taken if seen.path.endswith("/Calls.json")]

    async def answer(self, seen: Seen) -> web.Response:
        wanted = "Basic " + b64encode(f"{self.account}:{self.token}".encode()).decode()
        if seen.headers.get("Authorization") != wanted:
            return _error(401, 20003, "Authenticate")
        root = f"/2010-04-01/Accounts/{self.account}"
        form = seen.form
        if seen.path not in (f"{root}/Messages.json", f"{root}/Calls.json"):
            return _error(404, 20404, "The requested resource was not found")
        if not form.get("To", "").startswith("+"):
            return _error(400, 21211, f"Invalid 'To' Phone Number: {form.get('To')}")
        if "From" not in form and "MessagingServiceSid" not in form:
            return _error(400, 21603, "A 'From' phone number is required.")
        kind = "SM" if seen.path.endswith("/Messages.json") else "CA"
        if kind == "SM" and form["To"] in self.landlines:
            return _error(400, 21614, "'To' number is not a valid mobile number")
        if kind == "SM" and len(form.get("Body", "")) > 1_600:
            return _error(400, 21617, "The concatenated message body exceeds the 1600 character limit")
        if kind == "CA" and not 0 < len(form.get("Twiml", "")) <= 4_000:
            return _error(400, 21205, "Url or Twiml is needed, of at most 4000 characters")
        return web.json_response(
            {"sid": f"{kind}{self.take(seen):032d}", "status": "queued", "error_code": None}, status=201
        )


def _error(status: int, code: int, message: str) -> web.Response:
    return web.json_response({"code": code, "message": message, "status": status}, status=status)
