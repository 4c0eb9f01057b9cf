"""One row of the alert stream: its body, its incident, its refusal, what can be copied of it."""

from __future__ import annotations

import pytest
from driving import opened
from scripted import ScriptedClient
from test_alerts import at

from siems import errors
from siems.tui import clipboard
from siems.tui.screens.alerts import AlertsScreen
from siems.tui.screens.choose import CopyMenu
from siems.tui.screens.detail import DetailScreen


async def test_the_body_as_it_came() -> None:
    async with opened(target="alerts") as it:
        await it.press("enter")
        assert "body of ALR-33, 159 B, JSON" in it.screen
        assert '  "source": "meraki",' in it.screen
        assert "lines 1-7 of 15" in it.screen
        assert "PAUSED" in it.screen
        await it.press("J", "J")
        assert '"said": "C: \\u001b[31m free 6 %"' in it.screen
        await it.press("K", "K")
        assert '"count": 1.0e2,' in it.screen
        await it.press("j")
        assert "body of ALR-32" in it.screen
        await it.press("escape")
        assert "body of" not in it.screen
        assert isinstance(it.app.screen, AlertsScreen)


@pytest.mark.parametrize(
    ("raw", "said"),
    [("status=down&host=fs02", "21 B, text"), (b"\xff\xfe\x00", "3 B, not text, in base64"), ("", "0 B, empty"),
     (None, "is for staff"), ('{"a":' * 3_000, "15.0 kB, text"), ('{"a": 1e5, "a": 0.10}', '"a": 0.10')],
)  # fmt: skip
async def test_bodies_of_every_kind(raw: str | bytes | None, said: str) -> None:
    client = ScriptedClient()
    client.raw = raw
    async with opened(client, target="alerts") as it:
        await it.press("enter")
        assert said in it.screen


async def test_a_body_that_cannot_be_read_says_why() -> None:
    async with opened(target="alerts") as it:
        it.client.alert = lambda ref: (_ for _ in ()).throw(errors.NotFound(f"no alert {ref}"))  # type: ignore[assignment]
        await it.press("enter")
        assert "no alert ALR-33" in it.screen


async def test_o_opens_the_incident_and_back_comes_back() -> None:
    async with opened(target="alerts") as it:
        await it.press("j", "j", "o")
        assert isinstance(it.app.screen, DetailScreen)
        assert it.app.screen.ref == "INC-97"
        await it.press("q")
        assert isinstance(it.app.screen, AlertsScreen)
        assert at(it) == "e31"


@pytest.mark.parametrize(
    ("row", "why"), [("e22", "it waits for more of its kind"), ("e26", "it is silenced"), ("e24", "was refused")]
)
async def test_o_says_why_there_is_no_incident(row: str, why: str) -> None:
    async with opened(target="alerts") as it:
        while at(it) != row:
            await it.press("j")
        await it.press("o")
        assert why in it.screen
        assert isinstance(it.app.screen, AlertsScreen)


async def test_a_refused_delivery_tells_its_cause() -> None:
    async with opened(target="alerts") as it:
        while at(it) != "e24":
            await it.press("j")
        for text in (
            "refused, Acme Dental",
            "the signature does not match",
            "3 deliveries to generic from 203.0.113.9",
        ):
            assert text in it.screen
        await it.press("enter")
        assert "Bodies of what is refused are not kept" in it.screen


@pytest.mark.parametrize(
    ("row", "key", "copied"),
    [("e33", "i", "ALR-33"), ("e33", "o", "INC-118"), ("e33", "c", "siems alert show ALR-33"),
     ("e33", "t", "ALR-33 CRITICAL Acme Dental dc01: ICMP unreachable"), ("e24", "c", "siems alert list --rejected"),
     ("e24", "t", "2026-03-10T14:00:55Z Acme Dental signature: the signature does not match from 203.0.113.9")],
)  # fmt: skip
async def test_copying(row: str, key: str, copied: str) -> None:
    async with opened(target="alerts") as it:
        while at(it) != row:
            await it.press("j")
        await it.press("y")
        assert isinstance(it.app.screen, CopyMenu)
        await it.press(key)
        assert clipboard.copy_file().read_text() == copied + "\n"


async def test_the_body_can_be_copied_once_it_is_there() -> None:
    async with opened(target="alerts") as it:
        await it.press("enter", "y", "b")
        assert '"event": "client_roam"' in clipboard.copy_file().read_text()


async def test_critical_ones() -> None:
    async with opened(target="alerts") as it:
        await it.press("e")
        assert at(it) == "e33"
        await it.press("e")
        assert at(it) == "e29"
        await it.press("e", "e")
        assert at(it) == "e25"
        assert "no older critical one among these 12 rows" in it.screen
        await it.press("E", "E", "E")
        assert at(it) == "e33"
        assert "no newer critical one" in it.screen
