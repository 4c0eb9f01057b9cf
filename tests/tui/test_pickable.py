"""Picking whom a step of a policy pages: what exists, what fits, what is taken, and what is checked meanwhile."""

from __future__ import annotations

import pytest
from driving import opened
from hypothesis import given
from hypothesis import strategies as st
from scripted import ScriptedClient

from siems.tui.pickable import ALWAYS, Pick, fitting, part_at, pickable, taken
from siems.tui.screens.chain_form import ChainForm

KNOWN = [*ALWAYS, Pick("schedule:night", "Nights, on call now: Jon"), Pick("user:jon", "Jon Berg, technician")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [one.word for one in KNOWN]),
        ("role:m", ["role:manager"]),
        ("jo", ["user:jon", "schedule:night"]),  # its name begins so; and its words hold it
        ("berg tech", ["user:jon"]),
        ("owner, ro", ["role:technician", "role:manager", "role:admin"]),
        ("user:jon", []),
        ("user:jon, ", [one.word for one in KNOWN[:-1]]),
        ("webhook:https://x.example", []),
        ("nobody", []),
    ],
)
def test_what_fits_is_by_name_first_then_by_what_it_is(text: str, found: list[str]) -> None:
    assert [one.word for one in fitting(KNOWN, text, len(text))] == found


def test_a_target_in_the_middle_is_replaced_and_the_others_stay() -> None:
    text = "owner,  jo , role:admin"
    assert taken(text, 9, KNOWN[-1]) == ("owner,  user:jon , role:admin", 16)


@given(st.text(alphabet="ab:, ", max_size=20), st.data())
def test_the_part_under_the_caret_holds_no_comma_and_taking_it_changes_nothing_else(
    text: str, data: st.DataObject
) -> None:
    caret = data.draw(st.integers(0, len(text)))
    begin, end = part_at(text, caret)
    assert "," not in text[begin:end]
    found, _ = taken(text, caret, Pick("x", ""))
    assert (found[:begin], found[len(found) - (len(text) - end) :]) == (text[:begin], text[end:])


def test_a_client_s_policy_names_those_who_see_the_client() -> None:
    client = ScriptedClient()
    people = client.people
    every = {one.word for one in pickable(people, [], client.chains, "msp")}
    own = {one.word for one in pickable(people, [], client.chains, "comp-nobody")}
    staff = {f"user:{one.id.removeprefix('user-')}" for one in people if one.role != "client" and not one.disabled}
    assert staff <= every
    assert {word for word in own if word.startswith("user:")} == {
        f"user:{one.id.removeprefix('user-')}" for one in people if one.role == "admin" and not one.disabled
    }


async def test_targets_are_picked_from_what_exists_and_conditions_are_checked_while_typing() -> None:
    client = ScriptedClient()
    client.role = "admin"
    async with opened(client, target="policies", size=(80, 24)) as it:
        await it.press("N", "pagedown", "enter", "ctrl+u")
        assert "role:technician" in it.screen
        assert "type to find one" in it.screen
        await it.write("jon")
        assert " > user:jon" in it.screen
        await it.press("enter")
        form = it.app.screen
        assert isinstance(form, ChainForm)
        assert form.draft.steps[0].targets == "user:jon"
        await it.write(", ")
        await it.press("down", "down", "up", "down", "enter")
        assert form.draft.steps[0].targets == "user:jon, oncall"
        await it.press("enter")  # nothing is left to pick: on to the next field
        assert form.focused is not None
        assert form.focused.id == "s-wait"
        await it.press("ctrl+u")
        await it.write("15")
        assert "30m" in it.screen or "15m" in it.screen, it.screen
        await it.write("m")
        await it.press("down", "down")
        await it.write("BAD")
        assert "! " in it.screen
        await it.press(*["backspace"] * 3)
        assert " ! " not in it.screen.replace("Name: is needed", "")
