"""ServiceNow by its Table API: states by number, work notes for staff and comments for clients.

A ticket carries its correlation in `correlation_id`. Its journal is a table of its own; who last wrote a record is all
that is known of who changed its state.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx

from siems.clock import EPOCH
from siems.domain.ticket import Stage
from siems.domain.ticket_sync import Author, Connection, Draft, Remote, RemoteComment
from siems.errors import InvalidField
from siems.outward import Guard
from siems.tickets import Refused, TryLater
from siems.tickets.speaking import Speaker
from siems.vocabulary import Severity

MARGIN = timedelta(minutes=1)
CHUNK = 50
JOURNAL = 100
STATES = {Stage.OPEN: "1", Stage.WORKING: "2", Stage.HELD: "3", Stage.RESOLVED: "6", Stage.CLOSED: "7"}
NAMES = {"1": "New", "2": "In Progress", "3": "On Hold", "6": "Resolved", "7": "Closed", "8": "Canceled"}
URGENCY = {"CRITICAL": ("1", "1"), "HIGH": ("2", "1"), "MEDIUM": ("2", "2"), "LOW": ("3", "3")}
_FIELDS = (
    "sys_id,number,state,sys_updated_on,sys_updated_by,close_notes,correlation_id,short_description,resolved_by,"
    "resolved_at"
)


def open_system(connection: Connection, guard: Guard | None = None) -> ServiceNow:
    """User and password, or without a user an OAuth token. Raises InvalidField."""
    if connection.username:
        return ServiceNow(connection, httpx.BasicAuth(connection.username, connection.secret), {}, guard)
    return ServiceNow(connection, None, {"Authorization": f"Bearer {connection.secret}"}, guard)


class ServiceNow:
    """One account of one instance; `project` is the table, `incident` where none is said."""

    def __init__(
        self, connection: Connection, auth: httpx.Auth | None, headers: Mapping[str, str], guard: Guard | None
    ) -> None:
        self._table = connection.project or "incident"
        if not self._table.replace("_", "").isalnum():
            raise InvalidField(f"{self._table!r} is no table", hint="--project incident")
        self._speaker = Speaker(connection.url, auth=auth, headers=headers, guard=guard)
        self._c = connection
        self._rules = connection.rules
        self._states = STATES | {stage: _number(name) for stage, name in connection.rules.states.items()}

    async def close(self) -> None:
        await self._speaker.close()

    async def _ask(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        answer = await self._speaker.ask(method, f"api/now/table/{path}", body, query=query or None)
        if not isinstance(answer, dict) or "result" not in answer:
            raise TryLater("it answered without a result: is the instance awake?")
        return answer["result"]

    async def check(self) -> str:
        found = await self._ask("GET", self._table, sysparm_limit="1", sysparm_fields="number")
        who = self._c.username or "the token"
        last = f", the last one read is {found[0].get('number')}" if found else ""
        return f"{who} may read {self._table}{last}"

    # --- out ---------------------------------------------------------------------------------------------------

    async def open(self, draft: Draft) -> Remote:
        impact, urgency = self._weight(draft.severity)
        body = {
            "short_description": draft.summary, "description": draft.description, "impact": impact,
            "urgency": urgency, "correlation_id": draft.correlation, "correlation_display": "siems",
            **self._rules.fields,
        }  # fmt: skip
        made = await self._ask("POST", self._table, body, sysparm_fields=_FIELDS)
        return self._remote(made, ())

    def _weight(self, severity: Severity) -> tuple[str, str]:
        """(impact, urgency), which give the priority over there; `--priority CRITICAL=1/2` sets them."""
        said = self._rules.priorities.get(severity.name, "")
        impact, _, urgency = said.partition("/")
        return (impact, urgency or impact) if impact else URGENCY[severity.name]

    async def find(self, correlation: str) -> Remote | None:
        found = await self._ask(
            "GET", self._table, sysparm_query=f"correlation_id={correlation}^ORDERBYsys_created_on",
            sysparm_limit="1", sysparm_fields=_FIELDS,
        )  # fmt: skip
        return self._remote(found[0], ()) if found else None

    async def update(self, external_id: str, draft: Draft, *, linked: bool) -> None:
        impact, urgency = self._weight(draft.severity)
        body = {"impact": impact, "urgency": urgency}
        if linked:
            there = await self._record(external_id)
            if there.get("correlation_id"):
                return  # it belongs to something else as well
            body = {"correlation_id": draft.correlation, "correlation_display": "siems"}
        await self._ask("PATCH", self._path(external_id), body, sysparm_fields="sys_id")

    async def comment(self, external_id: str, text: str, *, public: bool) -> str:
        """The journal's own ids are not told: what was written is known by its mark."""
        field = "comments" if public else "work_notes"
        await self._ask("PATCH", self._path(external_id), {field: text}, sysparm_fields="sys_id")
        return ""

    async def commented(self, external_id: str, mark: str) -> str | None:
        found = await self._journal(external_id)
        return next((entry.id for entry in found if entry.text.rstrip().endswith(mark)), None)

    async def link(self, external_id: str, other_key: str) -> None:
        note = {"work_notes": f"Recurrence of {other_key}"}
        await self._ask("PATCH", self._path(external_id), note, sysparm_fields="sys_id")

    async def transition(self, external_id: str, stage: Stage, note: str) -> Remote:
        now = await self._record(external_id)
        wanted = self._states[stage]
        if str(now.get("state")) != wanted:
            body: dict[str, Any] = {"state": wanted}
            if stage.done:
                code = self._rules.fields.get("close_code", "Solution provided")
                body |= {"close_code": code, "close_notes": note or "Resolved in siems"}
            if stage is Stage.HELD:
                body |= {"hold_reason": self._rules.fields.get("hold_reason", "1")}
            now = await self._ask("PATCH", self._path(external_id), body, sysparm_fields=_FIELDS)
            if str(now.get("state")) != wanted:  # a business rule has kept it from moving, without an error
                told = NAMES.get(str(now.get("state")), now.get("state"))
                raise Refused(f"it stays {told} though {NAMES.get(wanted, wanted)} was asked for")
        return self._remote(now, ())

    # --- in ----------------------------------------------------------------------------------------------------

    def _path(self, external_id: str) -> str:
        return f"{self._table}/{quote(external_id, safe='')}"

    async def _record(self, external_id: str) -> dict[str, Any]:
        found: dict[str, Any] = await self._ask("GET", self._path(external_id), sysparm_fields=_FIELDS)
        return found

    async def read(self, key: str) -> Remote:
        if len(key) == 32 and key.isalnum() and key.lower() == key:
            record = await self._record(key)
        else:
            if not key.isalnum():
                raise Refused(f"there is no {key[:40]}")
            query = f"number={key.upper()}"
            found = await self._ask(
                "GET", self._table, sysparm_query=query, sysparm_limit="1", sysparm_fields=_FIELDS
            )  # fmt: skip
            if not found:
                raise Refused(f"there is no {key[:40]} in {self._table}")
            record = found[0]
        return self._remote(record, tuple(await self._journal(str(record["sys_id"]))))

    def _remote(self, record: Mapping[str, Any], comments: tuple[RemoteComment, ...]) -> Remote:
        state, sys_id = str(record.get("state", "")), str(record["sys_id"])
        who = str(record.get("sys_updated_by") or "")
        return Remote(
            external_id=sys_id, key=str(record.get("number", "")),
            url=f"{self._c.url}/nav_to.do?uri={self._table}.do%3Fsys_id%3D{sys_id}",
            state=NAMES.get(state, state), stage=self._stage(state), state_at=_time(record.get("sys_updated_on")),
            by=Author(name=who or "somebody", email=who if "@" in who else "", ours=self._ours(who)),
            resolution=str(record.get("close_notes") or ""), comments=comments,
        )  # fmt: skip

    def _ours(self, name: str) -> bool:
        return bool(self._c.username) and name.lower() == self._c.username.lower()

    def _stage(self, state: str) -> Stage:
        for stage, number in self._states.items():
            if number == state:
                return stage
        return Stage.CLOSED if state == "8" else Stage.OPEN

    async def _journal(self, external_id: str) -> list[RemoteComment]:
        found = await self._ask(
            "GET", "sys_journal_field",
            sysparm_query=f"element_id={external_id}^elementINcomments,work_notes^ORDERBYDESCsys_created_on",
            sysparm_limit=str(JOURNAL), sysparm_fields="sys_id,element,value,sys_created_on,sys_created_by",
        )  # fmt: skip
        entries = []
        for entry in found:
            who = str(entry.get("sys_created_by") or "")
            author = Author(name=who or "somebody", email=who if "@" in who else "", ours=self._ours(who))
            entries.append(
                RemoteComment(
                    id=str(entry["sys_id"]), at=_time(entry.get("sys_created_on")), author=author,
                    text=str(entry.get("value") or ""), public=entry.get("element") == "comments",
                )
            )  # fmt: skip
        return entries

    async def changed(self, since: datetime, ids: Collection[str], now: datetime) -> tuple[list[str], datetime]:
        found: list[str] = []
        from_ = (since - MARGIN).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        wanted = sorted(ids)
        for start in range(0, len(wanted), CHUNK):
            chunk = wanted[start : start + CHUNK]
            query = f"sys_idIN{','.join(chunk)}^sys_updated_on>={from_}^ORDERBYsys_updated_on"
            rows = await self._ask(
                "GET", self._table, sysparm_query=query, sysparm_limit=str(CHUNK), sysparm_fields="sys_id"
            )  # fmt: skip
            found += [str(row["sys_id"]) for row in rows]
        return found, now


def _number(name: str) -> str:
    """A state by its number, or by the name that it usually has. Raises InvalidField."""
    known = {said.lower(): number for number, said in NAMES.items()}
    number = known.get(name.strip().lower(), name.strip())
    if not number.lstrip("-").isdigit():
        raise InvalidField(f"{name!r} is no state of ServiceNow", hint=f"a number, or one of: {', '.join(known)}")
    return number


def _time(text: Any) -> datetime:
    """`2026-03-10 12:00:00`, always UTC."""
    try:
        return datetime.strptime(str(text), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return EPOCH
