"""What comes from outside reaches no terminal raw, whatever it holds and wherever it is shown."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from typing import Any

import boards
import msgspec
import pytest
from driving import opened
from rich.console import Console
from scripted import NOW, ScriptedClient, alert, entry, view
from streamed import arrival

from siems import wire
from siems.tui.board_messages import Duty
from siems.tui.plain import PlainBoard

CORPUS = {
    "markup": "[/foo] [bold]x[/] [link=http://evil]y[/link] [@click=app.quit]z[/]",
    "osc8": "\x1b]8;;http://evil\x07click\x1b]8;;\x07",
    "osc52": "\x1b]52;c;ZXZpbA==\x07",
    "csi": "\x1b[2J\x1b[31mred\x1b[H",
    "c1": "\x9b31m\x9d52;c;x\x9c",
    "bidi": "abc\u202edcba\u2066x\u2069",
    "zero width": "a\u200bb\ufeffc\u00ad\u200d",
    "controls": "a\x00b\x07c\x08d\x7fe\x0ef\rg\nh\ti",
    "surrogate": "lone \ud800 half",
    "wide": "日本語テキスト" * 20,
    "zalgo": "z" + "\u0301" * 400 + "o",
    "tags": "x\U000e0041\U000e0042",
    "long": "\x1b[31m" + "A\u202e" * 500_000,
    "one word": "x" * 1_000_000,
}
BAD = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)


def poisoned(text: str) -> ScriptedClient:
    """Every text that a daemon sends on is this one."""
    client = ScriptedClient([
        view(1, title=text, company=text or "x", assets=[text, text], tool_sources=[text], category=text,
        rule=text,
             assignee="u", assignee_name=text, related=[text], cause=text, resolution_notes=text,
             resolved_by=text,
             resolved_at=NOW, company_id="comp-x",
             next_escalation=wire.NextEscalation(due_at=NOW + timedelta(minutes=1), level=2, to=text)),
        view(2),
    ])  # fmt: skip
    client.entries = [entry(1, "note", text, text), entry(2, "alert", text, text), entry(3, text, text, text)]
    client.alert_list = [msgspec.structs.replace(alert(1, 5, "HIGH", text), asset_name=text, tool_source=text,
                                                 evidence=text, severity=text)]  # fmt: skip
    client.notices = [wire.NoticeView(id=1, at=NOW, kind=text, subject=text, object=text, company_id="c", read=False)]
    client.context = text
    client.raw = text if name_of(text) != "surrogate" else None
    facts = {
        "asset_name": text,
        "tool_source": text,
        "severity": text,
        "rule": text,
        "evidence": text,
        "status": text,
        "signature": text,
        "original_severity": text,
        "suppressed_by": text,
    }
    client.arrived = [
        arrival(3, 1, text=text, company=text or "x", incident_id=text, **facts),
        arrival(2, 2, "refused", company=text or "x", cause=text, detail=text, address=text),
        arrival(1, 3, "repeated", text=text, count=10**9, **facts),
    ]
    return client


def name_of(text: str) -> str:
    return next((name for name, known in CORPUS.items() if known == text), "")


def check(app: Any) -> None:
    """Nothing on the screen is a character that a terminal would obey."""
    for strip in app.screen._compositor.render_strips():
        for segment in strip:
            assert segment.control is None or not segment.control
            assert not BAD.search(segment.text), repr(segment.text[:80])
    sink = io.StringIO()
    console = Console(file=sink, width=app.size.width, no_color=True, force_terminal=False)
    for strip in app.screen._compositor.render_strips():
        console.print(
            *[segment.text for segment in strip], sep="", end="\n", markup=False, highlight=False, emoji=False
        )
    sink.getvalue().encode()


@pytest.mark.parametrize("name", CORPUS)
async def test_every_sink(name: str) -> None:
    text = CORPUS[name]
    async with opened(poisoned(text)) as it:
        it.app.model.go("INC-1")
        it.app.peek()
        await it.settle()
        it.app.repaint_all()
        check(it.app)
        it.app.tell(text, "error")
        check(it.app)
        board = it.app.places()[0]
        for opens in (it.app.do_help, it.app.do_inbox, it.app.do_copy, it.app.do_log, it.app.do_command):
            opens()
            await it.settle()
            check(it.app)
            it.app.pop_screen()
        for name in ("assign", "escalate"):
            board.action_deed(name)
            await it.settle()
            check(it.app)
            it.app.pop_screen()
        await it.pilot.resize_terminal(120, 40)
        await it.settle()
        check(it.app)
        board.action_deed("open")
        await it.settle()
        check(it.app)
        await it.pilot.resize_terminal(80, 24)
        await it.settle()
        for _ in range(4):
            check(it.app)
            it.app.places()[-1].action_deed("section")
            await it.settle()


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=str)
@pytest.mark.parametrize("name", CORPUS)
async def test_the_alert_stream(name: str, size: tuple[int, int]) -> None:
    async with opened(poisoned(CORPUS[name]), target="alerts", size=size) as it:
        for keys in ("", "j", "j", "k", "enter", "J", "j", "y", "escape", "enter", "f"):
            if keys:
                await it.press(keys)
            check(it.app)


def poisoned_boards(text: str) -> ScriptedClient:
    """What the boards beside the incidents are told is this text, too."""
    client = poisoned(text)
    known = boards.duty()
    name = text[:500]
    one = boards.schedule(name, [boards.shift(name, name, NOW, 5), boards.shift(name, name, NOW, 90)],
                          [boards.gap(name, NOW, 1)], company=name, used_by=[name])  # fmt: skip
    replace = msgspec.structs.replace
    client.duty = Duty(
        [one],
        [replace(known.overrides[0], schedule_id=one.schedule.id, user_name=text, reason=text, created_by_name=text)],
        [replace(known.swaps[0], schedule_id=one.schedule.id, asker_name=text, other_name=text, reason=text)],
        [replace(known.handoffs[0], schedule_id=one.schedule.id, user_name=text, next_user_name=text, incidents=[
            replace(known.handoffs[0].incidents[0], title=text, company=text, next_action=text, hold_reason=text),
        ])],
    )  # fmt: skip
    client.trail = [
        boards.audited(2, 1, text, text, text, via=text, reason=text, details={text: text, "from": text, "to": text}),
        boards.audited(1, 2, text, text, "INC-1", chain=text, details={"a": {text: [text]}}),
    ]
    client.told = [replace(boards.told()[0], object="INC-1", subject=text, why=text, user=text)]
    client.notices = [wire.NoticeView(id=1, at=NOW, kind=text, subject=text, object="INC-1", company_id=text,
                                      read=False)]  # fmt: skip
    person = wire.WhatIfPerson(name=text, pages=False, messages=[], why=text)
    step = wire.WhatIfStep(at=NOW, kind=text, level=1, text=text, targets=[text], people=[person], webhooks=[text])
    client.whatif = replace(client.whatif, policy=text, notes=[text], steps=[step])
    return client


@pytest.mark.parametrize("name", CORPUS)
async def test_the_other_boards(name: str) -> None:
    """With texts as long as the daemon lets them be."""
    async with opened(poisoned_boards(CORPUS[name][:2_000]), target="oncall", size=(120, 40)) as it:
        for keys in ("", "p", "escape b", "escape i", "escape escape w", "escape y", "escape 7", "enter", "y",
                     "escape 8", "y"):  # fmt: skip
            await it.press(*keys.split())
            check(it.app)


@pytest.mark.parametrize("name", CORPUS)
def test_the_plain_board(name: str) -> None:
    out = io.StringIO()
    PlainBoard(poisoned(CORPUS[name]), out=out).run(["1\n", "quit\n"])  # type: ignore[arg-type]
    assert not BAD.search(out.getvalue().replace("\n", ""))
    out.getvalue().encode()


async def test_pasted_text_is_shown_safely() -> None:
    from textual.events import Paste

    async with opened() as it:
        await it.press("n")
        it.app.screen.focused.post_message(Paste("evil \x1b]52;c;x\x07\nsecond"))  # type: ignore[union-attr]
        await it.settle()
        check(it.app)
        assert "\\x1b]52" in it.screen
