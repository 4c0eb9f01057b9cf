"""A folder of bodies is checked: what siems made of each, and what it did not understand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from siems.daemon import bodies, main
from siems.errors import NotFound, UsageError
from siems.sources import SOURCES, Headers, Read

FIRING = {"asset_name": "pump-1", "signature": "pressure_low", "severity": "high"}


def put(folder: Path, name: str, body: object) -> Path:
    """A body in its tool's folder, as JSON or as it is."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(body if isinstance(body, str) else json.dumps(body))
    return file


def outcomes(folder: Path) -> dict[str, str]:
    return {body["file"]: body["outcome"] for body in bodies.check(folder)["bodies"]}


def test_alerts_and_stated_non_alerts_are_well(tmp_path: Path) -> None:
    put(tmp_path, "generic/one.json", FIRING)
    put(tmp_path, "_reconstructed/generic/over.json", {**FIRING, "status": "resolved"})
    put(tmp_path, "synology/test.json", {"text": "This is a test message from nas-1"})
    found = bodies.check(tmp_path)
    assert found["ok"]
    assert bodies.verdict(found) is None
    assert found["outcomes"] == {
        "alert": 2, "stated": 1, "unknown": 0, "refused": 0, "crash": 0, "no source": 0,
    }  # fmt: skip
    one, test, over = found["bodies"]
    assert one["alerts"] == [
        {
            "severity": "HIGH",
            "firing": True,
            "asset_name": "pump-1",
            "signature": "pressure_low",
            "dedup_key": None,
        }
    ]
    assert not over["alerts"][0]["firing"]
    assert "test message" in test["said"]


def test_what_is_not_understood_is_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "alertmanager/odd.json", {"unheard": "of"})
    put(tmp_path, "generic/odd.json", {"unheard": "of"})
    put(tmp_path, "synology/bug.json", {"text": "x"})
    put(tmp_path, "telegraph/a.json", {})

    def buggy(body: bytes, headers: Headers) -> Read:
        raise KeyError("host")

    monkeypatch.setattr(type(SOURCES), "get", _with(SOURCES.get, synology=buggy))
    found = bodies.check(tmp_path)
    assert {body["file"]: body["outcome"] for body in found["bodies"]} == {
        "alertmanager/odd.json": "unknown",
        "generic/odd.json": "refused",
        "synology/bug.json": "crash",
        "telegraph/a.json": "no source",
    }
    error = bodies.verdict(found)
    assert error is not None
    assert error.exit == 9
    assert "1 unknown, 1 refused, 1 crash, 1 no source" in error.message


def _with(get: object, **reads: object) -> object:
    """`SOURCES.get` with other readers for some tools."""
    from dataclasses import replace

    def got(registry: object, name: str) -> object:
        tool = get(name)  # type: ignore[operator]
        return replace(tool, read=reads[name]) if name in reads else tool

    return got


def test_a_folder_may_have_an_alias_for_a_name(tmp_path: Path) -> None:
    put(tmp_path, "alerts/one.json", FIRING)
    assert outcomes(tmp_path) == {"alerts/one.json": "alert"}


def test_what_tells_of_bodies_is_none(tmp_path: Path) -> None:
    put(tmp_path, "README.md", "about")
    put(tmp_path, "generic/NOTES.md", "about")
    put(tmp_path, "generic/.hidden", "about")
    put(tmp_path, "generic/one.json", FIRING)
    assert list(outcomes(tmp_path)) == ["generic/one.json"]


def test_headers_come_from_the_index_and_from_the_capture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Headers] = {}

    def note(body: bytes, headers: Headers) -> Read:
        seen[body.decode()] = headers
        return Read(said="seen")

    monkeypatch.setattr(type(SOURCES), "get", _with(SOURCES.get, generic=note))
    put(tmp_path, "generic/a.json", "a")
    put(tmp_path, "generic/b.txt", "POST /hook HTTP/1.1\nX-Kind: test\nContent-Type: text/plain\n\nb")
    put(tmp_path, "generic/c.txt", "no header\n\nbut words")
    put(tmp_path, "INDEX.tsv", "file\ttool\theaders\ngeneric/a.json\tgeneric\tX-Kind: alarm ; signed later [note]\n")
    assert bodies.check(tmp_path)["ok"]
    assert seen == {
        "a": {"X-Kind": "alarm"},
        "b": {"X-Kind": "test", "Content-Type": "text/plain"},
        "no header\n\nbut words": {},
    }


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", {}),
        ("unknown", {}),
        (
            "Content-Type: text/plain; charset=UTF-8 ; x-id ; none",
            {"Content-Type": "text/plain; charset=UTF-8"},
        ),
        ("X-Sign: v1=aa (secret: bb) ; X-Id", {"X-Sign": "v1=aa"}),
        ("Content-Type: application/json | a form ; optional X-Sign: hex", {"Content-Type": "application/json"}),
        ("User-Agent: Probe/<version> [seen]", {"User-Agent": "Probe/<version>"}),
    ],
)
def test_notes_are_no_headers(text: str, wanted: Headers) -> None:
    assert bodies.headers(text) == wanted


@pytest.mark.parametrize("index", ["", "other\tcolumns\nx\ty\n"])
def test_an_index_that_tells_nothing_is_none(tmp_path: Path, index: str) -> None:
    put(tmp_path, "INDEX.tsv", index)
    put(tmp_path, "generic/one.json", FIRING)
    assert outcomes(tmp_path) == {"generic/one.json": "alert"}


def test_an_index_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "INDEX.tsv").write_bytes(b"file\theaders\n\xff\t\xff\n")
    put(tmp_path, "generic/one.json", FIRING)
    with pytest.raises(UsageError, match="no table"):
        bodies.check(tmp_path)


def test_a_folder_without_bodies_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no bodies"):
        bodies.check(tmp_path)
    with pytest.raises(NotFound, match="no folder"):
        bodies.check(tmp_path / "none")


def test_the_process_prints_a_line_per_alert_and_the_sum_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path, "generic/two.json", [FIRING, {**FIRING, "asset_name": "\x1b[2Jpump", "status": "resolved"}])
    assert main.main(["check-bodies", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "  generic/two.json  HIGH     firing pump-1: pressure_low",
        "  generic/two.json  HIGH     over   \\x1b[2Jpump: pressure_low",
        "1 file: 1 alert",
    ]
    put(tmp_path, "alertmanager/odd.json", {})
    assert main.main(["--errors", "text", "check-bodies", str(tmp_path)]) == 9
    said = capsys.readouterr()
    assert "! alertmanager/odd.json  unknown: " in said.out
    assert "error: not every body is understood: 1 unknown" in said.err
    assert main.main(["check-bodies", str(tmp_path), "--json"]) == 9
    assert json.loads(capsys.readouterr().out)["outcomes"]["unknown"] == 1
