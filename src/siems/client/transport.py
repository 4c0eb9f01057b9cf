"""A small HTTP/1.1 over a socket, since importing an HTTP library would take longer than most commands."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable, Iterator
from io import BufferedReader
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from siems import errors, places

VERSION = "0.1.0"
READS = ("/whatif/page", "/preview", "/sla/check", "/audit/verify", "/audit/export", "/render")
"""What is posted and changes nothing."""
REHEARSED = "?dry_run=true"
"""Behind a path: the daemon tells what would come of it, and does nothing."""
MAX_ANSWER = 256 * 1024 * 1024
PIECE = 65_536
STREAM_SILENCE = 30.0
"""Seconds after which a stream is given up where nobody looks at it sooner: twice the heartbeat of older daemons."""


class Transport:
    """One daemon, one identity. Raises the errors of `errors.py`; `Unavailable` when nobody answers."""

    def __init__(
        self, url: str, *, token: str = "", socket_path: str = "", timeout: float = 10.0, via: str = "cli"
    ) -> None:
        self.url = url.rstrip("/")
        self.token = token
        self.token_from = ""
        self.socket_path = socket_path
        self.timeout = timeout
        self.via = via
        self.context = "local"
        self.read_only = False
        self.guard: Callable[[], None] | None = None
        self.dry_run = False
        self.debug = False
        self.came = 0
        """Bytes that have come so far, by whatever connection: where it stands still, so does the link."""

    def deliver(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Post a body as a tool would; (status, the answer). Raises Unavailable when nobody answers."""
        status, _, content = self._exchange("POST", path, body, headers)
        return status, json.loads(content) if content else {}

    def server_time(self) -> str:
        """What the daemon's clock shows, RFC 3339."""
        _, headers, _ = self._exchange("GET", "/readyz", None, {})
        return headers.get("x-server-time", "")

    def ready(self) -> bool:
        """Whether a daemon answers and can take alerts."""
        try:
            self._call("GET", "/readyz", None, prefix="")
        except errors.SiemsError:
            return False
        return True

    def events(self, *, cursor: str = "", query: str = "", types: str = "") -> Iterator[dict[str, Any]]:
        """Committed events as they come (`wire.StreamEvent`), after `cursor`; a heartbeat is {"type": "ping"}.

        Blocks between events. Raises Unavailable when the stream breaks; go on with the last cursor seen.
        """
        import httpx

        transport = httpx.HTTPTransport(uds=self.socket_path) if self.socket_path else None
        params = given({"cursor": cursor, "query": query, "types": types})
        waits = httpx.Timeout(self.timeout, read=STREAM_SILENCE)
        try:
            with (
                httpx.Client(transport=transport, timeout=waits) as http,
                http.stream("GET", f"{self.url}/api/v1/events", params=params, headers=self._headers()) as answer,
            ):
                if answer.status_code != 200:
                    answer.read()
                    raise self._named(_error(answer.status_code, answer.content, dict(answer.headers)))
                rest = b""
                for piece in answer.iter_bytes():
                    self._count(len(piece))
                    *lines, rest = (rest + piece).split(b"\n")
                    yield from _told(lines)
        except httpx.HTTPError as gone:
            raise self._unreachable(gone) from gone

    def _get(self, path: str, **params: Any) -> dict[str, Any]:
        query = urlencode({key: value for key, value in params.items() if value})
        answer: dict[str, Any] = self._call("GET", f"{path}?{query}" if query else path, None)
        return answer

    def _items(self, path: str, **params: Any) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self._get(path, **params)["items"]
        return items

    def _post(self, path: str, body: dict[str, Any], *, idempotency_key: str = "") -> dict[str, Any]:
        extra = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self._send("POST", path, body, extra=extra)

    def _send(
        self, method: str, path: str, body: dict[str, Any], *, extra: dict[str, str] | None = None
    ) -> dict[str, Any]:
        answer: dict[str, Any] = self._call(method, path, body, extra=extra)
        return answer

    def _lines(self, method: str, path: str, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Lines of JSON as they come. Raises as every other call."""
        payload = json.dumps(body).encode()
        headers = self._headers() | {
            "Accept": "application/x-ndjson", "Content-Type": "application/json", "Content-Length": str(len(payload)),
            "Host": urlsplit(self.url).netloc or "localhost", "Connection": "close",
        }  # fmt: skip
        lines = [f"{method} /api/v1{path} HTTP/1.1", *(f"{key}: {value}" for key, value in headers.items()), "", ""]
        try:
            with self._connect() as link:
                link.sendall("\r\n".join(lines).encode("latin-1", "replace") + payload)
                with link.makefile("rb") as stream:
                    yield from self._read_lines(stream)
        except TimeoutError as late:
            raise errors.Unavailable(f"nothing came for {self.timeout:g} s", hint="--timeout 60s") from late
        except (OSError, ValueError) as gone:
            raise self._unreachable(gone) from gone

    def _read_lines(self, stream: BufferedReader) -> Iterator[dict[str, Any]]:
        status, headers = _read_head(stream)
        if status >= 400:
            raise self._named(_error(status, _read_body(stream, headers), headers))
        rest = b""
        while size := int(stream.readline(1_024).split(b";")[0] or b"0", 16):
            *whole, rest = (rest + stream.read(size)).split(b"\n")
            stream.readline(8)
            yield from (json.loads(line) for line in whole)

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": "application/json", "X-Siems-Via": self.via, "User-Agent": f"siems/{VERSION}"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        return headers

    def _call(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None,
        *,
        extra: dict[str, str] | None = None,
        prefix: str = "/api/v1",
    ) -> Any:
        reads = path.partition("?")[0].endswith(READS) or path.endswith(REHEARSED)
        if method != "GET" and not path.startswith("/auth/") and not reads:
            self._may_write()
        if self.dry_run and method != "GET":
            path += f"{'&' if '?' in path else '?'}dry_run=true"
        payload = None if body is None else json.dumps(body).encode()
        status, headers, content = self._exchange(method, prefix + path, payload, self._headers() | (extra or {}))
        if self.debug:
            print(f"{method} {prefix}{path} -> {status} {headers.get('x-request-id', '')}", file=sys.stderr)
        if status >= 400:
            raise self._named(_error(status, content, headers))
        return json.loads(content) if content else None

    def _may_write(self) -> None:
        """Raises Forbidden in a context that is read only; in one that is armed somebody is asked, once."""
        if self.read_only and not self.dry_run:
            raise errors.Forbidden(
                f"the context {self.context} is read only here",
                hint=f"change that first:  siems context add {self.context} --writable",
            )
        if self.guard is not None and not self.dry_run:
            guard, self.guard = self.guard, None
            guard()

    def _named(self, error: errors.SiemsError) -> errors.SiemsError:
        """A token that is not accepted is named by where it came from: logging in would not help."""
        if isinstance(error, errors.NotAuthenticated) and self.token_from:
            error.message = f"the token in {self.token_from} is not accepted"
            error.hint = f"correct it, or log in without it:  unset {self.token_from.split()[0]}; siems login"
        return error

    def _exchange(
        self, method: str, path: str, payload: bytes | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        headers = {"Host": urlsplit(self.url).netloc or "localhost", "Connection": "close"} | headers
        if payload is not None:
            headers |= {"Content-Type": "application/json", "Content-Length": str(len(payload))}
        lines = [f"{method} {path} HTTP/1.1", *(f"{key}: {value}" for key, value in headers.items()), "", ""]
        try:
            with self._connect() as link:
                link.sendall("\r\n".join(lines).encode("latin-1", "replace") + (payload or b""))
                return _read_answer(link, self._count)
        except TimeoutError as late:
            raise errors.Unavailable(
                f"the daemon did not answer within {self.timeout:g} s",
                hint="try again, or give it longer:  --timeout 30s",
            ) from late
        except (OSError, ValueError) as gone:
            raise self._unreachable(gone) from gone

    def _count(self, size: int) -> None:
        self.came += size

    def _connect(self) -> socket.socket:
        if self.socket_path:
            link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            link.settimeout(self.timeout)
            link.connect(self.socket_path)
            return link
        parts = urlsplit(self.url)
        secure = parts.scheme == "https"
        host, port = parts.hostname or "127.0.0.1", parts.port or (443 if secure else 80)
        link = socket.create_connection((host, port), timeout=self.timeout)
        if secure:
            import ssl

            return ssl.create_default_context().wrap_socket(link, server_hostname=host)
        return link

    def _unreachable(self, why: Exception) -> errors.Unavailable:
        where = self.socket_path or self.url
        said = (isinstance(why, OSError) and why.strerror) or str(why)
        hint = "start one:  siems up -d"
        if os.environ.get("SIEMS_URL"):
            hint = "SIEMS_URL names it: is it the right one, and does the daemon run there?"
        elif self.context != "local":
            hint = f"the context {self.context} names it:  siems context show {self.context}"
        elif not places.token_file().exists():
            hint = "set siems up first:  siems init --admin you@msp.example"
        return errors.Unavailable(f"no daemon answers at {where} ({said})", hint=hint)


def part(text: str) -> str:
    """One part of a path: what somebody typed never reaches another address."""
    return quote(text, safe="")


def said(fields: dict[str, Any]) -> dict[str, Any]:
    """What was said, also that something is empty."""
    return {key: value for key, value in fields.items() if value is not None}


def given(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value not in (None, "")}


def _told(lines: list[bytes]) -> Iterator[dict[str, Any]]:
    """What lines of a stream say; the name and the number of an event stand in its data, too."""
    for line in lines:
        if line.startswith(b"data:"):
            yield json.loads(line[5:])
        elif line.startswith(b":"):
            yield {"type": "ping"}


def _read_answer(link: socket.socket, came: Callable[[int], None]) -> tuple[int, dict[str, str], bytes]:
    with link.makefile("rb") as stream:
        status, headers = _read_head(stream)
        came(1)
        return status, headers, _read_body(stream, headers, came)


def _read_head(stream: BufferedReader) -> tuple[int, dict[str, str]]:
    first = stream.readline(65_537)
    if not first:
        raise ConnectionError("the connection was closed without an answer")
    status = int(first.split(None, 2)[1])
    headers: dict[str, str] = {}
    while (line := stream.readline(65_537)) not in (b"\r\n", b"\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return status, headers


def _read_body(stream: BufferedReader, headers: dict[str, str], came: Callable[[int], None] = lambda _: None) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        parts = []
        while size := int(stream.readline(1_024).split(b";")[0], 16):
            parts.append(stream.read(size))
            stream.readline(8)
        return b"".join(parts)
    length = headers.get("content-length")
    left, parts = min(int(length), MAX_ANSWER) if length else MAX_ANSWER, []
    while left and (piece := stream.read1(min(left, PIECE))):
        came(len(piece))
        parts.append(piece)
        left -= len(piece)
    return b"".join(parts)


def _error(status: int, content: bytes, headers: dict[str, str]) -> errors.SiemsError:
    """The error of a problem document; what is not one is named as what it is."""
    retry_after = headers.get("retry-after", "")
    wait = int(retry_after) if retry_after.isdigit() else None
    try:
        problem = json.loads(content)
        kind = errors.BY_CODE.get(problem["code"], errors.SiemsError)
        found = kind(problem["detail"], hint=problem.get("hint", ""), retry_after=wait)
    except (ValueError, KeyError, TypeError):
        kind = errors.NotAuthenticated if status == 401 else errors.Unavailable
        found = kind(f"the daemon answered {status} without saying why", retry_after=wait)
    found.request_id = headers.get("x-request-id", "")
    return found
