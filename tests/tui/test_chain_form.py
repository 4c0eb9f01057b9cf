"""Escalation policies are made, changed and ended in the console: tried before they are saved, and never lost."""

from __future__ import annotations

from datetime import timedelta

from driving import Session, opened
from offices import policy
from scripted import ScriptedClient
from streamed import NOW

from siems import errors
from siems.tui import chain_draft
from siems.tui.screens.chain_form import ChainForm
from siems.tui.screens.chains import ChainsScreen


def admin() -> ScriptedClient:
    client = ScriptedClient()
    client.role = "admin"
    return client


def form(it: Session) -> ChainForm:
    assert isinstance(it.app.screen, ChainForm)
    return it.app.screen


async def write_nights(it: Session) -> None:
    """A policy of two steps, up to the tab on which it is saved."""
    await it.press("N")
    await it.write("nights 2")
    await it.press("pagedown", "enter")
    await it.press("ctrl+u")
    await it.write("oncall")
    await it.press("down", "ctrl+u")
    await it.write("10m")
    await it.press("escape", "plus")
    await it.write("role:manager, user:jon")
    await it.press("tab")
    await it.write("CRITICAL 5m, HIGH 15m")
    await it.press("tab", "space", "tab")
    await it.write(">=HIGH")
    await it.press("tab", "tab")
    await it.write("mon-fri")
    await it.press("tab")
    await it.write("22:00-06:00")
    await it.press("tab")
    await it.write("Europe/Oslo")
    await it.press("escape")


async def test_a_policy_is_written_tried_and_made() -> None:
    async with opened(admin(), target="policies") as it:
        await write_nights(it)
        assert "2  role:manager, user:jon   waits CRITICAL 5m, HIGH 15m   inbox only" in it.screen
        await it.press("pagedown")
        assert "page   level 2 role:manager, user:jon" in it.screen
        assert "siems escalation policy create 'nights 2' --from-file policy.yaml" in it.screen
        await it.press("s")
        assert "HIGH of acme-dental" in it.screen
        await it.press("y")
        assert isinstance(it.app.screen, ChainsScreen)
        verb, name, ask = it.acts[-1]
        assert (verb, name, ask["company"]) == ("create_policy", "nights 2", "msp")
        assert ask["policy"] == {
            "repeat": 2, "reassign": True, "opening_hours": False, "ack_timeout": {"CRITICAL": "30m", "HIGH": "2h"},
            "strategies": {"unacknowledged": {}, "sla_breach": {}},
            "steps": [
                {"targets": ["oncall"], "wait": "10m"},
                {"targets": ["role:manager", "user:jon"], "wait": {"CRITICAL": "5m", "HIGH": "15m"}, "important": False,
                 "when": {"severity": ">=HIGH", "days": "mon-fri", "zone": "Europe/Oslo", "from": "22:00",
                          "until": "06:00"}},
            ],
        }  # fmt: skip
        assert "nights 2: saved" in it.screen
        assert "3 escalation policies" in it.screen
        await it.press("at")
        assert "siems escalation policy create" in it.screen
    assert chain_draft.kept() is None


async def test_what_is_wrong_is_named_by_step_and_field_before_it_is_sent() -> None:
    async with opened(admin(), target="policies") as it:
        await write_nights(it)
        await it.press("k", "enter", "down", "ctrl+u")
        await it.write("10")
        assert "step 1, wait: '10' has no unit" in it.screen
        await it.press("escape", "3", "y")
        assert form(it).complaint.startswith("step 1, wait")
        await it.press("2", "minus", "3", "y")
        assert it.acts[-1][2]["policy"]["steps"][0]["targets"] == ["role:manager", "user:jon"]


async def test_steps_are_moved_and_taken_out_but_never_the_last() -> None:
    async with opened(admin(), target="policies") as it:
        await it.press("enter", "pagedown", "J")
        assert [step.targets for step in form(it).draft.steps] == ["role:manager", "owner, oncall"]
        await it.press("K", "minus", "minus", "minus")
        assert [step.targets for step in form(it).draft.steps] == ["role:manager"]
        await it.press("3")
        assert "step 1: owner, oncall" in it.screen
        assert "-> gone" in it.screen


async def test_one_that_somebody_else_changed_is_shown_with_what_changed_and_saved_over_or_dropped() -> None:
    async with opened(admin(), target="policies") as it:
        await it.press("enter", "down", "right", "escape")
        assert isinstance(it.app.screen, ChainsScreen)
        assert "the draft is kept" in it.screen
        await it.press("enter")
        assert "the draft that was left" in it.screen
        theirs = it.client.chains[0]
        theirs.policy = theirs.policy | {"reassign": False}
        theirs.version, theirs.changed_at = 3, NOW - timedelta(minutes=2)
        await it.press("pagedown", "pagedown", "pagedown", "y")
        assert "version 3 was saved 2m ago; this began with version 2" in it.screen
        assert "reassign: yes -> no" in it.screen
        sent = len(it.acts)
        await it.press("y")
        assert "choose first: o saves this over it, t takes theirs" in it.screen
        assert len(it.acts) == sent
        await it.press("o", "y")
        assert it.client.chains[0].version == 4
        assert it.client.chains[0].policy["repeat"] == 3
        assert "default: saved" in it.screen


