"""Jira: Cloud by version 3 of its API with e-mail and API token, Server and Data Center by version 2 with a token.

Tickets carry the labels `siems` and their correlation. Who set a status is read from the history. Times in queries are
said relative to now: Jira reads absolute ones in the time zone of whoever asks.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx

from siems.clock import EPOCH
from siems.domain.ticket import Stage
from siems.domain.ticket_sync import Author, Connection, Draft, Remote, RemoteComment
from siems.errors import InvalidField
from siems.outward import Guard
from siems.tickets import Refused, TryLater
from siems.tickets.adf import document, text_of
from siems.tickets.speaking import Denied, Speaker
from siems.vocabulary import Severity

LABEL = "siems"
MARGIN = timedelta(minutes=2)
PAGE = 100
MOST_PAGES = 10
COMMENTS = 50
STEPS = 4
PRIORITIES = {"CRITICAL": "Highest", "HIGH": "High", "MEDIUM": "Medium", "LOW": "Low"}
_CATEGORY = {"new": Stage.OPEN, "undefined": Stage.OPEN, "indeterminate": Stage.WORKING, "done": Stage.RESOLVED}
_USUAL = {
    Stage.OPEN: ("to do", "open", "reopened", "new", "backlog"),
    Stage.WORKING: ("in progress", "work in progress", "in review"),
    Stage.HELD: ("on hold", "waiting", "pending", "blocked", "waiting for customer"),
    Stage.RESOLVED: ("resolved", "done", "completed"),
    Stage.CLOSED: ("closed",),
}
_OPTIONAL = ("priority", "issuetype.priority")


def open_cloud(connection: Connection, guard: Guard | None = None) -> Jira:
    """Jira Cloud. Raises InvalidField."""
    if "@" not in connection.username:
        raise InvalidField("Jira Cloud takes an e-mail address with its API token", hint="--user you@msp.example")
    return Jira(connection, httpx.BasicAuth(connection.username, connection.secret), {}, guard, cloud=True)


def open_server(connection: Connection, guard: Guard | None = None) -> Jira:
    """Jira Server and Data Center: a personal access token; with a user name, that and a password."""
    if connection.username:
        return Jira(connection, httpx.BasicAuth(connection.username, connection.secret), {}, guard, cloud=False)
    return Jira(connection, None, {"Authorization": f"Bearer {connection.secret}"}, guard, cloud=False)


class Jira:
    """One account of one Jira."""

    def __init__(
        self, connection: Connection, auth: httpx.Auth | None, headers: Mapping[str, str], guard: Guard | None,
        *, cloud: bool,
    ) -> None:  # fmt: skip
        if not connection.project:
            raise InvalidField("Jira needs the key of a project", hint="--project OPS")
        self._speaker = Speaker(connection.url, auth=auth, headers=headers, guard=guard)
        self._c = connection
        self._rules = connection.rules
        self._cloud = cloud
        self._api = f"rest/api/{3 if cloud else 2}"
        self._me: dict[str, Any] | None = None

    async def close(self) -> None:
        await self._speaker.close()

    async def check(self) -> str:
        me = await self._ask("GET", "myself")
        project = await self._ask("GET", f"project/{quote(self._c.project, safe='')}")
        name = me.get("displayName") or me.get("name") or "?"
        return f"{name} in {project.get('name', self._c.project)} ({project.get('key', self._c.project)})"

    async def _ask(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        return await self._speaker.ask(method, f"{self._api}/{path}", body, query=query or None)

    def _text(self, text: str) -> Any:
        return document(text) if self._cloud else text

    # --- out ---------------------------------------------------------------------------------------------------

    async def open(self, draft: Draft) -> Remote:
        fields: dict[str, Any] = {
            "project": {"key": self._c.project},
            "issuetype": {"name": self._rules.ticket_type or "Task"},
            "summary": draft.summary,
            "description": self._text(draft.description),
            "labels": [LABEL, draft.correlation],
            "priority": {"name": self._priority(draft.severity)},
            **self._rules.fields,
        }
        try:
            made = await self._ask("POST", "issue", {"fields": fields})
        except Denied as why:
            if "priority" not in _complaints(why):
                raise
            del fields["priority"]  # the project's screen has no such field, or no such value: a ticket all the same
            made = await self._ask("POST", "issue", {"fields": fields})
        return await self.read(str(made["id"]))

    def _priority(self, severity: Severity) -> str:
        return self._rules.priorities.get(severity.name) or PRIORITIES[severity.name]

    async def find(self, correlation: str) -> Remote | None:
        found = await self._search(f'labels = "{correlation}" ORDER BY created ASC')
        return await self.read(found[0]) if found else None

    async def update(self, external_id: str, draft: Draft, *, linked: bool) -> None:
        if linked:
            labels = [{"add": LABEL}, {"add": draft.correlation}]
            await self._ask("PUT", _issue(external_id), {"update": {"labels": labels}})
            return
        try:
            body = {"fields": {"priority": {"name": self._priority(draft.severity)}}}
            await self._ask("PUT", _issue(external_id), body)
        except Denied as why:
            if "priority" not in _complaints(why):
                raise

    async def comment(self, external_id: str, text: str, *, public: bool) -> str:
        body: dict[str, Any] = {"body": self._text(text)}
        # service desks show a comment to their customers unless it says that it is internal
        body["properties"] = [{"key": "sd.public.comment", "value": {"internal": not public}}]
        made = await self._ask("POST", f"{_issue(external_id)}/comment", body)
        return str(made.get("id", ""))

    async def commented(self, external_id: str, mark: str) -> str | None:
        found = await self._comments(external_id)
        return next((comment.id for comment in found if comment.text.rstrip().endswith(mark)), None)

    async def link(self, external_id: str, other_key: str) -> None:
        this = await self._ask("GET", _issue(external_id), fields="status")
        body = {
            "type": {"name": "Relates"}, "inwardIssue": {"key": this["key"]}, "outwardIssue": {"key": other_key}
        }  # fmt: skip
        await self._ask("POST", "issueLink", body)

    async def transition(self, external_id: str, stage: Stage, note: str) -> Remote:
        """The note is not used: what is said about a move goes into a comment of its own."""
        tried: set[str] = set()
        for _ in range(STEPS):
            now = await self.read(external_id)
            if self._there(now, stage):
                return now
            ways = (await self._ask("GET", f"{_issue(external_id)}/transitions", expand="transitions.fields")).get(
                "transitions", []
            )
            way = self._way(ways, stage, now, tried)
            if way is None:
                if now.stage.group == stage.group:
                    return now  # there is no closer word for it in this workflow
                names = ", ".join(sorted(str(_to(w).get("name")) for w in ways)) or "nowhere"
                raise Refused(f"no way from {now.state} to {stage.value}: its workflow leads to {names}")
            tried.add(str(way["id"]))
            await self._ask("POST", f"{_issue(external_id)}/transitions", _step(way))
        return await self.read(external_id)

    def _there(self, now: Remote, stage: Stage) -> bool:
        if stage in self._rules.states:
            return now.state.lower() == self._rules.states[stage].lower()
        return now.stage is stage

    def _way(
        self, ways: list[dict[str, Any]], stage: Stage, now: Remote, tried: set[str]
    ) -> dict[str, Any] | None:  # fmt: skip
        """The transition to take: by the name that was set, by the usual names, by category; else one step further."""
        left = [way for way in ways if str(way.get("id")) not in tried]
        wanted = [self._rules.states[stage].lower()] if stage in self._rules.states else list(_USUAL[stage])
        for name in wanted:
            for way in left:
                if name in (str(_to(way).get("name", "")).lower(), str(way.get("name", "")).lower()):
                    return way
        if now.stage.group == stage.group:
            return None
        for way in left:
            if self._stage(_to(way)).group == stage.group:
                return way
        on = [way for way in left if self._stage(_to(way)) is Stage.WORKING and now.stage is not Stage.WORKING]
        return next(iter(on), None)

    # --- in ----------------------------------------------------------------------------------------------------

    async def read(self, key: str) -> Remote:
        found = await self._ask("GET", _issue(key), fields="status,resolution,updated,summary", expand="changelog")
        fields, status = found.get("fields") or {}, (found.get("fields") or {}).get("status") or {}
        at, by = self._moved(found, await self._who_am_i())
        resolution = fields.get("resolution") or {}
        return Remote(
            external_id=str(found["id"]), key=str(found["key"]), url=f"{self._c.url}/browse/{found['key']}",
            state=str(status.get("name", "")), stage=self._stage(status), state_at=at, by=by,
            resolution=str(resolution.get("name") or "") if isinstance(resolution, dict) else "",
            comments=tuple(await self._comments(str(found["id"]))),
        )  # fmt: skip

    def _stage(self, status: Mapping[str, Any]) -> Stage:
        name = str(status.get("name", "")).lower()
        for stage, said in self._rules.states.items():
            if said.lower() == name:
                return stage
        category = str((status.get("statusCategory") or {}).get("key", ""))
        stage = _CATEGORY.get(category, Stage.OPEN)
        if stage is Stage.RESOLVED and name in _USUAL[Stage.CLOSED]:
            return Stage.CLOSED
        return stage

    async def _who_am_i(self) -> dict[str, Any]:
        if self._me is None:
            self._me = await self._ask("GET", "myself")
        return self._me

    def _author(self, person: Any, me: Mapping[str, Any]) -> Author:
        found = person if isinstance(person, dict) else {}
        ours = any(found.get(name) and found.get(name) == me.get(name) for name in ("accountId", "key", "name"))
        name = str(found.get("displayName") or found.get("name") or "somebody")
        return Author(name=name[:80], email=str(found.get("emailAddress") or ""), ours=ours)

    def _moved(self, issue: Mapping[str, Any], me: Mapping[str, Any]) -> tuple[datetime | None, Author | None]:
        """(when the status was last changed, by whom)."""
        histories = (issue.get("changelog") or {}).get("histories") or []
        moves = [
            (_time(h.get("created")), h)
            for h in histories
            if any(item.get("field") == "status" for item in h.get("items") or ())
        ]
        if not moves:
            return None, None
        at, last = max(moves, key=lambda move: (move[0], str(move[1].get("id"))))
        return at, self._author(last.get("author"), me)

    async def _comments(self, external_id: str) -> list[RemoteComment]:
        me = await self._who_am_i()
        found = await self._ask(
            "GET", f"{_issue(external_id)}/comment", orderBy="-created", maxResults=str(COMMENTS)
        )  # fmt: skip
        return [
            RemoteComment(
                id=str(c["id"]), at=_time(c.get("created")), author=self._author(c.get("author"), me),
                text=text_of(c.get("body")),
            )
            for c in found.get("comments") or ()
        ]  # fmt: skip

    async def changed(self, since: datetime, ids: Collection[str], now: datetime) -> tuple[list[str], datetime]:
        if not ids:
            return [], now
        minutes = max(1, math.ceil((now - since + MARGIN).total_seconds() / 60))
        jql = f'project = "{self._c.project}" AND labels = {LABEL} AND updated >= "-{minutes}m" ORDER BY updated ASC'
        found = await self._search(jql)
        return [external_id for external_id in found if external_id in ids], now

    async def _search(self, jql: str) -> list[str]:
        """The ids that a query finds."""
        found: list[str] = []
        after = ""
        for _ in range(MOST_PAGES):
            body: dict[str, Any] = {"jql": jql, "maxResults": PAGE, "fields": ["id"] if self._cloud else ["updated"]}
            if self._cloud:
                page = await self._ask("POST", "search/jql", body | ({"nextPageToken": after} if after else {}))
            else:
                page = await self._ask("POST", "search", body | {"startAt": len(found)})
            issues = page.get("issues") or []
            found += [str(issue["id"]) for issue in issues]
            after = str(page.get("nextPageToken") or "")
            if not issues or (self._cloud and not after) or (not self._cloud and len(found) >= page.get("total", 0)):
                return found
        raise TryLater(f"more than {PAGE * MOST_PAGES} tickets at once")


def _issue(key: str) -> str:
    return f"issue/{quote(key, safe='')}"


def _to(way: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = way.get("to") or {}
    return found


def _step(way: Mapping[str, Any]) -> dict[str, Any]:
    """A transition with the resolution, where its screen asks for one."""
    body: dict[str, Any] = {"transition": {"id": str(way["id"])}}
    field = (way.get("fields") or {}).get("resolution") or {}
    if field.get("required"):
        names = [str(value.get("name")) for value in field.get("allowedValues") or () if value.get("name")]
        usual = [name for name in ("Done", "Fixed", "Resolved") if name in names]
        body["fields"] = {"resolution": {"name": (usual or names or ["Done"])[0]}}
    return body


def _complaints(why: Denied) -> Collection[str]:
    """The fields that a refusal names."""
    errors = why.answer.get("errors") if isinstance(why.answer, dict) else None
    return list(errors) if isinstance(errors, dict) else []


def _time(text: Any) -> datetime:
    """`2026-03-10T12:00:00.000+0000`, as Jira writes times."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return EPOCH
    return found if found.tzinfo is not None else EPOCH
