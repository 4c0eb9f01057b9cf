"""Bodies in the true shape of each tool, with invented values, and what siems reads in each.

`fixtures/<tool>/<case>.json|txt` is the body as it comes over the wire. `fixtures/<tool>/expected.json` maps the
case's file name to `{"headers": {...}, "alerts": [{field: value, ...}], "said": "...", "remarks": [...],
"confirm": "..."}`; of an alert the fields that are given are compared, `severity` by its name, `message` and each
of `links` and `warnings` as a part of what is there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from siems.domain.alert import MAX_NAME, Reading
from siems.errors import InvalidField, UsageError
from siems.sources import SOURCES
from siems.sources.hearing import hear

FIXTURES = Path(__file__).parent / "fixtures"
REQUIRED = {"asset_name", "signature", "severity", "firing"}


def cases() -> list[tuple[str, str]]:
    return [
        (folder.name, file.name)
        for folder in sorted(FIXTURES.iterdir())
        for file in sorted(folder.iterdir())
        if file.name != "expected.json"
    ]


def expected(tool: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FIXTURES / tool / "expected.json").read_text())
    return found


@pytest.mark.parametrize(("tool", "file"), cases())
def test_a_body_is_read_as_it_is_meant(tool: str, file: str) -> None:
    wanted = expected(tool)[file]
    read = hear(SOURCES.get(tool), (FIXTURES / tool / file).read_bytes(), wanted.get("headers", {}))
    assert [_shown(r, w) for r, w in zip(read.readings, wanted.get("alerts", []), strict=True)] == [
        _plain(w) for w in wanted.get("alerts", [])
    ]
    assert wanted.get("said", "") in read.said
    assert bool(wanted.get("said")) == bool(read.said)
    assert [{"dedup_key": r.dedup_key, "text": r.text} for r in read.remarks] == wanted.get("remarks", [])
    assert read.confirm == wanted.get("confirm", "")
    assert read.readings or read.said or read.remarks, "nothing came of it"


def _plain(wanted: dict[str, Any]) -> dict[str, Any]:
    assert wanted.keys() >= REQUIRED, f"say at least {sorted(REQUIRED)}"
    return wanted


def _shown(reading: Reading, wanted: dict[str, Any]) -> dict[str, Any]:
    """The reading, in the form of what is wanted of it."""
    shown: dict[str, Any] = {}
    for field, value in wanted.items():
        found = getattr(reading, field)
        match field:
            case "severity":
                shown[field] = found.name
            case "message":
                shown[field] = value if value in found else found
            case "links" | "warnings":
                shown[field] = [part for part in value if any(part in item for item in found)]
            case "labels":
                shown[field] = {key: found.get(key) for key in value}
            case "starts_at":
                shown[field] = found and found.isoformat()
            case _:
                shown[field] = found
    return shown


def test_every_tool_has_bodies_that_fire_and_bodies_that_recover() -> None:
    """A tool that cannot say that it is over is named here."""
    silent = set[str]()
    for tool in SOURCES:
        assert (FIXTURES / tool).is_dir(), f"there are no fixtures of {tool}"
        firing = {alert["firing"] for case in expected(tool).values() for alert in case.get("alerts", [])}
        assert True in firing, tool
        if False not in firing:
            silent.add(tool)
    assert silent <= NEVER_OVER


NEVER_OVER: set[str] = {"falco", "graylog", "openobserve", "splunk"}
"""Tools whose bodies tell of events that have no end."""


@pytest.mark.parametrize("name", list(SOURCES))
def test_whatever_a_tool_sends_is_kept(name: str) -> None:
    """Not JSON, JSON of any kind, another tool's shape, hostile values: an alert or a clear refusal, no crash."""
    tool = SOURCES.get(name)
    for body in HOSTILE:
        for headers in (
            {},
            {"Content-Type": "application/json"},
            {"content-type": "application/x-www-form-urlencoded"},
        ):
            try:
                read = hear(tool, body, headers)
            except (UsageError, InvalidField):
                refusable = not tool.native or not body.strip()
                assert refusable, body
                continue
            for reading in read.readings:
                assert 0 < len(reading.asset_name) <= MAX_NAME
                assert 0 < len(reading.signature) <= MAX_NAME
                reading.message.encode()
                assert "\x00" not in f"{reading.message}{reading.asset_name}{reading.signature}{reading.labels}"


HOSTILE: tuple[bytes, ...] = (
    b"", b" ", b"{}", b"[]", b"null", b"0", b'"text"', b"plain words", b"a=b&c=d", b"\xff\xfe\x00", b"[" * 5_000,
    b'{"alerts": [null, 1, {}]}', b'{"alerts": {"a": 1}}', b'{"status": [], "severity": {}, "host": 7, "event": null}',
    b'{"data": [], "alert": "x", "incident": [1], "Message": "{", "labels": [1], "details": 1e400}',
    b'{"host": "a\\u0000b\\ud800", "message": "\\u001b]52;c;x\\u0007", "timestamp": -1e30}',
    b'{"severity": 99999999999999999999999, "time": "never", "link": "javascript:alert(1)"}',
    json.dumps({"message": "x" * 100_000, "host": "h" * 5_000, "title": "t" * 5_000}).encode(),
)  # fmt: skip


@pytest.mark.parametrize("name", list(SOURCES))
def test_a_tool_says_how_it_is_set_up(name: str) -> None:
    tool = SOURCES.get(name)
    filled = {"url": "URL", "base": "BASE", "key": "KEY", "secret": "SECRET", "integration": "INT", "company": "COMP"}
    setup = tool.setup.filled(filled)
    said = [*setup.steps, setup.snippet]
    assert tool.name == name
    assert tool.title
    assert len(tool.setup.steps) >= 2
    assert any("URL" in text for text in said), "the steps never say where to send to"
    assert bool(tool.setup.snippet) == bool(tool.setup.snippet_name)
