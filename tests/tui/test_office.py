"""Companies, users and escalation policies as lists: what they show, and what their keys do."""

from __future__ import annotations

import re

import pytest
from driving import opened
from offices import company, way
from scripted import NOW, ScriptedClient

from siems import errors
from siems.tui.screens.board import BoardScreen
from siems.tui.screens.chains import ChainsScreen, TryChain
from siems.tui.screens.clients import ClientsScreen
from siems.tui.screens.people import PeopleScreen, PersonForm
from siems.tui.screens.wizard import WizardScreen

KINDS = {"companies": ClientsScreen, "users": PeopleScreen, "policies": ChainsScreen}


# --- going there --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", KINDS)
async def test_deep_links_words_and_the_session_lead_there(target: str) -> None:
    async with opened(target=target) as it:
        assert isinstance(it.app.screen, KINDS[target])
        assert "reading" not in it.screen
        it.app.keep()
    async with opened() as it:
        assert isinstance(it.app.screen, KINDS[target])
        await it.press("1", "colon")
        await it.write(target)
        await it.press("enter")
        assert isinstance(it.app.screen, KINDS[target])


async def test_keys_go_there_and_back() -> None:
    async with opened() as it:
        for key, kind in (("6", ClientsScreen), ("U", PeopleScreen), ("P", ChainsScreen), ("6", ClientsScreen)):
            await it.press(key)
            assert isinstance(it.app.screen, kind)
        await it.press("q")
        assert isinstance(it.app.screen, BoardScreen)


async def test_commands_of_the_shell_open_the_forms() -> None:
    client = ScriptedClient()
    client.role = "admin"
    async with opened(client) as it:
        for typed, kind in (("company onboard", WizardScreen), ("siems user create", PersonForm)):
            await it.press("colon")
            await it.write(typed)
            await it.press("enter")
            assert isinstance(it.app.screen, kind)
            await it.press("escape", "escape")


async def test_a_deep_link_carries_a_filter() -> None:
    async with opened(target="companies?silver") as it:
        assert "2 of 6 companies" in it.screen
        await it.press("escape")
        assert "6 companies" in it.screen


# --- companies ----------------------------------------------------------------------------------------------------


async def test_how_each_client_is_doing() -> None:
    client = ScriptedClient()
    client.clients.append(company("Zed", active=False))
    async with opened(client, target="companies") as it:
        rows = {line[2:20].strip(): line.split("  ")[-1].strip() for line in it.screen.splitlines()[4:12]}
        health = {name: re.sub(r"^\S*d ", "", row) for name, row in rows.items()}
        assert health["Acme Dental"] == "ok"
        assert health["Borealis"] == "old key"
        assert health["Cedar Law"] == "refusals"
        assert health["Delta Foods"].endswith("NO KEY")
        assert health["Evergreen"] == "key ends"
        assert health["Fjord Media"] == "NO ALERTS"
        assert health["Zed"].endswith("inactive")
        await it.press("j", "j")
        assert "last refusal 14:00:31 the signature is wrong (prtg)" in it.screen
        assert "silver, Mon-Fri 08:00-17:00 Europe/Oslo" in it.screen


async def test_a_shadow_is_said_once_alerts_come() -> None:
    client = ScriptedClient()
    client.ways.append(way(9, "comp-delta-foods", last_seen_at=NOW))
    async with opened(client, target="companies") as it:
        await it.press("j", "j", "j")
        assert re.search(r"> Delta Foods .* shadow", it.screen)


async def test_its_incidents() -> None:
    async with opened(target="companies") as it:
        await it.press("j", "o")
        assert isinstance(it.app.screen, BoardScreen)
        assert any("#borealis" in query for query in it.client.queries)


async def test_the_cursor_stays_on_its_row_when_others_come() -> None:
    async with opened(target="companies") as it:
        await it.press("j", "y")
        assert "copied: comp-borealis" in it.screen
        it.client.clients.append(company("Aardvark"))
        await it.later(31)
        assert "7 companies" in it.screen
        assert "> Borealis" in it.screen
        await it.press("G")
        assert "> Fjord Media" in it.screen


async def test_a_filter_looks_in_what_is_shown() -> None:
    async with opened(target="users") as it:
        await it.press("slash")
        await it.write("manager")
        await it.press("enter")
        assert "1 of 3 users   filter: manager" in it.screen
        await it.press("slash", "ctrl+u")
        await it.write("nobody-like-this")
        await it.press("enter", "enter", "y")
        assert "Nothing here matches this filter." in it.screen
        await it.press("escape", "escape")
        assert isinstance(it.app.screen, BoardScreen)


