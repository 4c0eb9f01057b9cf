"""`siems integration check`: a folder of bodies, heard without a daemon."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from house import House


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "generic").mkdir()
    (tmp_path / "generic" / "one.json").write_text(json.dumps({"asset_name": "pump-1", "signature": "pressure_low"}))
    return tmp_path


def test_bodies_that_are_understood_end_with_0(house: House, folder: Path) -> None:
    ran = house.run("integration", "check", str(folder))
    assert ran.lines == ["  generic/one.json  MEDIUM   firing pump-1: pressure_low", "1 file: 1 alert"]
    assert house.run("integration", "check", str(folder), "--json").json["ok"]


def test_a_body_that_nobody_knows_is_shown_and_ends_with_9(house: House, folder: Path) -> None:
    (folder / "alertmanager").mkdir()
    (folder / "alertmanager" / "odd.json").write_text("{}")
    ran = house.run("integration", "check", str(folder), exit=9)
    assert any(line.startswith("! alertmanager/odd.json  unknown") for line in ran.lines)
    assert "1 unknown" in ran.err
    found = house.run("integration", "check", str(folder), "--json", exit=9)
    assert found.json["outcomes"]["unknown"] == 1
    assert found.error["code"] == "negative"


def test_a_folder_that_is_not_there_is_not_found(house: House, tmp_path: Path) -> None:
    assert "no folder" in house.run("integration", "check", str(tmp_path / "none"), exit=3).err
