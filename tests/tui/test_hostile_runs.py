"""What hosts print, what runbooks are called and what people give as reasons reaches no terminal raw."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from driving import opened
from scripted import ScriptedClient
from scripted_runs import book, host, piece, run, step, suggestion
from test_hostile import CORPUS, check

from siems import wire

LONGEST = 20_000
"""More of the same says nothing new, and takes long to paint so often."""


class Poisoned(ScriptedClient):
    """Every text of a run is this one."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        one = host(text, "failed", 2, text)
        one.platform = one.executor = text
        one.steps = [msgspec.structs.replace(step(1, "failed"), name=text, state=text, detail=text)]
        told: dict[str, Any] = dict.fromkeys(
            ("company", "runbook", "title", "detail", "reason", "requested_by_name", "answered_by_name"), text
        )
        told |= {"values": {text: text}, "hosts": [one, host(text[:9] + "2")]}
        ends = {"answered_at": one.started_at, "actions": ["approve", "cancel"]}
        waits = msgspec.structs.replace(run(91, "pending_approval", []), **told)
        failed = msgspec.structs.replace(run(93, "failed", []), **told, **ends)
        odd = msgspec.structs.replace(run(95, "running", []), **told, state=text, risk=text, standing=text)
        self.run_list = [waits, failed, odd]
        self.output = [piece(1, text, text), piece(2, text, f"{text}\n", 2, error=True)]
        written = book("x", "medium")
        written.title = written.category = written.risk = text
        for one_parameter in written.parameters:
            one_parameter.description = one_parameter.default = one_parameter.wants = text
        self.books = {"x": written}

    def suggested_runbooks(self, ref: str) -> list[dict[str, Any]]:
        found = suggestion("x", self.text, 2)
        found.title = self.text
        return [msgspec.to_builtins(found)]

    def run_commands(self, ref: str) -> list[dict[str, Any]]:
        one = wire.RunCommand(phase=self.text, step=self.text, shell=self.text, script=self.text, timeout_seconds=1)
        return msgspec.to_builtins([wire.RunScripts(platform=self.text, commands=[one])])

    def rehearse_run(self, **ask: Any) -> dict[str, Any]:
        made: dict[str, Any] = msgspec.to_builtins(run(95, "queued", [host("x")]))
        command = {"phase": self.text, "step": self.text, "shell": self.text, "script": self.text, "timeout_seconds": 1}
        target = {"name": self.text, "platform": self.text, "executor": self.text, "address": self.text,
                  "note": self.text, "commands": [command]}  # fmt: skip
        plan = dict.fromkeys(("company_id", "company", "runbook", "title", "origin", "risk", "approval"), self.text)
        return {"run": made, "plan": {
            **plan, "approvers": [self.text], "standing": "", "values": {}, "targets": [target], "notes": [self.text],
        }}  # fmt: skip


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=str)
@pytest.mark.parametrize("name", CORPUS)
async def test_screens_of_runs(name: str, size: tuple[int, int]) -> None:
    client = Poisoned(CORPUS[name][:LONGEST])
    async with opened(client, target="runs", size=size) as it:
        for keys in ("", "y", "escape", "enter", "x", "x", "Y", "escape", "question_mark", "escape", "q", "j", "enter"):
            if keys:
                it.time[0] += 1
                await it.press(keys)
            check(it.app)
        for keys in (
            "L",
            "enter",
            "k",
            "enter",
            "Z",
            "escape",
            "q",
            "j",
            "enter",
            "q",
            "1",
            "R",
            "enter",
            "escape",
            "d",
        ):
            it.time[0] += 1
            await it.press(keys)
            check(it.app)