async def test_without_anything_it_says_what_to_do() -> None:
    client = ScriptedClient()
    client.role = "admin"
    client.clients, client.chains = [], []
    async with opened(client, target="companies") as it:
        assert "No client yet." in it.screen
        await it.press("enter", "I", "X", "o", "y", "G", "g")
        await it.press("P")
        assert "There is no policy that you may see." in it.screen
        await it.press("enter", "w", "E")
        assert it.acts == []


async def test_a_lost_daemon_is_said_and_what_was_read_stays() -> None:
    async with opened(target="companies") as it:
        it.client.lose()
        await it.until("DAEMON LOST")
        assert "Acme Dental" in it.screen
        await it.press("I")
        assert "setup needs the daemon" in it.screen
        await it.press("U")
        assert "No daemon answers." in it.screen
        it.client.down = False
        it.app.link.start()
        await it.until("Jon Berg")


async def test_the_mouse_selects_and_opens() -> None:
    async with opened(target="companies") as it:
        await it.pilot.click("#rows", offset=(5, 2))
        await it.settle()
        assert "> Cedar Law" in it.screen
        await it.pilot.click("#rows", offset=(5, 2), times=2)
        await it.settle()
        assert isinstance(it.app.screen, WizardScreen)


# --- users --------------------------------------------------------------------------------------------------------


async def test_a_person_is_made_and_the_password_is_not_shown() -> None:
    async with opened(target="users") as it:
        await it.press("N")
        await it.write("Sam Reed")
        await it.press("enter")
        await it.write("a long password")
        assert "a long password" not in it.screen
        await it.press("enter")
        await it.write("sam@msp.example")
        await it.press("enter", "right", "enter")
        await it.write("acme borealis")
        await it.press("enter", "y")
        assert it.acts == [("create_user", "Sam Reed", {
            "name": "Sam Reed", "email": "sam@msp.example", "role": "manager", "password": "a long password",
            "companies": ["acme", "borealis"],
        })]  # fmt: skip
        assert "Sam Reed can log in now" in it.screen
        assert "4 users" in it.screen


async def test_what_is_wrong_or_refused_stays_in_the_form() -> None:
    async with opened(target="users") as it:
        await it.press("N")
        await it.write("Sam Reed")
        await it.press("escape", "y")
        assert "a mail address is needed" in it.screen
        await it.press("escape", "enter", "ctrl+u")
        await it.write("jon@other.example")
        it.client.refuse = errors.Forbidden("changing people is for admins", hint="ask an admin")
        await it.press("down", "up", "escape", "y")
        assert isinstance(it.app.screen, PersonForm)
        assert "changing people is for admins" in it.screen
        assert "jon@other.example" in it.screen
        it.client.refuse = None
        await it.press("y")
        assert "Jon Berg: saved" in it.screen
        assert it.acts[-1] == ("edit_user", "user-jon", {"email": "jon@other.example"})


async def test_somebody_is_locked_out() -> None:
    async with opened(target="users") as it:
        await it.press("enter", "up", "d", "escape", "y")
        assert it.acts == [("edit_user", "user-jon", {"disabled": True})]


async def test_people_need_the_daemon_and_a_session_that_may_change() -> None:
    async with opened(target="users", read_only=True) as it:
        await it.press("N", "enter")
        assert isinstance(it.app.screen, PeopleScreen)
        assert "read only" in it.screen
    async with opened(target="users") as it:
        await it.press("enter", "escape")
        it.client.lose()
        await it.until("DAEMON LOST")
        await it.press("y")
        assert isinstance(it.app.screen, PersonForm)
        assert it.acts == []


# --- policies -----------------------------------------------------------------------------------------------------


async def test_a_policy_is_tried_for_a_severity_and_a_time() -> None:
    async with opened(target="policies") as it:
        assert "2  role:manager   waits CRITICAL 5m, HIGH 15m   inbox only" in it.screen
        await it.press("w")
        assert isinstance(it.app.screen, TryChain)
        assert "14:07:31    page   level 2 the managers: Priya Nair  inbox: Dana Fox" in it.screen
        await it.press("s", "h", "escape", "a")
        await it.write("2026-03-14 03:00")
        await it.press("enter")
        assert it.acts[-1] == ("try", "pol-default", {"severity": "HIGH", "at": "2026-03-14T03:00:00+00:00"})
        await it.press("a", "ctrl+u")
        await it.write("noon")
        await it.press("enter")
        assert "noon is no time" in it.screen
        it.client.refuse = errors.NotFound("no company uses this policy")
        await it.press("a", "ctrl+u", "enter", "s", "right")
        assert "no company uses this policy" in it.screen
        await it.press("escape", "j", "k", "q")
        assert isinstance(it.app.screen, ChainsScreen)
