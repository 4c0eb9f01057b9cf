"""Jira Cloud, Jira Server and ServiceNow on this machine: they keep tickets, ask for tokens, throttle, fail, hang, and
hang up after they have accepted. People can be let work in them."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

USER, SECRET = "siems@msp.example", "a-secret-token"
Now = Callable[[], datetime]


@dataclass
class Comment:
    id: str
    at: datetime
    author: str
    text: str
    public: bool


@dataclass
class Issue:
    id: str
    key: str
    fields: dict[str, Any]
    status: str
    updated: datetime
    comments: list[Comment] = field(default_factory=list)
    history: list[tuple[datetime, str, str, str]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)


@dataclass
class Trouble:
    """What happens to one request. `after`: it is done, and then this."""

    status: int = 0
    retry_after: str = ""
    hang: bool = False
    hang_up: bool = False
    after: bool = False
    method: str = ""
    path: str = ""

    def fits(self, request: web.Request) -> bool:
        return self.method in ("", request.method) and self.path in request.path


class System:
    """One server in a thread of its own. `troubles` are met by the next requests that they fit, in order."""

    def __init__(self, now: Now | None = None) -> None:
        self.now: Now = now or (lambda: datetime.now(UTC))
        self.issues: dict[str, Issue] = {}
        self.requests: list[tuple[str, str]] = []
        self.refused = 0
        self.troubles: list[Trouble] = []
        self.url = ""
        self.secret = SECRET
        self._numbers = iter(range(10_001, 1 << 30))
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    # --- the server --------------------------------------------------------------------------------------------

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(10)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        runner = self._loop.run_until_complete(self._listen())
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        pending = asyncio.all_tasks(self._loop)
        for task in pending:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        self._loop.close()

    async def _listen(self) -> web.AppRunner:
        app = web.Application(middlewares=[self._door])
        self.routes(app.router)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        assert runner.addresses
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    def routes(self, router: web.UrlDispatcher) -> None:
        raise NotImplementedError

    @web.middleware
    async def _door(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.requests.append((request.method, request.path))
        if not self.lets_in(request.headers.get("Authorization", "")):
            self.refused += 1
            return web.json_response({"message": "not authenticated"}, status=401)
        trouble = next((t for t in self.troubles if t.fits(request)), None)
        if trouble is not None:
            self.troubles.remove(trouble)
            if not trouble.after:
                await self._befall(trouble, request)
                return self._failure(trouble)
        response = await handler(request)
        if trouble is not None:
            await self._befall(trouble, request)
            if trouble.status:
                return self._failure(trouble)
        return response

    async def _befall(self, trouble: Trouble, request: web.Request) -> None:
        if trouble.hang:
            await asyncio.Event().wait()
        if trouble.hang_up:
            assert request.transport is not None
            request.transport.abort()
            raise asyncio.CancelledError

    def _failure(self, trouble: Trouble) -> web.Response:
        headers = {"Retry-After": trouble.retry_after} if trouble.retry_after else {}
        return web.json_response({"errorMessages": ["overloaded"]}, status=trouble.status, headers=headers)

    def lets_in(self, said: str) -> bool:
        return said == "Basic " + base64.b64encode(f"{USER}:{self.secret}".encode()).decode()

    # --- people ------------------------------------------------------------------------------------------------

    @property
    def only(self) -> Issue:
        assert len(self.issues) == 1, list(self.issues)
        return next(iter(self.issues.values()))

    def move(self, status: str, by: str = "maria", issue: Issue | None = None) -> None:
        """Somebody gives a ticket another state."""
        found = issue or self.only
        found.history.append((self.now(), by, found.status, status))
        found.status, found.updated = status, self.now()
        found.fields["sys_updated_by"] = by

    def write(self, text: str, by: str = "maria", issue: Issue | None = None, *, public: bool = False) -> Comment:
        """Somebody writes a comment."""
        found = issue or self.only
        comment = Comment(str(next(self._numbers)), self.now(), by, text, public)
        found.comments.append(comment)
        found.updated = self.now()
        found.fields["sys_updated_by"] = by
        return comment

    def texts(self, issue: Issue | None = None) -> list[str]:
        return [comment.text for comment in (issue or self.only).comments]

    def count(self, method: str, path: str) -> int:
        return sum(m == method and re.search(path, p) is not None for m, p in self.requests)


# --- Jira ------------------------------------------------------------------------------------------------------

CATEGORY = {
    "To Do": "new", "Reopened": "new", "In Progress": "indeterminate", "In Review": "indeterminate", "Done": "done",
    "Resolved": "done", "Closed": "done",
}  # fmt: skip
SIMPLE = {name: ["To Do", "In Progress", "Done"] for name in ("To Do", "In Progress", "Done")}
STRICT = {
    "To Do": ["In Progress"], "In Progress": ["Resolved"], "Resolved": ["Closed", "Reopened"],
    "Closed": ["Reopened"], "Reopened": ["In Progress"],
}  # fmt: skip
OURS = "siems-account"


def jira_time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}+0000"


class JiraSystem(System):
    """A project OPS. `cloud`: version 3 with its document format; else version 2 with a bearer token."""

    def __init__(self, now: Now | None = None, *, cloud: bool = True) -> None:
        super().__init__(now)
        self.cloud = cloud
        self.workflow = SIMPLE
        self.no_priority = False
        self.asks_resolution = False

    def lets_in(self, said: str) -> bool:
        return super().lets_in(said) if self.cloud else said == f"Bearer {self.secret}"

    def routes(self, router: web.UrlDispatcher) -> None:
        api = f"/rest/api/{3 if self.cloud else 2}"
        router.add_get(f"{api}/myself", self.myself)
        router.add_get(f"{api}/project/OPS", self.project)
        router.add_post(f"{api}/issue", self.create)
        router.add_get(f"{api}/issue/{{id}}", self.show)
        router.add_put(f"{api}/issue/{{id}}", self.edit)
        router.add_get(f"{api}/issue/{{id}}/transitions", self.ways)
        router.add_post(f"{api}/issue/{{id}}/transitions", self.go)
        router.add_get(f"{api}/issue/{{id}}/comment", self.comments)
        router.add_post(f"{api}/issue/{{id}}/comment", self.say)
        router.add_post(f"{api}/issueLink", self.join)
        router.add_post(f"{api}/search/jql" if self.cloud else f"{api}/search", self.search)

    def _person(self, name: str) -> dict[str, str]:
        shown = {"displayName": name.title(), "emailAddress": f"{name}@msp.example"}
        return shown | ({"accountId": f"id-{name}"} if self.cloud else {"name": name, "key": name})

    def _find(self, request: web.Request) -> Issue:
        word = request.match_info["id"]
        for issue in self.issues.values():
            if word in (issue.id, issue.key):
                return issue
        raise web.HTTPNotFound(
            text=json.dumps({"errorMessages": ["Issue does not exist or you do not have permission to see it."]}),
            content_type="application/json",
        )

    async def myself(self, request: web.Request) -> web.Response:
        return web.json_response(self._person(OURS))

    async def project(self, request: web.Request) -> web.Response:
        return web.json_response({"key": "OPS", "name": "Operations"})

    async def create(self, request: web.Request) -> web.Response:
        fields = (await request.json())["fields"]
        errors = {}
        if fields.get("project") != {"key": "OPS"}:
            errors["project"] = "valid project is required"
        if self.no_priority and "priority" in fields:
            errors["priority"] = "Field 'priority' cannot be set. It is not on the appropriate screen, or unknown."
        if self.cloud != isinstance(fields.get("description"), dict):
            errors["description"] = "Operation value must be an Atlassian Document"
        if any(" " in label for label in fields.get("labels", ())):
            errors["labels"] = "The label contains spaces which is invalid."
        if errors:
            return web.json_response({"errorMessages": [], "errors": errors}, status=400)
        return web.json_response(self._brief(self.make(fields)), status=201)

    def make(self, fields: dict[str, Any] | None = None) -> Issue:
        number = next(self._numbers)
        key = f"OPS-{len(self.issues) + 1}"
        issue = Issue(str(number), key, fields or {"labels": [], "summary": "by hand"}, "To Do", self.now())
        self.issues[issue.id] = issue
        return issue

    def _brief(self, issue: Issue) -> dict[str, str]:
        return {"id": issue.id, "key": issue.key, "self": f"{self.url}/rest/api/3/issue/{issue.id}"}

    def _status(self, name: str) -> dict[str, Any]:
        return {"name": name, "statusCategory": {"key": CATEGORY[name]}}

    async def show(self, request: web.Request) -> web.Response:
        issue = self._find(request)
        done = CATEGORY[issue.status] == "done"
        fields = {
            "status": self._status(issue.status), "updated": jira_time(issue.updated),
            "resolution": {"name": issue.fields.get("resolution", "Done")} if done else None,
        }  # fmt: skip
        histories = [
            {
                "id": str(i), "created": jira_time(at), "author": self._person(by),
                "items": [{"field": "status", "fromString": was, "toString": to}],
            }
            for i, (at, by, was, to) in enumerate(issue.history)
        ]  # fmt: skip
        if self.cloud:
            histories.reverse()  # newest first
        return web.json_response(self._brief(issue) | {"fields": fields, "changelog": {"histories": histories}})

    async def edit(self, request: web.Request) -> web.Response:
        issue, body = self._find(request), await request.json()
        if self.no_priority and "priority" in body.get("fields", {}):
            return web.json_response({"errors": {"priority": "cannot be set"}}, status=400)
        issue.fields |= body.get("fields", {})
        for change in body.get("update", {}).get("labels", ()):
            issue.fields.setdefault("labels", []).append(change["add"])
        issue.updated = self.now()
        return web.Response(status=204)

    def _ways(self, issue: Issue) -> list[dict[str, Any]]:
        ways = []
        for name in self.workflow[issue.status]:
            if name != issue.status:
                way = {"id": f"{10 + list(CATEGORY).index(name)}", "name": f"to {name}", "to": self._status(name)}
                if self.asks_resolution and CATEGORY[name] == "done":
                    way["fields"] = {"resolution": {"required": True, "allowedValues": [{"name": "Fixed"}]}}
                ways.append(way)
        return ways

    async def ways(self, request: web.Request) -> web.Response:
        return web.json_response({"transitions": self._ways(self._find(request))})

    async def go(self, request: web.Request) -> web.Response:
        issue, body = self._find(request), await request.json()
        way = next((w for w in self._ways(issue) if w["id"] == body["transition"]["id"]), None)
        missing = way and way.get("fields") and "resolution" not in body.get("fields", {})
        if way is None or missing:
            return web.json_response({"errors": {"resolution": "is required"}}, status=400)
        self.move(way["to"]["name"], OURS, issue)
        return web.Response(status=204)

    def _comment(self, comment: Comment) -> dict[str, Any]:
        lines = [[{"type": "text", "text": line}] for line in comment.text.split("\n") if line]
        document = {"type": "doc", "content": [{"type": "paragraph", "content": line} for line in lines]}
        return {
            "id": comment.id, "author": self._person(comment.author), "created": jira_time(comment.at),
            "body": document if self.cloud else comment.text,
        }  # fmt: skip

    async def comments(self, request: web.Request) -> web.Response:
        most = int(request.query.get("maxResults", "50"))
        found = [self._comment(c) for c in reversed(self._find(request).comments)][:most]
        return web.json_response({"comments": found, "total": len(found)})

    async def say(self, request: web.Request) -> web.Response:
        issue, body = self._find(request), await request.json()
        text = body["body"] if not self.cloud else "\n".join(_text(block) for block in body["body"]["content"])
        internal = body["properties"][0]["value"]["internal"]
        made = self.write(text, OURS, issue, public=not internal)
        return web.json_response(self._comment(made), status=201)

    async def join(self, request: web.Request) -> web.Response:
        body = await request.json()
        for issue in self.issues.values():
            if issue.key == body["inwardIssue"]["key"]:
                issue.links.append(body["outwardIssue"]["key"])
        return web.Response(status=201)

    async def search(self, request: web.Request) -> web.Response:
        body = await request.json()
        found = [issue for issue in self.issues.values() if self._matches(issue, body["jql"])]
        start = int(body.get("nextPageToken") or body.get("startAt") or 0)
        page = found[start : start + 2]  # small pages: whoever does not read on misses something
        answer: dict[str, Any] = {"issues": [{"id": issue.id} for issue in page], "total": len(found)}
        if self.cloud and start + 2 < len(found):
            answer["nextPageToken"] = str(start + 2)
        return web.json_response(answer)

    def _matches(self, issue: Issue, jql: str) -> bool:
        for label in re.findall(r'labels = "?([\w-]+)"?', jql):
            if label not in issue.fields.get("labels", ()):
                return False
        if minutes := re.search(r'updated >= "-(\d+)m"', jql):
            return (self.now() - issue.updated).total_seconds() <= int(minutes[1]) * 60
        return True


def _text(block: dict[str, Any]) -> str:
    return "".join("\n" if node["type"] == "hardBreak" else node["text"] for node in block.get("content", ()))


# --- ServiceNow ------------------------------------------------------------------------------------------------


class SnowSystem(System):
    """A table `incident`, and its journal."""

    stuck = False

    def routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/api/now/table/incident", self.list)
        router.add_post("/api/now/table/incident", self.create)
        router.add_get("/api/now/table/incident/{id}", self.show)
        router.add_patch("/api/now/table/incident/{id}", self.edit)
        router.add_get("/api/now/table/sys_journal_field", self.journal)

    def _time(self, at: datetime) -> str:
        return at.strftime("%Y-%m-%d %H:%M:%S")

    def _shown(self, issue: Issue) -> dict[str, Any]:
        fields = {"close_notes": "", "correlation_id": "", "sys_updated_by": USER} | issue.fields
        return fields | {
            "sys_id": issue.id, "number": issue.key, "state": issue.status, "sys_updated_on": self._time(issue.updated)
        }  # fmt: skip

    def make(self, fields: dict[str, Any] | None = None) -> Issue:
        number = len(self.issues) + 1
        issue = Issue(f"{number:032x}", f"INC{number:07}", fields or {"sys_updated_by": "maria"}, "1", self.now())
        self.issues[issue.id] = issue
        return issue

    async def list(self, request: web.Request) -> web.Response:
        query, found = request.query.get("sysparm_query", ""), []
        for issue in self.issues.values():
            shown = self._shown(issue)
            for term in query.split("^"):
                if term.startswith("sys_idIN") and issue.id not in term[8:].split(","):
                    break
                if (m := re.fullmatch(r"(correlation_id|number)=(.*)", term)) and shown[m[1]] != m[2]:
                    break
                if term.startswith("sys_updated_on>=") and shown["sys_updated_on"] < term[16:]:
                    break
            else:
                found.append(shown)
        return web.json_response({"result": found[: int(request.query.get("sysparm_limit", "100"))]})

    async def create(self, request: web.Request) -> web.Response:
        issue = self.make(await request.json() | {"sys_updated_by": USER})
        return web.json_response({"result": self._shown(issue)}, status=201)

    def _find(self, request: web.Request) -> Issue:
        found = self.issues.get(request.match_info["id"])
        if found is None:
            text = json.dumps({"error": {"message": "No Record found", "detail": "Record doesn't exist"}})
            raise web.HTTPNotFound(text=text, content_type="application/json")
        return found

    async def show(self, request: web.Request) -> web.Response:
        return web.json_response({"result": self._shown(self._find(request))})

    async def edit(self, request: web.Request) -> web.Response:
        issue, body = self._find(request), await request.json()
        for name in ("work_notes", "comments"):
            if text := body.pop(name, ""):
                self.write(text, USER, issue, public=name == "comments")
        state = body.pop("state", issue.status)
        if state in ("6", "7") and state != issue.status and not (body.get("close_code") and body.get("close_notes")):
            error = {"message": "Operation Failed", "detail": "Data Policy Exception: close notes are mandatory"}
            return web.json_response({"error": error}, status=403)
        issue.fields |= body
        if state != issue.status and not self.stuck:
            self.move(state, USER, issue)
        issue.fields["sys_updated_by"], issue.updated = USER, self.now()
        return web.json_response({"result": self._shown(issue)})

    async def journal(self, request: web.Request) -> web.Response:
        found = re.search(r"element_id=(\w+)", request.query["sysparm_query"])
        assert found
        rows = [
            {
                "sys_id": c.id, "element": "comments" if c.public else "work_notes", "value": c.text,
                "sys_created_on": self._time(c.at), "sys_created_by": c.author,
            }
            for c in reversed(self.issues[found[1]].comments)
        ]  # fmt: skip
        return web.json_response({"result": rows})


@contextlib.contextmanager
def running(system: System) -> Iterator[Any]:
    """A system that listens, for as long as a test needs it."""
    system.start()
    try:
        yield system
    finally:
        system.stop()
