"""A ServiceNow on this machine."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from aiohttp import web

from .systems import USER, Issue, System


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
