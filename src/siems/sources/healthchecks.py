"""Healthchecks, its webhook integration with the operator's body, or the fixed body of its PagerTree integration."""

from __future__ import annotations

from siems.domain.alert import Reading
from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import Doc, alert_of, as_text, document
from siems.sources.shapes import some
from siems.vocabulary import Severity

_EVENTS = {"resolve": "up", "resolved": "up", "success": "up", "ok": "up"}


def read(body: bytes, headers: Headers) -> Read:
    """One check that went down or came up."""
    said = as_text(body.strip())
    if said[:1] not in ('"', "{") and "=" not in said:  # "backup is DOWN", the usual text of those who wrote no JSON
        name, _, state = said.partition("\n")[0].strip(" .!").rpartition(" is ")
        if name and state.lower() in ("up", "down"):
            return Read((_reading(Doc({}), name.removeprefix("The check ").strip('"'), state.lower(), said),))
    doc = document(body, headers)
    check = doc.doc("check")
    if not check.value:
        check = Doc({**doc.value, "name": doc.first("name", "check_name", "check", "title")})
    state = (
        doc.first("status", "state") or check.first("status") or doc.first("event_type", "event", "action")
    ).lower()
    name = check.first("name", "slug") or doc.first("name", "title", "code")
    state = _EVENTS.get(state, state)
    if name and state in ("new", "started", "grace", "paused"):
        return Read(said=f"{name} is {state}")
    if not (name and state) and b"$STATUS" in body:
        return Read(said="test message of Healthchecks: its placeholders are not filled in")
    if not name or not state:
        raise InvalidField("it has no name of a check, or no status")
    title = name.removesuffix(" is DOWN").removesuffix(" is UP").strip('"')
    if title == "TEST" and check.first("n_pings") in ("", "42"):  # the check that exists for test messages only
        return Read(said="test message of Healthchecks")
    return Read((_reading(doc, title, state, doc.first("message", "description", "msg"), check),))


def _reading(doc: Doc, name: str, state: str, said: str, check: Doc | None = None) -> Reading:
    check = check or doc
    last, title = check.first("last_ping"), f"{name} is {'UP' if state == 'up' else 'DOWN'}"
    more = said if said and said != title else check.first("desc")
    title = "" if more.startswith(title) else title
    return alert_of(
        tool="healthchecks",
        asset=name,
        signature="no success signal in time",
        severity=Severity.HIGH,
        message="\n".join(filter(None, [title, more, f"last ping: {last}" if last else ""])),
        firing=state != "up",
        key=doc.first("code", "incident_key", "uuid") or check.first("uuid", "code", "unique_key"),
        tags=some(check, "tags", "schedule", "timeout", "grace", "exit_status") | some(doc, "tags", "exit_status"),
        urls=[doc.first("url", "client_url"), check.first("details_url")],
        starts=doc.first("time", "now") if state != "up" else None,
    )


tool = Tool(
    name="healthchecks",
    title="Healthchecks",
    read=read,
    setup=Setup(
        steps=(
            "Integrations → Webhook → Add Integration.",
            "Execute when a check goes down: POST, URL  {url}",
            "Paste the body below as Request Body; Request Headers:  Content-Type: application/json",
            "Execute when a check goes up: the same method, URL, body and header.",
            "Save, and press Test! in the list of integrations.",
        ),
        snippet_name="Request Body",
        snippet="""{"status": "$STATUS", "code": "$CODE", "time": "$NOW", "exit_status": "$EXITSTATUS",
 "check": $JSON}
""",
        docs="https://healthchecks.io/docs/configuring_notifications/",
    ),
)
