"""A past hour on the board: every key of a replay, and that nothing of it is of today."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from played import BEGIN, END, Player, RecordClient, at, hour, loaded, replay, replayed, step
from textual.pilot import Pilot

from siems import errors
from siems.tui.actions import DEEDS, Where
from siems.tui.replay import PAST
from siems.tui.tape import SPEEDS, Tape

# --- the tape ------------------------------------------------------------------------------------------------------


def tape(**how: Any) -> Tape:
    found = Tape(BEGIN, END, **how)
    base, steps = hour()
    found.load(base, [])
    found.extend(steps, END, [])
    return found


def refs(one: Tape) -> list[str]:
    return sorted(view.id for view in one.board())


def test_time_passes_as_fast_as_it_is_told() -> None:
    it = tape(speed=60)
    assert it.advance(10) == []
    it.running = True
    assert [one.kind for one in it.advance(6)] == ["repeat", "alert", "open"]
    assert (it.at, refs(it)) == (at(6), ["INC-7", "INC-8", "INC-9"])
    it.slower()
    it.advance(60)
    assert it.at == at(36)
    it.advance(10_000)
    assert (it.at, it.ended, it.running, it.share, refs(it)) == (END, True, False, 1.0, ["INC-7", "INC-9"])


def test_it_goes_no_further_than_what_was_read() -> None:
    it = Tape(BEGIN, END, speed=600)
    base, steps = hour()
    it.load(base, [])
    it.extend(steps[:1], at(2), ["repeats"])
    it.running = True
    it.advance(100)
    assert (it.at, it.running) == (at(2), True)
    it.extend(steps[1:], END, ["repeats", "more"])
    assert [one.kind for one in it.advance(0.3)] == ["alert", "open"]
    assert it.gaps == ["repeats", "more"]


def test_steps_forth_and_back_come_to_the_same_board() -> None:
    it, boards = tape(), []
    while not it.ended:
        boards.append((it.at, it.board()))
        it.on()
    for moment, board in reversed(boards):
        it.back()
        assert it.at == moment
        assert sorted(it.board(), key=lambda view: view.id) == sorted(board, key=lambda view: view.id)
    it.back()
    assert it.at == BEGIN
    assert [one.kind for one in it.on(loud=True)] == ["repeat", "alert", "open"]
    it.on(loud=True)
    it.back(loud=True)
    assert it.at == at(5)
    assert [one.kind for one in it.last(5)] == ["open", "alert"]


def test_speeds_end_where_they_end() -> None:
    it = tape()
    for _ in range(20):
        it.faster()
    assert it.speed == SPEEDS[-1]
    for _ in range(20):
        it.slower()
    assert it.speed == SPEEDS[0]


# --- the screen ----------------------------------------------------------------------------------------------------


async def test_it_says_replay_and_plays() -> None:
    async with replayed() as it:
        assert "REPLAY  2026-03-10 11:02:31" in it.screen
        assert "Disk D: 97%" in it.screen
        assert "VPN tunnel" not in it.screen
        await it.plays(6)
        assert "VPN tunnel" in it.screen
        assert "opened, rule" in it.screen
        await it.plays(10_000)
        assert "12:02:31" in it.screen
        assert " end " in it.screen
        assert "UPS" not in it.screen.partition("what happened")[0]


async def test_pausing_stepping_jumping_and_speed() -> None:
    async with replayed() as it:
        await it.press("space")
        await it.plays(60)
        assert it.app.tape.at == BEGIN
        assert "paused" in it.screen
        await it.press("full_stop")
        assert it.app.tape.at == at(5)
        await it.press("full_stop", "comma")
        assert it.app.tape.at == at(5)
        await it.press("h", "h")
        assert it.app.tape.at == BEGIN
        await it.press("right")
        assert it.app.tape.at == at(2)
        await it.press("left", "l", "plus", "minus", "minus")
        assert (it.app.tape.at, it.app.tape.speed) == (at(2), 30.0)
        for _ in range(6):
            await it.press("full_stop")
        assert "the hour ends here" in it.screen
        await it.press("space")
        assert (it.app.tape.at, it.app.tape.running) == (BEGIN, True)


async def test_an_incident_knows_nothing_of_what_came_later() -> None:
    async with replayed() as it:
        it.app.model.go("INC-7")
        await it.press("space", "enter")
        assert "acknowledged" not in it.screen
        await it.press("q", "full_stop", "full_stop", "enter")
        await it.until("acknowledged")
        assert "INC-7" in it.client.asked[-1] if isinstance(it.client, RecordClient) else False
        await it.press("a", "r", "2", "w", "colon", "U", "u")
        assert it.acts == []
        assert it.app.places()[-1].WHERE is Where.REPLAYED


async def test_nothing_is_done_and_nothing_of_today_is_shown() -> None:
    async with replayed() as it:
        it.app.read_story("INC-7")
        before = list(it.client.queries)
        for deed in DEEDS:
            if deed.acts:
                it.app.hands.ask(deed, it.app.places()[-1].subjects())
                assert it.app.toast_now()[0] == PAST
        for where in (Where.ALERTS, Where.AUDIT, Where.INBOX):
            it.app.go_to(where)
            assert "REPLAY has the incidents only" in it.screen
        it.app.tick()
        it.app.keep()
        await it.settle()
        assert (it.acts, it.client.queries) == ([], before)


@pytest.mark.parametrize("where", [Where.REPLAY, Where.REPLAYED])
async def test_every_key_of_a_replay_can_be_pressed(where: Where) -> None:
    async with replayed() as it:
        if where is Where.REPLAYED:
            await it.press("enter")
        place = it.app.screen
        for deed in DEEDS:
            if where not in deed.where or deed.id in ("quit", "back", "open"):
                continue
            for key in deed.keys:
                await it.press(key)
                assert it.app.is_running
                while it.app.screen is not place:
                    it.app.pop_screen()


@pytest.mark.parametrize("where", [Where.REPLAY, Where.REPLAYED])
async def test_every_key_of_today_says_that_this_is_the_past(where: Where) -> None:
    async with replayed() as it:
        if where is Where.REPLAYED:
            await it.press("enter")
            await it.settle()
        place, before = it.app.screen, (list(it.client.queries), list(it.client.asked))
        own = {key for deed in DEEDS if where in deed.where for key in deed.keys}
        for key in sorted({key for deed in DEEDS for key in deed.keys} - own):
            it.app.tell("", "")
            await it.press(key)
            assert (key, it.app.toast_now()[0]) == (key, PAST)
            assert it.app.screen is place
        assert (it.acts, (it.client.queries, it.client.asked)) == ([], before)


async def test_what_is_not_on_record_is_said() -> None:
    client = RecordClient()
    client.gaps = ["repeats of alerts before 2026-03-10 11:20Z"]
    async with replayed(client) as it:
        assert it.screen.count("not on record: repeats of alerts before 2026-03-10 11:20Z") >= 1


async def test_a_daemon_that_does_not_answer_is_said_and_asked_again() -> None:
    client = RecordClient()
    client.fault = errors.Unavailable("nobody answers", hint="siems up -d")
    async with replayed(client) as it:
        assert "nobody answers" in it.screen
        client.fault = None
        await it.press("ctrl+r")
        await loaded(it.app, it.pilot)
        assert "Disk D: 97%" in it.screen


async def test_hostile_text_is_shown_and_not_obeyed() -> None:
    async with replayed(size=(120, 40)) as it:
        await it.plays(15)
        assert "\x1b" not in it.screen
        assert "logs[/] of last year" in it.screen


async def test_a_quiet_hour() -> None:
    client = RecordClient()
    client.base, client.record = [], []
    client.record = [step(59, "note", "x", None)]
    async with replayed(client) as it:
        assert "reading the record" not in it.screen
        await it.press("full_stop")
        assert it.app.tape.at == at(59)


# --- how it looks --------------------------------------------------------------------------------------------------


async def playing(it: Player) -> None:
    await it.plays(15)


async def ended(it: Player) -> None:
    await it.plays(10_000)


async def detail(it: Player) -> None:
    await it.plays(15)
    it.app.model.go("INC-7")
    await it.press("enter")


async def help_(it: Player) -> None:
    await it.press("question_mark")


STATES: dict[str, tuple[Callable[[Player], Awaitable[None]], dict[str, Any]]] = {
    "playing": (playing, {}),
    "ended": (ended, {}),
    "detail": (detail, {}),
    "help": (help_, {}),
    "ascii": (playing, {"ascii_only": True}),
    "mono": (playing, {"theme": "mono"}),
}


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("state", STATES)
def test_screens(state: str, size: tuple[int, int], snap_compare: Callable[..., bool]) -> None:
    steps, options = STATES[state]
    client, time = RecordClient(), [1_000.0]
    app = replay(client, time, **options)

    async def drive(pilot: Pilot[Any]) -> None:
        it = Player(app, client, time)
        it.pilot = pilot
        await loaded(app, pilot)
        await steps(it)
        await it.settle()
        app.link.stop()

    assert snap_compare(app, terminal_size=size, run_before=drive)
