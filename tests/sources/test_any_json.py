"""Any JSON at all, and each tool's own bodies with one thing in them changed: never a crash, always within limits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from siems.domain.alert import MAX_LABELS, MAX_MESSAGE, MAX_NAME, Read
from siems.errors import InvalidField, UsageError
from siems.sources import SOURCES, Tool
from siems.sources.hearing import hear

FIXTURES = Path(__file__).parent / "fixtures"
STRANGE = (
    None, True, 0, -1, 1.5e300, 2**70, "", " ", "null", "\x00", "\x1b[2J", "{{x}}", "$X", "x" * 9_000, "\ud800", "0",
    "-1", "1e400", "9999-99-99T99:99:99Z", "2026-13-01", "http://", "javascript:x", [], {}, [None], [[]], {"": ""},
)  # fmt: skip

scalars = st.one_of(st.sampled_from(STRANGE), st.text(max_size=20), st.integers(), st.floats())
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)


def bodies(tool: str) -> list[Any]:
    found = []
    for file in sorted((FIXTURES / tool).iterdir()):
        if file.name != "expected.json":
            try:
                found.append(json.loads(file.read_text()))
            except ValueError:
                continue
    return found


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(path for key, item in inner for path in paths(item, (*at, key)))]


def replaced(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    if not path:
        return by
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], by)
    return copy


def heard(tool: Tool, value: Any) -> Read | None:
    body = json.dumps(value).encode()
    try:
        return hear(tool, body, {"Content-Type": "application/json", "Sentry-Hook-Resource": "issue"})
    except (UsageError, InvalidField):
        assert not tool.native, value
        return None


def within_limits(read: Read) -> None:
    for reading in read.readings:
        assert 0 < len(reading.asset_name) <= MAX_NAME
        assert 0 < len(reading.signature) <= MAX_NAME
        assert len(reading.message) <= MAX_MESSAGE
        assert len(reading.labels) <= MAX_LABELS
        assert reading.dedup_key is None or 0 < len(reading.dedup_key) <= 255
        assert len(reading.tool_source) <= 64
        assert all(link.startswith(("http://", "https://")) for link in reading.links)
        for text in (reading.asset_name, reading.signature, reading.message, reading.dedup_key or "", *reading.links):
            assert "\x00" not in text
            text.encode()
        reading.fingerprint("comp-x")


@pytest.mark.parametrize("name", list(SOURCES))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(value=values)
def test_any_json_is_heard(name: str, value: Any) -> None:
    read = heard(SOURCES.get(name), value)
    if read is not None:
        within_limits(read)


@pytest.mark.parametrize("name", list(SOURCES))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_body_with_one_strange_thing_in_it_is_heard(name: str, data: st.DataObject) -> None:
    known = bodies(name)
    if not known:
        known = [{"a": 1}]
    body = data.draw(st.sampled_from(known))
    path = data.draw(st.sampled_from(paths(body)))
    read = heard(SOURCES.get(name), replaced(body, path, data.draw(scalars)))
    if read is not None:
        within_limits(read)
        assert heard(SOURCES.get(name), body) == heard(SOURCES.get(name), body), "it says another thing each time"
