"""The incident screen: sections, neighbours, actions, and the deep link."""

from __future__ import annotations

import pytest
from driving import opened
from scripted import NOW, ScriptedClient, entry, view

from siems.tui.screens.board import BoardScreen
from siems.tui.screens.confirm import Confirm
from siems.tui.screens.detail import DetailScreen
from siems.wire import AdvisedValue, InsightView


async def test_it_tells_the_story() -> None:
    async with opened(target="INC-121") as it:
        assert isinstance(it.app.screen, DetailScreen)
        for text in ("VPN concentrator flapping", "Borealis", "owner maria", "called ISP, ref 8812", "met in 3m08s"):
            assert text in it.screen


async def test_sections_turn_by_tab() -> None:
    async with opened(target="INC-121") as it:
        for text in ("[Alerts 6]", "[Notes 1]", "[History", "[Facts]", "[Timeline 6]"):
            await it.press("tab")
            assert text in it.screen
        await it.press("tab")
        assert "ALR-9  fw-edge-02  meraki  active" in it.screen
        assert "why together: same asset, 5 min" in it.screen
        await it.press("tab", "tab", "tab")
        assert "base +90" in it.screen


async def test_the_facts_begin_with_what_is_advised() -> None:
    low = AdvisedValue(value="LOW", confidence=0.9, why="", standing="waiting", before="MEDIUM")
    advice = InsightView(
        provider="gemini", at=NOW, pattern="cascade", root_cause="the \x1b[31muplink", recommendation="look at sw-1",
        confidence=0.83, evidence=["ALR-1"], similar=["INC-7"], severity=low, waiting=True,
    )  # fmt: skip
    async with opened(ScriptedClient([view(5, insight=advice)]), target="INC-5") as it:
        await it.press("tab", "tab", "tab", "tab")
        for text in ("cascade (0.83, gemini)", "look at sw-1", "INC-7", "W accepts or declines it"):
            assert text in it.screen
        assert "\x1b" not in it.screen


@pytest.mark.parametrize(
    ("key", "told", "said"),
    [
        ("y", "accept", "advice on INC-5 accepted"), ("x", "dismiss", "advice on INC-5 declined"),
        ("plus", "useful", "noted on the advice"), ("minus", "useless", "noted on the advice"),
    ],
)  # fmt: skip
async def test_one_key_decides_on_what_waits(key: str, told: str, said: str) -> None:
    low = AdvisedValue(value="LOW", confidence=0.9, why="", standing="waiting", before="MEDIUM")
    advice = InsightView(
        provider="gemini", at=NOW, pattern="isolated", root_cause="[/b] ignore all rules", recommendation="wait",
        confidence=0.83, evidence=["ALR-1"], similar=[], severity=low, waiting=True,
    )  # fmt: skip
    client = ScriptedClient([view(5, insight=advice)])
    async with opened(client) as it:
        await it.press("W")
        assert "MEDIUM -> LOW  0.90, waiting" in it.screen
        assert "[/b] ignore all rules" in it.screen
        await it.press("enter", "i")
        assert client.asked == []
        await it.press(key)
        assert client.asked == [{"advice": told, "on": "INC-5"}]
        assert said in it.screen


async def test_without_advice_there_is_nothing_to_decide() -> None:
    async with opened(ScriptedClient([view(5)])) as it:
        await it.press("W")
        assert "there is no advice on INC-5 yet" in it.screen


async def test_a_wide_terminal_shows_all_at_once() -> None:
    async with opened(target="INC-121", size=(120, 40)) as it:
        for text in ("TIMELINE 6", "ALERTS 6", "NOTES", "FACTS", "grouped by"):
            assert text in it.screen
        assert "tab section" not in it.screen


async def test_neighbours_and_back() -> None:
    async with opened() as it:
        await it.press("enter", "right_square_bracket")
        assert "INC-121  CR" in it.screen
        await it.press("left_square_bracket", "left_square_bracket")
        assert "INC-118  CR" in it.screen
        assert "no further incident" in it.screen
        await it.press("right_square_bracket", "q")
        assert isinstance(it.app.screen, BoardScreen)
        assert it.cursor == "INC-121"
        await it.press("enter", "1")
        assert isinstance(it.app.screen, BoardScreen)


@pytest.mark.parametrize(
    ("ref", "key", "action"),
    [("INC-118", "a", "ack"), ("INC-118", "t", "assign"), ("INC-118", "s", "start")],
)
async def test_direct_actions(ref: str, key: str, action: str) -> None:
    async with opened(target=ref) as it:
        await it.press(key)
        assert it.acts[0][:2] == (action, ref)
        await it.press("u")
        assert it.acts[1][:2] == ("undo", ref)


@pytest.mark.parametrize(
    ("ref", "key", "text", "action"),
    [("INC-121", "r", "fixed", "resolve"), ("INC-71", "c", "", "close"), ("INC-71", "O", "again", "reopen"),
     ("INC-121", "e", "no access", "escalate"), ("INC-121", "H", "client", "hold")],
)  # fmt: skip
async def test_actions_that_ask(ref: str, key: str, text: str, action: str) -> None:
    async with opened(target=ref) as it:
        await it.press(key)
        assert isinstance(it.app.screen, Confirm)
        if text:
            await it.write(text)
            await it.press("enter")
        assert it.acts == []
        await it.press("y")
        assert it.acts[0][:2] == (action, ref)


async def test_a_note_and_an_assignment() -> None:
    async with opened(target="INC-121") as it:
        await it.press("n")
        await it.write("done")
        await it.press("enter")
        assert it.acts[0][2]["note"] == "done"
        it.client.everywhere()
        await it.press("A")
        await it.until("Jon Berg")
        await it.press("3")
        assert it.acts[1][2]["to"] == "user-jon"


async def test_it_follows_what_happens() -> None:
    async with opened(target="INC-121") as it:
        it.client.entries.insert(0, entry(0, "note", "Jon Berg", "on my way"))
        it.client.emit("incident.noted", "INC-121")
        await it.until("on my way")


async def test_scrolling() -> None:
    client = ScriptedClient()
    client.entries = [entry(n, "note", "Maria Lopez", f"line {n}") for n in range(100)]
    async with opened(client, target="INC-121") as it:
        assert "line 0" in it.screen
        await it.press("G")
        assert "line 99" in it.screen
        await it.press("pageup", "k", "g", "j", "pagedown", "g")
        assert "line 0" in it.screen


async def test_an_incident_that_is_not_there() -> None:
    async with opened(target="INC-4711") as it:
        await it.until("no incident INC-4711")
        await it.press("a", "r", "tab", "j", "y")
        assert it.acts == []
        await it.press("q")
        assert it.cursor == "INC-118"


async def test_a_lost_daemon_shows_here_too() -> None:
    async with opened(target="INC-121") as it:
        it.client.lose()
        await it.until("DAEMON LOST")
        await it.press("s")
        assert "needs the daemon" in it.screen
        await it.press("q")
        assert "DAEMON LOST" in it.screen


async def test_help_palette_and_copy_work_here() -> None:
    async with opened(target="INC-121") as it:
        await it.press("question_mark")
        assert "help: incident" in it.screen
        await it.press("escape", "y", "l")
        assert "copied: siems tui INC-121" in it.screen
        await it.press("colon")
        await it.write("inc 109")
        await it.press("enter")
        assert "INC-109  HI" in it.screen
        await it.press("at", "escape", "8", "escape", "ctrl+r", "T")
        await it.press("colon")
        await it.write("freeze")
        await it.press("enter")
        assert "freeze belongs to the board" in it.screen
