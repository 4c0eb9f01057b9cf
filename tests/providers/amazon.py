"""Amazon's SES and SNS over HTTP (moto), with what was sent by them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Thread
from typing import Any, Self
from urllib.request import Request, urlopen

import boto3
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

REGION = "eu-west-1"
ACCOUNT = "123456789012"


class Amazon:
    """An endpoint for both. `then(...)`: errors that the next calls meet, as (HTTP status, code)."""

    def __init__(self) -> None:
        self.url = ""
        self.troubles: list[tuple[int, str]] = []
        self.asked: list[str] = []
        self._moto = DomainDispatcherApplication(create_backend_app)

    def then(self, *troubles: tuple[int, str]) -> None:
        self.troubles.extend(troubles)

    def verify(self, address: str) -> None:
        """Let this address send mail."""
        boto3.client("ses", region_name=REGION, endpoint_url=self.url).verify_email_identity(EmailAddress=address)

    @property
    def letters(self) -> list[dict[str, Any]]:
        """Raw letters that SES has taken: `raw_data`, `destinations`, `source`."""
        backend = self._told("ses")
        return [vars(one) for one in backend.sent_messages]

    @property
    def texts(self) -> list[tuple[str, str]]:
        """(number, text) of what SNS has taken."""
        return [(number, text) for number, text, *_ in self._told("sns").sms_messages.values()]

    def _told(self, service: str) -> Any:
        from moto.backends import get_backend

        return get_backend(service)[ACCOUNT][REGION]  # type: ignore[call-overload]

    def _answer(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        self.asked.append(environ.get("HTTP_AUTHORIZATION", "").partition("/aws4_request")[0].rpartition("/")[2])
        if not self.troubles or environ["PATH_INFO"].startswith("/moto-api"):
            return self._moto(environ, start)
        status, code = self.troubles.pop(0)
        body = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
        ).encode()
        start(f"{status} No", [("Content-Type", "text/xml"), ("Content-Length", str(len(body)))])
        return [body]

    def __enter__(self) -> Self:
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        urlopen(Request(f"{self.url}/moto-api/reset", method="POST"), timeout=20).close()
        self.asked.clear()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
