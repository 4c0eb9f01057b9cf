"""The APIs of PagerDuty and Opsgenie: any JSON and any change of a good body is read within limits, or refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings

from siems.domain.alert import Read
from siems.errors import UsageError
from siems.sources import Tool
from siems.sources.opsgenie import ACTS, API, reader_of
from siems.sources.pagerduty import CHANGES, EVENTS

from .test_any_json import STRANGE, paths, replaced, values, within_limits

EVENT = {
    "event_action": "trigger", "dedup_key": "k", "client": "c", "client_url": "https://x.example",
    "links": [{"href": "https://x.example"}], "images": [{"src": "https://x.example/i"}],
    "payload": {"summary": "s", "source": "h", "severity": "info", "custom_details": {"a": "b"}, "class": "disk"},
}  # fmt: skip
ALERT = {
    "message": "m", "alias": "a", "description": "d", "entity": "e", "source": "s", "priority": "P2", "tags": ["t"],
    "details": {"k": "v"}, "user": "u", "note": "n", "responders": [{"type": "team"}],
}  # fmt: skip
ACT = {"user": "u", "note": "n", "source": "s", "owner": {"username": "o"}, "tags": ["t"], "endTime": "x",
       "details": {"k": "v"}, "keys": "k", "priority": "P1", "message": "m", "description": "d"}  # fmt: skip
TOOLS: list[tuple[Tool, Any]] = [
    (EVENTS, EVENT), (CHANGES, EVENT), (API, ALERT), *((reader_of(act, "alias"), ACT) for act in (*ACTS, "close")),
]  # fmt: skip


def heard(tool: Tool, value: Any) -> Read | None:
    try:
        return tool.read(json.dumps(value).encode(), {})
    except UsageError:
        return None


@pytest.mark.parametrize(("tool", "good"), TOOLS)
def test_a_good_body_with_one_thing_changed(tool: Tool, good: Any) -> None:
    assert heard(tool, good) is not None
    for path in paths(good):
        for strange in STRANGE:
            read = heard(tool, replaced(good, path, strange))
            if read is not None:
                within_limits(read)
                assert read.readings or read.remarks or read.changes


@given(value=values)
@settings(max_examples=300)
def test_any_json(value: Any) -> None:
    for tool, _ in TOOLS:
        read = heard(tool, value)
        if read is not None:
            within_limits(read)
