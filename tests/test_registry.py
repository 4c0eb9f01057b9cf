"""The one plug-in idiom: listing imports nothing, using imports one."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from siems import registry as registry_module
from siems.errors import NotFound
from siems.registry import Registry

ENTRIES = {"slack": "made_up_channels.slack:send", "email": "made_up_channels.email:send"}


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[SimpleNamespace]]:
    """What other packages offer, by group; nothing unless a test adds to it."""
    offered: dict[str, list[SimpleNamespace]] = {}
    monkeypatch.setattr(registry_module, "entry_points", lambda *, group: offered.get(group, []))
    return offered


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType("made_up_channels.slack")
    module.send = object()
    monkeypatch.setitem(sys.modules, "made_up_channels", ModuleType("made_up_channels"))
    monkeypatch.setitem(sys.modules, "made_up_channels.slack", module)
    return module


def channels() -> Registry[object]:
    return Registry("channel", ENTRIES, aliases={"mail": "email"})


def test_listing_is_sorted_and_imports_nothing() -> None:
    assert list(channels()) == ["email", "slack"]
    assert not [name for name in sys.modules if name.startswith("made_up_channels")]


def test_using_one_imports_that_one_and_keeps_it(slack, monkeypatch) -> None:
    registry = channels()
    first = registry.get("slack")
    assert first is slack.send
    assert "made_up_channels.email" not in sys.modules
    monkeypatch.delitem(sys.modules, "made_up_channels.slack")
    assert registry.get("slack") is first


def test_a_name_is_known_by_its_alias_and_however_it_is_written() -> None:
    assert channels().canonical(" Mail ") == "email"
    assert channels().canonical("SLACK") == "slack"


def test_a_name_nobody_knows_suggests_the_nearest() -> None:
    with pytest.raises(NotFound, match="there is no channel called 'slak'") as refused:
        channels().get("slak")
    assert refused.value.hint == "did you mean slack?"
    with pytest.raises(NotFound) as refused:
        channels().canonical("zzzzzz")
    assert refused.value.hint == "known: email, slack"


def test_a_plug_in_that_is_broken_says_so_when_it_is_used() -> None:
    registry = channels()
    with pytest.raises(ModuleNotFoundError):
        registry.get("email")


def test_other_packages_extend_it_and_cannot_replace_what_ships(installed, slack) -> None:
    installed["siems.channel"] = [
        SimpleNamespace(name="pigeon", value="made_up_channels.slack:send"),
        SimpleNamespace(name="slack", value="evil:send"),
    ]
    installed["siems.source"] = [SimpleNamespace(name="other", value="x:y")]
    registry = channels()
    assert list(registry) == ["email", "pigeon", "slack"]
    assert registry.get("pigeon") is slack.send
    assert registry.get("slack") is slack.send


def test_a_registry_does_not_change_what_it_was_made_from(installed) -> None:
    installed["siems.channel"] = [SimpleNamespace(name="pigeon", value="x:y")]
    list(channels())
    assert set(ENTRIES) == {"slack", "email"}
