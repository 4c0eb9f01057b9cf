"""The lines around a screen say what is so: keys that do something, counts that fit, sentences that show a cut."""

from __future__ import annotations

from datetime import timedelta

import pytest
from driving import Session, opened
from scripted import NOW, ScriptedClient, view
from scripted_runs import host, run

from siems import errors, wire
from siems.tui import frame
from siems.tui.actions import Where
from siems.tui.looks import width_of
from siems.tui.screens import books
from siems.tui.screens.books import Help
from siems.tui.terminal import draws_utf8


def keys(it: Session) -> str:
    return it.screen.splitlines()[-1]


@pytest.mark.parametrize(
    ("target", "gone", "stays"),
    [
        ("incidents?no such title", ("space mark", "R runbook", "y copy"), "/ filter"),
        ("runs?state:cancelled", ("enter open", "o incident", "y copy"), "/ filter"),
    ],
)
async def test_an_empty_list_offers_nothing_for_a_row(target: str, gone: tuple[str, ...], stays: str) -> None:
    async with opened(target=target) as it:
        assert stays in keys(it)
        assert not [words for words in gone if words in keys(it)]


async def test_an_empty_inbox_offers_no_reading() -> None:
    client = ScriptedClient()
    client.notices.clear()
    async with opened(client, target="inbox") as it:
        assert "m read" not in keys(it)
        assert "M all read" not in keys(it)


async def test_who_may_only_read_is_offered_nothing_else() -> None:
    async with opened(target="oncall", read_only=True) as it:
        assert "w who" in keys(it)
        assert "i override" not in keys(it)
        await it.press("S")
        assert "N new" not in keys(it)
        await it.press("8")
        assert "M all read" not in keys(it)
        assert "enter open" in keys(it)


async def test_one_host_has_no_next_one() -> None:
    client = ScriptedClient()
    client.run_list[1] = run(93, "running", [host("bor-pc-01", "running", 2)])
    async with opened(client, target="RUN-93") as it:
        assert "tab host" not in keys(it)
        assert "enter output" in keys(it)


@pytest.mark.parametrize("here", [Where.BOARD, Where.RUNS, Where.INBOX])
@pytest.mark.parametrize("waiting", [0, 2, 12])
@pytest.mark.parametrize("unread", [0, 3, 1_234, 54_321])
def test_the_screens_fit_a_narrow_terminal(here: Where, waiting: int, unread: int) -> None:
    line = frame.screens(here, unread, waiting, width=80)
    assert width_of(line) <= 80
    said = "".join(text for text, _ in line)
    assert said.rstrip("]").endswith("Inbox" if not unread else (f"({unread})", "+)"))


def test_a_sentence_that_is_cut_shows_it() -> None:
    told = "hold is not possible: " + "INC-121 " * 20
    line = frame.toast(told, "error", "undo (9s)", 80, cut="~")
    assert width_of(line) <= 80
    assert line[0][0].endswith("~")
    assert frame.toast("done", "", "", 80, cut="~") == [("done", "")]


async def test_a_hold_without_an_ack_says_what_is_missing() -> None:
    client = ScriptedClient([view(1, state="ASSIGNED", actions=["ack", "start", "assign"])])
    async with opened(client) as it:
        await it.press("H")
        assert "hold needs an ack first: nobody has acknowledged INC-1" in it.screen


@pytest.mark.parametrize("to", ["jon", "all technicians of Borealis"])
async def test_to_whom_it_escalates_is_whole_in_the_detail(to: str) -> None:
    chain = wire.NextEscalation(due_at=NOW + timedelta(seconds=137), level=2, to=to)
    async with opened(ScriptedClient([view(1, minutes=27, next_escalation=chain)]), target="INC-1") as it:
        timers = it.screen.splitlines()[3]
        assert "2:17" in timers
        assert (f"{to} (L2)" if to == "jon" else f"{to[:10]}") in timers
        assert len(timers) <= 80


@pytest.mark.parametrize("where", [where for where in Where if where is not Where.WIZARD])
def test_every_screen_has_help(where: Where) -> None:
    assert Help(where, (), "").heading.startswith("help: ")
    assert books._NOTES[where]


@pytest.mark.parametrize("key", ["1", "2", "3", "4", "5", "6", "7", "8", "U", "P", "S", "C"])
async def test_the_help_opens_wherever_a_key_leads(key: str) -> None:
    async with opened(client := ScriptedClient()) as it:
        client.role = "admin"
        await it.press(key, "question_mark")
        assert "help:" in it.screen
        assert "ctrl+r" in it.screen or "the other keys" in it.screen


async def test_the_help_has_every_key_though_the_terminal_is_low() -> None:
    async with opened() as it:
        await it.press("question_mark")
        assert "the other keys" in it.screen
        seen = it.screen
        for _ in range(20):
            await it.press("down")
            seen += it.screen
        assert "back, or clear the filter" in seen
        assert "quit" in seen
        assert "acknowledge" not in it.screen
        assert all(len(line) <= 80 for line in it.screen.splitlines())


async def test_the_inbox_counts_what_it_does_not_list() -> None:
    client = ScriptedClient()
    one = client.notices[0]
    client.notices = [
        wire.NoticeView(id=n, at=one.at, kind=one.kind, subject=f"number {n}", object="INC-121",
                        company_id=one.company_id, read=n >= 200)
        for n in range(250, 0, -1)
    ]  # fmt: skip
    async with opened(client, target="inbox") as it:
        assert "199 unread  the newest 100 are listed" in it.screen
        assert "number 250" in it.screen
        await it.press("f")
        assert "number 199" in it.screen
        assert "number 250" not in it.screen


async def test_a_technician_sees_the_clients_without_their_keys() -> None:
    client = ScriptedClient()
    client.role = "technician"

    def forbidden(**_: object) -> list[dict[str, object]]:
        raise errors.Forbidden("may not", hint="ask somebody")

    client.policies = forbidden  # type: ignore[method-assign]
    async with opened(client, target="companies") as it:
        await it.until("Acme Dental")
        assert "may not" not in it.screen
        assert "NO KEY" not in it.screen
        assert "X rotate" not in keys(it)


@pytest.mark.parametrize(
    ("environ", "drawn"),
    [
        ({}, True),
        ({"LANG": "en_US.UTF-8"}, True),
        ({"LANG": "C.UTF-8"}, True),
        ({"LANG": "C"}, False),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False),
        ({"LANG": "C", "LC_CTYPE": "de_DE.UTF-8"}, True),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "POSIX"}, False),
    ],
)
def test_the_locale_says_whether_signs_beyond_ascii_are_drawn(environ: dict[str, str], drawn: bool) -> None:
    assert draws_utf8(environ, "utf-8") is drawn
    assert not draws_utf8(environ, "iso-8859-1")
