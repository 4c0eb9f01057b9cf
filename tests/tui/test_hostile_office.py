"""Names of clients, people, policies and tools reach no terminal raw, in lists, forms and windows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from driving import Session, opened
from offices import company, policy, tool, way
from scripted import NOW, ScriptedClient
from streamed import user
from test_hostile import CORPUS, check

KEYS = {
    "companies": (
        "enter",
        "pagedown",
        "pagedown",
        "pagedown",
        "escape",
        "I",
        "enter",
        "v",
        "4",
        "escape",
        "escape",
        "w",
    ),
    "users": ("enter", "down", "escape", "y", "escape"),
    "policies": ("enter", "s", "right", "escape", "j", "escape"),
}


class Poisoned(ScriptedClient):
    """Every text of the office is this one."""

    def __init__(self, text: str) -> None:
        super().__init__([])
        self.role, self.text = "admin", text
        self.clients = [company(text, text, id="comp-x", oncall=text, assign=text, paging=text)]
        self.ways = [
            way(1, "comp-x", text, key_hint=text, refused_at=NOW - timedelta(minutes=1), refused_cause=text),
            way(8, "comp-x", text, refused_cause=text),
        ]
        jon = user("x", "technician")
        jon.name = jon.email = jon.availability = text
        jon.companies, jon.skills = [text], [text]
        self.people = [jon]
        self.chains = [policy("x", used=(text,))]
        self.chains[0].name = self.chains[0].company_id = text
        self.chains[0].policy["steps"] = [{"targets": [text], "wait": {text: text}}]

    def tools(self) -> list[dict[str, Any]]:
        return [{**vars_of(tool("x", self.text)), "name": self.text, "aliases": [self.text]}]

    def try_policy(self, ref: str, **ask: Any) -> dict[str, Any]:
        answer = super().try_policy(ref, **ask)
        answer["company_id"] = self.text
        answer["steps"][0] |= {"kind": self.text, "text": self.text, "people": [self.text], "inbox": [self.text]}
        return answer

    def _made(self, number: int, company_id: str, tool: str) -> dict[str, Any]:
        return super()._made(number, company_id, tool) | {
            "company_id": self.text, "tool": self.text, "webhook_url": self.text, "queue_url": self.text,
            "setup": {
                "steps": [self.text], "snippet": f"{self.text}\n{self.text}", "snippet_name": self.text, "docs": "",
            },
        }  # fmt: skip


def vars_of(one: Any) -> dict[str, Any]:
    import msgspec

    found: dict[str, Any] = msgspec.to_builtins(one)
    return found


async def looked_at(it: Session, keys: tuple[str, ...]) -> None:
    check(it.app)
    for key in keys:
        await it.press(key)
        check(it.app)


TEXTS = {"all at once": " ".join(text[:40] for text in CORPUS.values()), "long": "\x1b]0;x\x07日" * 400}


@pytest.mark.parametrize("target", KEYS)
@pytest.mark.parametrize("name", TEXTS)
async def test_lists_and_forms(name: str, target: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with opened(Poisoned(TEXTS[name]), target=target) as it:
        await looked_at(it, KEYS[target])
