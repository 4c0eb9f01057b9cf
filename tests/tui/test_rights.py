"""What the console offers follows from what the daemon says that its reader may do."""

from __future__ import annotations

import pytest
from driving import opened
from scripted import ScriptedClient
from streamed import user

from siems.tui.screens.choose import AssignTo

ACME, BOREALIS = "comp-acme", "comp-borealis"


# --- clients, people, policies ------------------------------------------------------------------------------------


async def test_who_works_for_no_client_is_told_who_changes_that() -> None:
    for role in ("technician", "manager"):
        client = ScriptedClient()
        client.role, client.clients = role, []
        async with opened(client, target="companies") as it:
            await it.until("You work for no client yet.")
            assert "siems user edit maria --add-company" in it.screen
            assert "N makes the first one" not in it.screen
    client = ScriptedClient()
    client.role, client.clients = "admin", []
    async with opened(client, target="companies") as it:
        await it.until("N makes the first one")


@pytest.mark.parametrize(
    ("target", "shown"),
    [("companies", "N new"), ("companies", "I integration"), ("users", "N new"), ("policies", "N new")],
)
async def test_keys_are_shown_to_whom_the_daemon_allows_them(target: str, shown: str) -> None:
    for may in (True, False):
        client = ScriptedClient()
        client.role, client.may = "technician", ["see", *(["administer", "company_settings"] if may else [])]
        async with opened(client, target=target, size=(200, 40)) as it:
            await it.until("Acme" if target == "companies" else "Maria" if target == "users" else "default")
            assert (shown in it.screen) is may, it.screen


# --- whom to assign to --------------------------------------------------------------------------------------------


async def test_only_who_sees_every_marked_client_is_offered() -> None:
    client = ScriptedClient()
    jon, priya, olaf, cleo = (user(name) for name in ("Jon Berg", "Priya Nair", "Olaf Lund", "Cleo Ray"))
    jon.companies, priya.companies, olaf.role, cleo.role = [ACME], [ACME, BOREALIS], "admin", "client"
    client.people = [user("Maria Lopez"), jon, priya, olaf, cleo]
    views = [view for view in client.views.values() if view.company_id in (ACME, BOREALIS)]
    both = {next(view.id for view in views if view.company_id == one) for one in (ACME, BOREALIS)}
    async with opened(client) as it:
        it.app.model.marks |= both
        await it.press("A")
        screen = it.app.screen
        assert isinstance(screen, AssignTo)
        await it.until("Olaf Lund")
        assert [one.id for one in screen.people or ()] == ["user-maria", "user-olaf", "user-priya"]


async def test_when_nobody_is_left_it_says_so() -> None:
    client = ScriptedClient()
    jon = user("Jon Berg")
    jon.companies = [ACME]
    client.people = [jon]
    one = next(view.id for view in client.views.values() if view.company_id == BOREALIS)
    two = next(view.id for view in client.views.values() if view.company_id == ACME)
    async with opened(client) as it:
        it.app.model.marks |= {one, two}
        await it.press("A")
        await it.until("Nobody you may assign to sees all of")
        assert "one client at a time" in " ".join(it.screen.split())
        await it.press("enter", "1")
        assert isinstance(it.app.screen, AssignTo)
        await it.press("escape")
        assert it.acts == []


async def test_who_may_not_assign_to_others_is_offered_themselves() -> None:
    client = ScriptedClient()
    client.role = "technician"
    async with opened(client) as it:
        await it.press("A")
        await it.until("Maria Lopez (me)")
        screen = it.app.screen
        assert isinstance(screen, AssignTo)
        assert [one.id for one in screen.people or ()] == ["user-maria"]
