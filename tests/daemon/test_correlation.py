"""Previews over HTTP: as one answer, as lines that tell how far it is, and two at a time."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from siems.services import correlating

from .house import ALERT, House

PREVIEW = "/companies/acme/correlation/preview"


async def test_a_preview_is_one_answer_or_lines(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("siems.domain.replay.TELLS_AFTER", 1)
    for asset in ("a", "b"):
        await house.alert(ALERT | {"asset_name": asset})
    ask = {"strategy": "signature"}
    whole = (await house.ask("root", "POST", PREVIEW, ask)).json()
    assert (whole["before"]["incidents"], whole["after"]["incidents"], whole["joined"]) == (2, 1, 1)
    said = await house.ask("root", "POST", PREVIEW, ask, headers=[("Accept", "application/x-ndjson")])
    assert said.headers["content-type"] == "application/x-ndjson"
    *progress, last = (json.loads(line) for line in said.body.splitlines())
    assert progress == [{"done": number, "of": 4} for number in (1, 2, 3, 4)]
    assert last["result"]["joins"] == whole["joins"]


async def test_more_than_two_at_a_time_are_asked_to_wait(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    go, begun = threading.Event(), threading.Semaphore(0)
    real = correlating.preview

    def slow(*given: Any) -> Any:
        begun.release()
        assert go.wait(10)
        return real(*given)

    monkeypatch.setattr(correlating, "preview", slow)
    asked = [asyncio.create_task(house.ask("root", "POST", PREVIEW, {})) for _ in range(2)]
    try:
        for _ in range(2):
            assert await asyncio.to_thread(begun.acquire, timeout=10)
        third = await house.ask("root", "POST", PREVIEW, {})
    finally:
        go.set()
    assert (third.status, third.headers["retry-after"]) == (503, "5")
    assert [(await one).status for one in asked] == [200, 200]
