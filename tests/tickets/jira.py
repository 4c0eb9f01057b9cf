"""A Jira on this machine: Cloud, or Server."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from aiohttp import web

from .systems import Comment, Issue, Now, System

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
