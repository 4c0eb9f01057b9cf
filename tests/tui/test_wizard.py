"""A client is made and changed in a form with tabs, and its secrets are handed over once."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from driving import Session, opened
from offices import KEY, SECRET, way
from scripted import NOW, ScriptedClient

from siems import errors, wire
from siems.tui import drafts, errands
from siems.tui.screens.board import BoardScreen
from siems.tui.screens.clients import ClientsScreen
from siems.tui.screens.handover import Handover
from siems.tui.screens.wizard import WizardScreen


def admin() -> ScriptedClient:
    client = ScriptedClient()
    client.role = "admin"
    return client


async def described(it: Session, name: str = "Gull Labs") -> None:
    """A new client with a name, on the last tab."""
    await it.press("N")
    assert isinstance(it.app.screen, WizardScreen)
    await it.write(name)
    await it.press("pagedown", "pagedown", "pagedown")


# --- the form -----------------------------------------------------------------------------------------------------


async def test_a_name_is_enough_and_the_shell_says_the_same() -> None:
    async with opened(admin(), target="companies") as it:
        await described(it)
        assert "siems company onboard 'Gull Labs' --sla silver --tz UTC" in it.screen
        assert it.acts == []
        await it.press("y")
        assert it.acts == [
            ("onboard", "Gull Labs",
             {"name": "Gull Labs", "sla": "silver", "time_zone": "UTC", "policy": "default", "auth": "hmac"})
        ]  # fmt: skip
        assert isinstance(it.app.screen, Handover)


async def test_every_field_is_reached_and_letters_stay_in_it() -> None:
    async with opened(admin(), target="companies") as it:
        await it.press("N")
        await it.write("1 Quiet yard")
        await it.press("down", "down", "right", "enter")
        await it.press("ctrl+u")
        await it.write("Europe/Oslo")
        await it.press("tab", "shift+tab", "up", "g", "s", "pagedown", "space", "down")
        await it.write("192.0.2.0/24")
        await it.press("pagedown", "f", "o", "pagedown")
        form = it.app.screen
        assert isinstance(form, WizardScreen)
        got = form.draft.get
        assert (got("name"), got("time_zone"), got("networks")) == ("1 Quiet yard", "Europe/Oslo", "192.0.2.0/24")
        assert got("sla") == "silver"
        assert got("auth").startswith("API key only")
        assert got("enabled") == "off"
        assert "--auth key" in " ".join(it.screen.split())


async def test_the_rules_are_tried_on_the_last_day_of_clients_that_are_there() -> None:
    async with opened(admin(), target="companies") as it:
        await it.press("N", "pagedown", "pagedown")
        assert "p replays the last 24 h of a client against these rules; changes nothing" in it.screen
        await it.press("down", "down")
        await it.write("30")
        await it.press("p")
        rules = {"enabled": True, "strategy": "auto", "window_minutes": 30, "min_alerts": 1, "auto_resolve": True,
                 "quiet_minutes": 5, "since_seconds": 86_400, "show": 2}  # fmt: skip
        assert it.acts == [("preview", "comp-acme-dental", rules)]
        assert "Acme Dental: 733 alerts -> 11 incidents (now 14)" in it.screen
        assert "joined: 4 incidents into one, 9 alerts from ALR-17 on: disk_full on 4 assets" in it.screen
        assert "joined: 1 more" in it.screen
        await it.press("p")
        assert "Borealis: 733 alerts" in it.screen
        assert it.app.screen.draft.get("window") == "30"  # type: ignore[attr-defined]
        await it.press("5")
        assert "733 alerts" not in it.screen, "it was of other rules"


async def test_a_client_that_is_changed_is_tried_on_its_own_day() -> None:
    async with opened(admin(), target="companies") as it:
        await it.press("enter", "pagedown", "pagedown", "p", "p")
        assert [(act, company) for act, company, _ in it.acts] == [("preview", "comp-acme-dental")] * 2
        assert "p again" in it.screen
        it.client.refuse = errors.Unavailable("the log of alerts is being moved", hint="try again")
        await it.press("p")
        assert "the log of alerts is being moved" in it.screen
        assert "p replays this client's last 24 h" in it.screen


async def test_what_is_wrong_is_said_and_led_to() -> None:
    async with opened(admin(), target="companies") as it:
        await it.press("N", "pagedown", "down", "down")
        await it.write("fast")
        assert "! Rate limit: a rate such as 600/min" in it.screen
        await it.press("pagedown", "pagedown", "y")
        assert it.acts == []
        assert "! Name: is needed" in it.screen
        assert "[1 Basic info]" in it.screen
        await it.write("Gull Labs")
        await it.press("pagedown", "pagedown", "pagedown", "y")
        assert "[2 Security]" in it.screen
        await it.press("ctrl+u", "pagedown", "pagedown", "y")
        assert it.acts[0][0] == "onboard"


async def test_keys_of_the_last_tab() -> None:
    async with opened(admin(), target="companies") as it:
        await described(it)
        await it.press("Y")
        assert "copied: siems company onboard" in it.screen
        for key, tab in (("1", "[1 Basic"), ("2", "[2 Security]"), ("3", "[3 Correlation]")):
            await it.press(key)
            assert tab in it.screen
            await it.press("pagedown", "pagedown", "pagedown")
        await it.press("k")
        assert "[3 Correlation]" in it.screen
        await it.press("pagedown", "shift+tab")
        assert "[3 Correlation]" in it.screen
        await it.press("pagedown", "tab")
        assert "[1 Basic" in it.screen


async def test_a_draft_is_kept_when_one_leaves_and_when_the_terminal_is_closed() -> None:
    async with opened(admin(), target="companies") as it:
        await it.press("N")
        await it.write("Gull Labs")
        await it.press("escape")
        assert "the draft is kept" in it.screen
        await it.press("N")
        assert "Gull Labs" in it.screen
        await it.write(" Oslo")
        it.app.keep()
    assert drafts.kept().get("name") == "Gull Labs Oslo"
    async with opened(admin(), target="companies") as it:
        await it.press("N", "pagedown", "pagedown", "pagedown", "y")
        assert it.acts[0][1] == "Gull Labs Oslo"
    assert drafts.kept().values == {}


async def test_what_the_daemon_refuses_stays_in_the_form() -> None:
    async with opened(admin(), target="companies") as it:
        it.client.refuse = errors.Conflict("there is a company gull-labs", hint="choose another slug")
        await described(it)
        await it.press("y")
        assert "! there is a company gull-labs  choose another slug" in it.screen
        it.client.refuse = None
        await it.press("1", "down")
        await it.write("gull-2")
        await it.press("pagedown", "pagedown", "pagedown", "y")
        assert [call[2].get("slug") for call in it.acts] == [None, "gull-2"]
        assert isinstance(it.app.screen, Handover)


async def test_a_daemon_lost_in_the_middle_takes_nothing_away() -> None:
    async with opened(admin(), target="companies") as it:
        await described(it)
        it.client.down = True  # before the stream has noticed
        await it.press("y")
        assert "no daemon answers" in it.screen
        assert "if it was made all the same" in it.screen
        assert "I makes it a key" in it.screen
        it.client.lose()
        await it.until("OFFLINE")
        await it.press("y")
        assert "it needs the daemon" in it.screen
        it.client.down = False
        it.app.link.start()
        await it.until("LIVE")
        await it.press("y")
        assert [call[1] for call in it.acts] == ["Gull Labs"]


async def test_only_admins_describe_clients_and_nobody_where_nothing_may_change() -> None:
    async with opened(target="companies") as it:
        await it.press("N")
        assert "onboarding a client is an admin's" in it.screen
    async with opened(admin(), target="companies", read_only=True) as it:
        await it.press("N", "I", "X")
        assert isinstance(it.app.screen, ClientsScreen)
        await it.press("enter")
        await it.write(" AS")
        await it.press("pagedown", "pagedown", "pagedown", "y")
        assert "read only" in it.screen
        assert it.acts == []


async def test_changes_are_shown_before_they_are_saved() -> None:
    async with opened(admin(), target="companies") as it:
        await it.press("j", "enter", "pagedown", "pagedown", "pagedown")
        assert "Nothing was changed." in it.screen
        await it.press("y")
        assert "nothing was changed" in it.screen
        await it.press("2", "ctrl+u")
        await it.write("600/min")
        await it.press("pagedown", "pagedown")
        assert "siems company edit borealis --rate 600/min" in it.screen
        line = next(line for line in it.screen.splitlines() if "Rate limit" in line)
        assert line.split()[-1] == "600/min"
        assert "60/min" in line.split()
        await it.press("y")
        assert it.acts == [("edit", "comp-borealis", {"rate_per_minute": 600})]
        assert isinstance(it.app.screen, ClientsScreen)
        assert "saved" in it.screen


async def test_leaving_a_form_changes_nothing() -> None:
    async with opened(admin(), target="companies") as it:
        await it.press("enter")
        await it.write("x")
        await it.press("escape")
        assert isinstance(it.app.screen, ClientsScreen)
        await it.press("enter", "pagedown", "pagedown", "pagedown", "q")
        assert isinstance(it.app.screen, ClientsScreen)
        assert it.acts == []
        assert drafts.kept().values == {}


# --- what is shown once -------------------------------------------------------------------------------------------


async def test_secrets_are_hidden_shown_copied_and_left_with_a_word() -> None:
    async with opened(admin(), target="companies") as it:
        await described(it)
        await it.press("y")
        assert KEY not in it.screen
        assert SECRET not in it.screen
        await it.press("v")
        assert KEY in it.screen
        assert SECRET in it.screen
        await it.press("v", "escape")
        await it.write("no")
        await it.press("enter")
        assert 'leaving needs the word "saved"' in it.screen
        await it.press("2", "escape", "escape", "3", "escape")
        assert isinstance(it.app.screen, ClientsScreen)
        assert "> Gull Labs" in it.screen


async def test_the_word_lets_one_go() -> None:
    async with opened(admin(), target="companies") as it:
        await described(it)
        await it.press("y", "q")
        await it.write("saved")
        await it.press("enter")
        assert isinstance(it.app.screen, ClientsScreen)


async def test_a_file_is_its_owners_and_never_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with opened(admin(), target="companies") as it:
        await described(it)
        await it.press("y", "w")
        file = tmp_path / "gull-labs.env"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert f"SIEMS_HMAC='{SECRET}'" in file.read_text()
        file.write_text("mine")
        await it.press("w")
        assert "exists" in it.screen
        assert file.read_text() == "mine"
        await it.press("escape")
        assert isinstance(it.app.screen, ClientsScreen)


async def test_the_first_alert_is_waited_for_and_a_test_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errands.Daemon, "deliver", lambda self, *args: (202, {"alert_id": "ALR-9"}))
    async with opened(admin(), target="companies") as it:
        await described(it)
        await it.press("y")
        it.client.ways[-1] = way(7, "comp-gull-labs", days=0, refused_cause="the signature is wrong")
        await it.later(4)
        assert "last refused: the signature is wrong" in it.screen
        await it.press("t")
        assert "taken as ALR-9" in it.screen
        seen = wire.Sighted("comp-gull-labs", "", 1, "siems-test", "siems_test", "LOW", incident_id="INC-9")
        it.client.ways[-1] = way(7, "comp-gull-labs", days=0, last_seen_at=NOW, last_seen=seen)
        await it.later(4)
        assert "it arrived: LOW siems-test: siems_test" in it.screen
        assert "INC-9" in it.screen


async def test_a_tool_gets_a_key_and_its_steps() -> None:
    async with opened(admin(), target="companies") as it:
        await it.press("I")
        await it.write("zab")
        assert "Meraki" not in it.screen
        await it.press("enter")
        assert it.acts == [("integrate", "comp-acme-dental", {"tool": "zabbix", "company": "comp-acme-dental"})]
        assert "In Zabbix, open Alerts, Media types" in it.screen
        assert "    key: sk_fjord..." in it.screen
        await it.press("4", "escape", "escape", "3", "escape")
        assert isinstance(it.app.screen, ClientsScreen)
        assert "zabbix sk_8" in it.screen


async def test_a_key_is_rotated_after_the_name_was_typed() -> None:
    async with opened(admin(), target="companies") as it:
        await it.press("X", "down")
        await it.write("acme")
        await it.press("enter")
        assert "that is not acme-dental" in it.screen
        await it.write("-dental")
        await it.press("enter")
        assert it.acts == [("rotate", "int-2", {})]
        assert isinstance(it.app.screen, Handover)


async def test_what_needs_a_key_says_so_and_escape_leaves() -> None:
    async with opened(admin(), target="companies") as it:
        await it.press("X", "escape", "I", "escape", "j", "j", "j", "X")
        assert "Delta Foods has no key: I makes one" in it.screen
        it.client.refuse = errors.Forbidden("that is for admins")
        await it.press("I", "enter")
        assert "that is for admins" in it.screen
        await it.press("1")
        assert isinstance(it.app.screen, BoardScreen)
