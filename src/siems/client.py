"""The daemon's HTTP face for consoles: one method per verb.

A small HTTP/1.1 over a socket, since importing an HTTP library would take longer than most commands. Local
daemons are reached by their Unix socket. Answers are plain JSON values; `wire.py` says their shapes.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from siems import errors, places

VERSION = "0.1.0"
MAX_ANSWER = 256 * 1024 * 1024


class Client:
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
        self.context = os.environ.get("SIEMS_CONTEXT", "local")
        self.dry_run = False
        self.debug = False

    # --- incidents ---------------------------------------------------------------------------------------------

    def incidents(self, query: str = "", *, sort: str = "", limit: int = 0, cursor: str = "") -> dict[str, Any]:
        """A page of incidents: `wire.Page[IncidentView]`."""
        return self._get("/incidents", query=query, sort=sort, limit=limit, cursor=cursor)

    def incident(self, ref: str) -> dict[str, Any]:
        """`wire.IncidentDetail`."""
        return self._get(f"/incidents/{_part(ref)}")

    def timeline(self, ref: str, *, limit: int = 200) -> list[dict[str, Any]]:
        """`list[wire.TimelineEntry]`, newest first."""
        return self._items(f"/incidents/{_part(ref)}/timeline", limit=limit)

    def incident_alerts(self, ref: str, *, limit: int = 200) -> list[dict[str, Any]]:
        """`list[wire.AlertView]` of one incident, newest first."""
        return self._items(f"/incidents/{_part(ref)}/alerts", limit=limit)

    def act(self, action: str, ref: str, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        """Do something to an incident: `wire.ActAsk` in, `wire.ActAnswer` out."""
        body = {key: value for key, value in ask.items() if value is not None}
        return self._post(f"/incidents/{_part(ref)}/actions/{action}", body, idempotency_key=idempotency_key)

    def idempotent(self, key: str) -> dict[str, Any]:
        """What became of an earlier write with this key: {"found", "answer"}."""
        return self._get(f"/idempotency/{_part(key)}")

    # --- what senders do ---------------------------------------------------------------------------------------

    def deliver(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Post a body as a tool would; (status, the answer). Raises Unavailable when nobody answers."""
        status, _, content = self._exchange("POST", path, body, headers)
        return status, json.loads(content) if content else {}

    def server_time(self) -> str:
        """What the daemon's clock shows, RFC 3339."""
        _, headers, _ = self._exchange("GET", "/readyz", None, {})
        return headers.get("x-server-time", "")

    # --- alerts ------------------------------------------------------------------------------------------------

    def alerts(self, query: str = "", *, limit: int = 0, cursor: str = "") -> dict[str, Any]:
        """A page of alerts: `wire.Page[AlertView]`."""
        return self._get("/alerts", query=query, limit=limit, cursor=cursor)

    def alert(self, ref: str) -> dict[str, Any]:
        """`wire.AlertView` with its raw body under `raw`."""
        return self._get(f"/alerts/{_part(ref)}")

    def arrivals(self, query: str = "", *, limit: int = 0, cursor: str = "", after: str = "") -> dict[str, Any]:
        """A page of what arrived, newest first, older than `cursor` or newer than `after`: `wire.Page[ArrivalView]`."""
        return self._get("/arrivals", query=query, limit=limit, cursor=cursor, after=after)

    def send_alert(self, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        """`wire.AlertsAsk` in; out what a webhook answers."""
        return self._post("/alerts", _given(ask), idempotency_key=idempotency_key)

    def bodies(self, company: str, *, since: str = "", after: int = 0) -> list[dict[str, Any]]:
        """`list[wire.KeptBody]`: a page of what came, oldest first, with numbers above `after`."""
        return self._items(f"/companies/{_part(company)}/bodies", since=since, after=after)

    def rejections(self, *, limit: int = 0) -> list[dict[str, Any]]:
        """`list[wire.RejectionView]`, newest first."""
        return self._items("/rejections", limit=limit)

    # --- silences ----------------------------------------------------------------------------------------------

    def silences(self, *, company: str = "", ended: bool = False) -> list[dict[str, Any]]:
        """`list[wire.SilenceView]`: what is on or to come, or what is over."""
        return self._items("/silences", company=company, ended="true" if ended else "")

    def silence(self, ref: str) -> dict[str, Any]:
        """`wire.SilenceView`."""
        return self._get(f"/silences/{_part(ref)}")

    def create_silence(self, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        """`wire.SilenceAsk` in, `wire.SilenceView` out."""
        return self._post("/silences", _given(ask), idempotency_key=idempotency_key)

    def change_silence(self, action: str, ref: str, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        """`extend` or `end`: `wire.SilenceChanged`."""
        return self._post(f"/silences/{_part(ref)}/actions/{action}", _given(ask), idempotency_key=idempotency_key)

    def preview_silence(self, company: str, matchers: list[str]) -> dict[str, Any]:
        """`wire.SilencePreview`: nothing is changed."""
        return self._post("/silences/preview", {"company": company, "matchers": matchers})

    # --- companies, integrations, assets, users ----------------------------------------------------------------

    def companies(self) -> list[dict[str, Any]]:
        return self._items("/companies")

    def company(self, ref: str) -> dict[str, Any]:
        return self._get(f"/companies/{_part(ref)}")

    def onboard(self, **ask: Any) -> dict[str, Any]:
        """`wire.OnboardAsk` in, `wire.Onboarded` out: the only time that the secrets are shown."""
        return self._post("/companies", _given(ask))

    def edit_company(self, ref: str, **ask: Any) -> dict[str, Any]:
        return self._send("PATCH", f"/companies/{_part(ref)}", _given(ask))

    def set_sla(self, ref: str, **ask: Any) -> dict[str, Any]:
        return self._post(f"/companies/{_part(ref)}/sla", _given(ask))

    def integrations(self) -> list[dict[str, Any]]:
        """`list[wire.IntegrationView]`."""
        return self._items("/integrations")

    def integration(self, ref: str) -> dict[str, Any]:
        """`wire.IntegrationView`, with what became of what it sent last."""
        return self._get(f"/integrations/{_part(ref)}")

    def integration_setup(self, ref: str) -> dict[str, Any]:
        """`wire.IntegrationAdded` of one that is there: without its secrets."""
        return self._get(f"/integrations/{_part(ref)}/setup")

    def add_integration(self, **ask: Any) -> dict[str, Any]:
        """`wire.IntegrationAsk` in, `wire.IntegrationAdded` out: the only time that its secrets are shown."""
        return self._post("/integrations", _given(ask))

    def heartbeats(self, *, company: str = "") -> list[dict[str, Any]]:
        """`list[wire.HeartbeatView]`, what is down first."""
        return self._items("/heartbeats", company=company)

    def heartbeat(self, ref: str) -> dict[str, Any]:
        return self._get(f"/heartbeats/{_part(ref)}")

    def create_heartbeat(self, **ask: Any) -> dict[str, Any]:
        """`wire.HeartbeatMade`: the only time that its address is shown."""
        return self._post("/heartbeats", _given(ask))

    def edit_heartbeat(self, ref: str, **ask: Any) -> dict[str, Any]:
        return self._send("PATCH", f"/heartbeats/{_part(ref)}", _given(ask))

    def heartbeat_act(self, ref: str, action: str) -> dict[str, Any]:
        """beat, pause, resume or rotate."""
        return self._post(f"/heartbeats/{_part(ref)}/{action}", {})

    def delete_heartbeat(self, ref: str) -> dict[str, Any]:
        return self._send("DELETE", f"/heartbeats/{_part(ref)}", {})

    def edit_integration(self, ref: str, **ask: Any) -> dict[str, Any]:
        """`wire.IntegrationEdit` in; `changed` out."""
        return self._send("PATCH", f"/integrations/{_part(ref)}", {k: v for k, v in ask.items() if v is not None})

    def rotate_integration(self, ref: str, **ask: Any) -> dict[str, Any]:
        """`wire.RotateAsk` in, `wire.IntegrationAdded` out."""
        return self._post(f"/integrations/{_part(ref)}/rotate", _given(ask))

    def revoke_integration(self, ref: str, *, old: bool = False, reason: str = "") -> dict[str, Any]:
        return self._post(f"/integrations/{_part(ref)}/revoke", {"old": old, "reason": reason})

    def map_tenant(self, ref: str, value: str, company: str | None, *, reason: str = "") -> dict[str, Any]:
        ask = {"value": value, "company": company, "reason": reason}
        return self._post(f"/integrations/{_part(ref)}/tenants", ask)

    def tools(self) -> list[dict[str, Any]]:
        """`list[wire.ToolView]`: every tool that siems reads."""
        return self._items("/tools")

    def tool(self, name: str) -> dict[str, Any]:
        return self._get(f"/tools/{_part(name)}")

    def assets(self, query: str = "", *, limit: int = 0, cursor: str = "") -> dict[str, Any]:
        """A page of assets: `wire.Page[AssetView]`."""
        return self._get("/assets", query=query, limit=limit, cursor=cursor)

    def asset(self, company: str, name: str) -> dict[str, Any]:
        """`wire.AssetDetail`."""
        return self._get(_asset(company, name))

    def create_asset(self, company: str, name: str, **said: Any) -> dict[str, Any]:
        """`wire.AssetAsk` in, `wire.AssetDetail` out. What is None is not said; empty text clears."""
        return self._post(f"/companies/{_part(company)}/assets", {"name": name} | _said(said))

    def edit_asset(self, company: str, name: str, **said: Any) -> dict[str, Any]:
        """`wire.AssetEdit` in, `wire.AssetDetail` out."""
        return self._send("PATCH", _asset(company, name), _said(said))

    def merge_asset(self, company: str, name: str, *, into: str, reason: str = "") -> dict[str, Any]:
        return self._post(f"{_asset(company, name)}/merge", {"into": into, "reason": reason})

    def delete_asset(self, company: str, name: str, *, reason: str = "") -> dict[str, Any]:
        return self._send("DELETE", f"{_asset(company, name)}?{urlencode({'reason': reason})}", {})

    def import_assets(self, company: str, *, csv: str, reason: str = "") -> dict[str, Any]:
        """`wire.AssetImport` in, `wire.AssetsImported` out."""
        return self._post(f"/companies/{_part(company)}/assets/import", {"csv": csv, "reason": reason})

    def import_from_aws(self, company: str, **ask: Any) -> dict[str, Any]:
        """`wire.CloudImport` in, `wire.AssetsImported` out."""
        return self._post(f"/companies/{_part(company)}/assets/import/aws", _given(ask))

    def users(self, *, company: str = "") -> list[dict[str, Any]]:
        return self._items("/users", company=company)

    def create_user(self, **ask: Any) -> dict[str, Any]:
        return self._post("/users", _given(ask))

    # --- sessions ----------------------------------------------------------------------------------------------

    def login(self, user: str, password: str) -> dict[str, Any]:
        return self._post("/auth/login", {"user": user, "password": password})

    def refresh(self, refresh_token: str) -> dict[str, Any]:
        return self._post("/auth/refresh", {"refresh_token": refresh_token})

    def logout(self, refresh_token: str = "") -> dict[str, Any]:
        return self._post("/auth/logout", {"refresh_token": refresh_token})

    def me(self) -> dict[str, Any]:
        """`wire.Me`."""
        return self._get("/me")

    # --- inbox, audit, the whole -------------------------------------------------------------------------------

    def inbox(self, *, unread: bool = False, limit: int = 100) -> list[dict[str, Any]]:
        return self._items("/inbox", unread="true" if unread else "", limit=limit)

    def read_inbox(self, ids: list[int] | None = None) -> dict[str, Any]:
        """Mark notices as read; all of them without ids."""
        return self._post("/inbox/read", {"ids": ids})

    def audit(self, *, company: str = "", limit: int = 0, object: str = "") -> list[dict[str, Any]]:
        return self._items("/audit", company=company, limit=limit, object=object)

    def verify_audit(self) -> dict[str, Any]:
        return self._post("/audit/verify", {})

    def summary(self) -> dict[str, Any]:
        """`wire.Summary`."""
        return self._get("/summary")

    def status(self) -> dict[str, Any]:
        """`wire.Status`."""
        return self._get("/status")

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
        params = _given({"cursor": cursor, "query": query, "types": types})
        waits = httpx.Timeout(self.timeout, read=45.0)
        try:
            with (
                httpx.Client(transport=transport, timeout=waits) as http,
                http.stream("GET", f"{self.url}/api/v1/events", params=params, headers=self._headers()) as answer,
            ):
                if answer.status_code != 200:
                    answer.read()
                    raise self._named(_error(answer.status_code, answer.content, dict(answer.headers)))
                for line in answer.iter_lines():
                    if line.startswith("data:"):
                        yield json.loads(line[5:])
                    elif line.startswith(":"):
                        yield {"type": "ping"}
        except httpx.HTTPError as gone:
            raise self._unreachable(gone) from gone

    # --- the wire ----------------------------------------------------------------------------------------------

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
        if self.dry_run and method != "GET":
            path += f"{'&' if '?' in path else '?'}dry_run=true"
        payload = None if body is None else json.dumps(body).encode()
        status, headers, content = self._exchange(method, prefix + path, payload, self._headers() | (extra or {}))
        if self.debug:
            print(f"{method} {prefix}{path} -> {status} {headers.get('x-request-id', '')}", file=sys.stderr)
        if status >= 400:
            raise self._named(_error(status, content, headers))
        return json.loads(content) if content else None

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
                return _read_answer(link)
        except TimeoutError as late:
            raise errors.Unavailable(
                f"the daemon did not answer within {self.timeout:g} s",
                hint="try again, or give it longer:  --timeout 30s",
            ) from late
        except (OSError, ValueError) as gone:
            raise self._unreachable(gone) from gone

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
        elif not places.token_file().exists():
            hint = "set siems up first:  siems init --admin you@msp.example"
        return errors.Unavailable(f"no daemon answers at {where} ({said})", hint=hint)


def _part(text: str) -> str:
    """One part of a path: what somebody typed never reaches another address."""
    return quote(text, safe="")


def _asset(company: str, name: str) -> str:
    return f"/companies/{_part(company)}/assets/{_part(name)}"


def _said(fields: dict[str, Any]) -> dict[str, Any]:
    """What was said, also that something is empty."""
    return {key: value for key, value in fields.items() if value is not None}


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value not in (None, "")}


def _read_answer(link: socket.socket) -> tuple[int, dict[str, str], bytes]:
    with link.makefile("rb") as stream:
        first = stream.readline(65_537)
        if not first:
            raise ConnectionError("the connection was closed without an answer")
        status = int(first.split(None, 2)[1])
        headers: dict[str, str] = {}
        while (line := stream.readline(65_537)) not in (b"\r\n", b"\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        if headers.get("transfer-encoding", "").lower() == "chunked":
            parts = []
            while size := int(stream.readline(1_024).split(b";")[0], 16):
                parts.append(stream.read(size))
                stream.readline(8)
            return status, headers, b"".join(parts)
        length = headers.get("content-length")
        return status, headers, stream.read(min(int(length), MAX_ANSWER)) if length else stream.read(MAX_ANSWER)


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


def local(*, timeout: float = 10.0, via: str = "cli", identified: bool = True) -> Client:
    """The client of the daemon that the environment names, else of the one on this machine.

    SIEMS_URL, SIEMS_TOKEN and SIEMS_TOKEN_FILE come first; then what the local daemon wrote about itself, with
    the session of `siems login`, else the token that `siems init` made. Raises UsageError for what is no URL.
    """
    url = os.environ.get("SIEMS_URL", "")
    socket_path = ""
    if url and (not url.startswith(("http://", "https://")) or not urlsplit(url).hostname):
        raise errors.UsageError(f"SIEMS_URL is {url!r}, which is no URL", hint="write it like https://siems.example")
    if not url:
        try:
            endpoint = json.loads(places.endpoint_file().read_text())
            url, socket_path = endpoint["url"], endpoint.get("socket", "")
        except (OSError, ValueError, KeyError):
            url = "http://127.0.0.1:8717"
    if socket_path and not os.path.exists(socket_path):
        socket_path = ""
    client = Client(url, socket_path=socket_path, timeout=timeout, via=via)
    if identified:
        client.token = find_token(client)
    return client


def find_token(client: Client) -> str:
    """The identity to show: from the environment, the session of `siems login`, or the local token.

    Where the environment names it, the client remembers that, for what it says when the token is not accepted.
    """
    client.token_from = ""
    if token := os.environ.get("SIEMS_TOKEN", ""):
        client.token_from = "SIEMS_TOKEN"  # noqa: S105
        return token
    if named := os.environ.get("SIEMS_TOKEN_FILE", ""):
        client.token_from = f"SIEMS_TOKEN_FILE {named}"
        try:
            with open(named) as handle:
                return handle.read().strip()
        except OSError as why:
            raise errors.NotAuthenticated(
                f"the token file {named} cannot be read ({why.strerror})", hint="check SIEMS_TOKEN_FILE"
            ) from why
    if places.session_file().exists():
        from siems.session import access_token

        if token := access_token(client.refresh):
            return token
    try:
        return places.token_file().read_text().strip()
    except OSError:
        return ""