async def test_taking_theirs_drops_what_was_written() -> None:
    async with opened(admin(), target="policies") as it:
        await it.press("enter", "down", "right")
        it.client.chains[0].version, it.client.chains[0].name = 3, "usual"
        await it.press("pagedown", "pagedown", "y")
        assert "name: default -> usual" in it.screen
        await it.press("t")
        assert (form(it).draft.version, form(it).draft.repeat, form(it).draft.name) == (3, "2", "usual")
    assert chain_draft.kept("pol-default") is None


async def test_the_draft_outlives_the_link_and_the_session() -> None:
    client = admin()
    async with opened(client, target="policies") as it:
        await write_nights(it)
        await it.press("3")
        it.client.lose()
        await it.until("OFFLINE")
        await it.press("y")
        assert "saving needs the daemon" in it.screen
        assert form(it).draft.steps[1].hours == "22:00-06:00"
        await it.press("Q")
    client.down = False
    async with opened(client, target="policies") as it:
        await it.press("N")
        assert form(it).draft.name == "nights 2"
        await it.press("pagedown", "pagedown", "y")
        assert [name for verb, name, _ in it.acts if verb == "create_policy"] == ["nights 2"]


async def test_an_answer_that_was_lost_makes_nothing_twice() -> None:
    async with opened(admin(), target="policies") as it:
        await write_nights(it)
        await it.press("3")
        it.client.refuse = errors.Unavailable("the daemon did not answer within 10 s")
        await it.press("y")
        assert "no answer came" in it.screen
        first = form(it).key
        it.client.refuse = None
        await it.press("y")
        assert it.client.keys == [first]


async def test_one_is_ended_after_a_question_and_one_that_is_used_is_not() -> None:
    async with opened(admin(), target="policies") as it:
        await it.press("E")
        assert "default is used by acme-dental, borealis" in it.screen
        await it.press("j", "E")
        assert "end nights" in it.screen
        await it.press("n", "escape")
        assert [verb for verb, *_ in it.acts] == []
        await it.press("E", "r")
        await it.write("nobody uses it")
        await it.press("enter", "y")
        assert it.acts[-1] == ("delete_policy", "pol-nights", {"reason": "nobody uses it"})
        assert "nights: ended" in it.screen
        assert "1 escalation policy" in it.screen


async def test_an_armed_context_asks_for_the_name_and_a_read_only_one_refuses() -> None:
    async with opened(admin(), target="policies", armed=True) as it:
        await it.press("enter", "down", "right", "pagedown", "pagedown", "y")
        assert it.app.screen is not form_or_none(it)
        await it.write("defaul")
        await it.press("enter", "escape", "y")
        assert [verb for verb, *_ in it.acts if verb == "edit_policy"] == []
        await it.press("t")
        await it.write("t")
        await it.press("enter", "y")
        assert it.acts[-1][0] == "edit_policy"
    async with opened(admin(), target="policies", read_only=True) as it:
        await it.press("N", "enter", "E")
        assert isinstance(it.app.screen, ChainsScreen)
        assert "read only" in it.screen


def form_or_none(it: Session) -> object:
    return next((screen for screen in it.app.screen_stack if isinstance(screen, ChainForm)), None)


async def test_a_manager_writes_those_of_their_clients_only() -> None:
    async with opened(target="policies") as it:
        await it.press("enter")
        assert "default is the MSP's: an admin changes it" in it.screen
        await it.press("N")
        assert form(it).draft.company == "comp-acme-dental"
        await it.press("escape", "j", "enter")
        assert form(it).draft.policy_id == "pol-nights"


async def test_hostile_names_are_shown_and_not_obeyed() -> None:
    client = admin()
    client.chains = [policy("x")]
    client.chains[0].name = "\x1b]0;pwn\x07[/red]\u202e"
    client.chains[0].policy["steps"] = [
        {"targets": ["user:\x1b[2J[bold]"], "when": {"severity": ["HIGH"], "days": "x"}}
    ]
    async with opened(client, target="policies") as it:
        await it.press("enter", "pagedown", "enter", "escape", "pagedown", "escape", "E", "escape")
        assert "\x1b" not in it.screen
        assert "\u202e" not in it.screen


def test_a_policy_as_it_stands_makes_its_own_document() -> None:
    whole = {
        "repeat": 0, "reassign": False, "opening_hours": True, "ack_timeout": {},
        "strategies": {"severity_age": {"severity": "HIGH", "after": "4h"}, "priority": {"score": 120}},
        "steps": [
            {"targets": ["owner"], "wait": {"CRITICAL": "5m", "HIGH": "5m", "MEDIUM": "5m", "LOW": "5m"}},
            {"targets": ["webhook:hook-1f2e3d4c https://hooks.example/..."], "important": False,
             "when": {"severity": ">=HIGH", "priority": 90, "days": "sat,sun", "from": "22:00", "until": "06:00",
                      "zone": "Europe/Oslo"}},
        ],
    }  # fmt: skip
    view = policy("whole")
    view.policy = whole
    draft = chain_draft.of(view)
    assert draft.fault() == ""
    assert draft.changes() == []
    draft.repeat, draft.steps[0].wait = "1", ""
    assert draft.changes() == ["repeat: 0 -> 1", "step 1: owner   waits 5m -> owner   waits for nobody"]
