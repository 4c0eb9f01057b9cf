"""The daemon's HTTP face for consoles: one method per verb.

A small HTTP/1.1 over a socket (`transport.py`), and one file per noun. Local daemons are reached by their Unix
socket. Answers are plain JSON values; `wire` says their shapes.
"""

from __future__ import annotations

import json
import os
from urllib.parse import urlsplit

from siems import contexts, errors, places
from siems.client.advice import Advice
from siems.client.alerts import Alerts
from siems.client.assets import Assets
from siems.client.clouds import Clouds
from siems.client.companies import Companies
from siems.client.correlation import Correlation
from siems.client.incidents import Incidents
from siems.client.integrations import Integrations
from siems.client.oncall import Oncall
from siems.client.paging import Paging
from siems.client.parents import Parents
from siems.client.playback import Playback
from siems.client.policies import Policies
from siems.client.reach import Reach
from siems.client.record import Record
from siems.client.reports import Reports
from siems.client.runbooks import Runbooks
from siems.client.runs import Runs
from siems.client.search import Search
from siems.client.silences import Silences
from siems.client.sla import Slas
from siems.client.tickets import Tickets


class Client(
    Advice,
    Alerts,
    Assets,
    Clouds,
    Companies,
    Correlation,
    Incidents,
    Integrations,
    Oncall,
    Paging,
    Parents,
    Playback,
    Policies,
    Reach,
    Record,
    Reports,
    Runbooks,
    Runs,
    Search,
    Silences,
    Slas,
    Tickets,
):
    """One daemon, one identity. Raises the errors of `errors.py`; `Unavailable` when nobody answers."""


def local(*, timeout: float = 10.0, via: str = "cli", identified: bool = True) -> Client:
    """The client of the daemon that the environment names, else of the one on this machine.

    SIEMS_URL, SIEMS_TOKEN and SIEMS_TOKEN_FILE come first; then what the local daemon wrote about itself, with
    the session of `siems login`, else the token that `siems init` made. Raises UsageError for what is no URL.
    """
    chosen = contexts.chosen()
    url = os.environ.get("SIEMS_URL", "") or chosen.url
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
    client.context, client.read_only = chosen.name, chosen.read_only
    if identified:
        client.token = find_token(client)
    return client


def find_token(client: Client) -> str:
    """The identity to show: from the environment, the session of `siems login`, or the local token.

    Where the environment names it, the client remembers that, for what it says when the token is not accepted.
    """
    client.token_from = ""
    token = os.environ.get("SIEMS_TOKEN")
    if token is not None:
        if not token.strip():  # as of a file that is missing: nobody may become this machine's admin by that
            raise errors.NotAuthenticated("SIEMS_TOKEN is set, but empty", hint="give it the token, or unset it")
        client.token_from = "SIEMS_TOKEN"  # noqa: S105
        return token
    if named := os.environ.get("SIEMS_TOKEN_FILE", ""):
        return _token_in(client, named, "SIEMS_TOKEN_FILE")
    chosen = contexts.chosen()
    if chosen.token_file:
        return _token_in(client, chosen.token_file, f"the token file of context {chosen.name},")
    if places.session_file(chosen.name).exists():
        from siems.session import access_token

        if session := access_token(client.refresh):
            return session
    if chosen.url:
        return ""
    try:
        return places.token_file().read_text().strip()
    except OSError:
        return ""


def _token_in(client: Client, path: str, whose: str) -> str:
    """The token in a file that somebody named. Raises NotAuthenticated."""
    client.token_from = f"{whose} {path}"
    try:
        with open(path) as handle:
            return handle.read().strip()
    except OSError as why:
        raise errors.NotAuthenticated(
            f"the token file {path} cannot be read ({why.strerror})", hint=f"check {whose.rstrip(',')}"
        ) from why
