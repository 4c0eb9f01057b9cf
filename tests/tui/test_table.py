"""The table of actions: keys clash nowhere, none is forbidden, and each has words."""

from __future__ import annotations

import pytest
from textual.app import App
from textual.binding import Binding
from textual.screen import Screen

from siems import places
from siems.tui import actions
from siems.tui.actions import BY_ID, DEEDS, Level, Where, cli_line, forbidden
from siems.tui.app import SiemsApp
from siems.tui.commands import entries, matching, parse, ref
from siems.tui.keymap import read_keymap
from siems.tui.screens.alerts import AlertsScreen
from siems.tui.screens.audit import AuditScreen
from siems.tui.screens.board import BoardScreen
from siems.tui.screens.chains import ChainsScreen
from siems.tui.screens.clients import ClientsScreen
from siems.tui.screens.detail import DetailScreen
from siems.tui.screens.inbox import InboxScreen
from siems.tui.screens.measures import MeasuresScreen
from siems.tui.screens.oncall import OncallScreen
from siems.tui.screens.parents import ParentsScreen
from siems.tui.screens.people import PeopleScreen
from siems.tui.screens.replay import ReplayDetail, ReplayScreen
from siems.tui.screens.run import RunScreen
from siems.tui.screens.runs import RunsScreen
from siems.tui.screens.silences import SilencesScreen
from siems.tui.screens.wizard import WizardScreen
from siems.tui.widgets.choice import Choice
from siems.tui.widgets.field import Field

ELSEWHERE = {
    "e": ("escalate", "next_critical"),
    "enter": ("open", "raw", "entry", "run", "output", "edit", "held", "behind"),
    "o": ("incident", "only"),
    "E": ("expire", "previous_critical", "export"),
    "plus": ("join", "faster"),
    "minus": ("leave", "slower"),
    "V": ("mark_none", "verify"),
    "f": ("follow", "unread", "views"),
    "r": ("resolve", "range"),
    "c": ("close", "one_client"),
    "p": ("answer", "one_severity"),
    "space": ("mark", "play"),
    "h": ("day_back", "step_back"),
    "left": ("day_back", "step_back"),
    "l": ("day_on", "step_on"),
    "right": ("day_on", "step_on"),
    "b": ("brief", "its_runs"),
    "x": ("swap", "commands"),
    "tab": ("next_host", "section"),
    "L": ("longer", "all_output"),
}
"""The keys that mean something else on another screen. What they do there changes nothing but the view."""


def test_a_letter_means_one_action_on_every_screen() -> None:
    meanings: dict[str, tuple[str, ...]] = {}
    for deed in DEEDS:
        for key in deed.keys:
            meanings[key] = (*meanings.get(key, ()), deed.id)
    assert {key: names for key, names in meanings.items() if len(names) > 1} == ELSEWHERE
    for first, *others in ELSEWHERE.values():
        for other in others:
            assert not set(BY_ID[first].where) & set(BY_ID[other].where)
            assert not BY_ID[other].changes
    assert len(BY_ID) == len(DEEDS)


def test_nothing_on_the_alert_stream_changes_an_incident() -> None:
    assert [deed.id for deed in DEEDS if deed.changes and Where.ALERTS in deed.where] == []
    assert [deed.id for deed in DEEDS if deed.changes and Where.AUDIT in deed.where] == []
    assert [deed.id for deed in DEEDS if deed.changes and Where.SLA in deed.where] == []


def test_no_key_that_belongs_to_somebody_else() -> None:
    assert [key for deed in DEEDS for key in deed.keys if forbidden(key)] == []
    for key in ("ctrl+a", "ctrl+b", "ctrl+s", "ctrl+q", "ctrl+z", "ctrl+w", "alt+x", "f1", "ctrl+backslash"):
        assert forbidden(key)


@pytest.mark.parametrize(
    "kind",
    [
        SiemsApp,
        BoardScreen,
        DetailScreen,
        AlertsScreen,
        OncallScreen,
        AuditScreen,
        InboxScreen,
        MeasuresScreen,
        ClientsScreen,
        PeopleScreen,
        RunsScreen,
        RunScreen,
        ChainsScreen,
        SilencesScreen,
        ParentsScreen,
        ReplayScreen,
        WizardScreen,
        Choice,
        Field,
    ],
)
def test_nothing_is_inherited_that_is_forbidden(kind: type) -> None:
    found = list(kind._merge_bindings().key_to_bindings)  # type: ignore[attr-defined]
    assert [key for key in found if forbidden(key)] == []
    assert kind._inherit_bindings is False or issubclass(kind, (App, Screen))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("screen", "where"),
    [
        (BoardScreen, Where.BOARD),
        (DetailScreen, Where.DETAIL),
        (AlertsScreen, Where.ALERTS),
        (OncallScreen, Where.ONCALL),
        (AuditScreen, Where.AUDIT),
        (InboxScreen, Where.INBOX),
        (MeasuresScreen, Where.SLA),
        (ClientsScreen, Where.CLIENTS),
        (PeopleScreen, Where.PEOPLE),
        (RunsScreen, Where.RUNS),
        (RunScreen, Where.RUN),
        (ChainsScreen, Where.CHAINS),
        (SilencesScreen, Where.SILENCES),
        (ParentsScreen, Where.PARENTS),
        (ReplayScreen, Where.REPLAY),
        (ReplayDetail, Where.REPLAYED),
    ],
)
def test_bindings_come_from_the_table_and_have_ids(screen: type, where: Where) -> None:
    bound = {one.id: one for one in screen.BINDINGS if isinstance(one, Binding) and one.id}  # type: ignore[attr-defined]
    assert set(bound) == {deed.id for deed in DEEDS if deed.keys and where in deed.where}
    assert all(one.key == ",".join(BY_ID[one.id].keys) for one in bound.values())


def test_what_the_levels_ask() -> None:
    levels = {level: {deed.id for deed in DEEDS if deed.level is level} for level in Level}
    assert {"ack", "assign", "start", "note", "take"} <= levels[Level.DIRECT]
    assert {"resolve", "close", "escalate"} <= levels[Level.CONFIRM]


def test_every_deed_has_words_and_every_act_a_command_line() -> None:
    for deed in DEEDS:
        assert deed.title
        if deed.acts:
            assert deed.cli.startswith("siems incident ")
            assert deed.done
        elif deed.changes:
            assert deed.cli.startswith("siems ")
            assert deed.about != "incident"
    for names in actions.FOOTER.values():
        assert set(names) <= set(BY_ID)


def test_command_lines_are_quoted() -> None:
    line = cli_line(BY_ID["resolve"], ["INC-1", "INC-2"], {"note": "it's; rm -rf", "cause": "disk"})
    assert line == "siems incident resolve INC-1 INC-2 --note 'it'\"'\"'s; rm -rf' --cause disk --yes"
    assert cli_line(BY_ID["ack"], ["INC-1"], {}) == "siems incident ack INC-1"


@pytest.mark.parametrize(
    ("typed", "word", "refs"),
    [("121", "open", ("INC-121",)), ("inc 121", "open", ("INC-121",)), ("INC-121", "open", ("INC-121",)),
     ("ack 12 13", "ack", ("INC-12", "INC-13")), ("incident ack INC-12", "ack", ("INC-12",)),
     ("siems incident resolve 4", "resolve", ("INC-4",)), ("quit", "quit", ()), ("mark all", "mark_all", ()),
     ("alerts", "alerts", ()), ("alert list", "alerts", ()), ("siems alert list", "alerts", ()),
     ("oncall who", "oncall", ()), ("siems audit verify", "verify", ()), ("handoff show", "brief", ()),
     ("oncall override add --user sam", "override", ()), ("notify inbox", "inbox", ()), ("7", "open", ("INC-7",)),
     ("oncall swap accept SWP-3", "answer", ()), ("audit export", "audit export", ()),
     ("company list", "clients", ()), ("users", "people", ()), ("siems escalation policy list", "chains", ()),
     ("company onboard", "clients new", ()), ("escalation policy create night", "policies new", ()),
     ("company acme", "company", ()),
     ("notify read --all", "read_all", ()), ("incident list", "board", ()),
     ("sla board", "sla", ()), ("siems report workload", "sla", ()),
     ("runs", "runs", ()), ("siems runbook runs", "runs", ()), ("runbook", "runbook", ()), ("run 9", "open run", ()),
     ("RUN-9", "open run", ()), ("run fw-diag", "run book", ()), ("runbook run fw-diag", "run book", ()),
     ("runbook approve RUN-9", "open run", ()), ("runbook rollback", "roll_back", ()), ("cancel", "cancel", ()),
     ("go INC-9/runs/91", "open run", ()),
     ("go INC-9", "open", ("INC-9",)), ("", "", ())],
)  # fmt: skip
def test_commands(typed: str, word: str, refs: tuple[str, ...]) -> None:
    wish = parse(typed)
    assert (wish.word, wish.refs) == (word, refs)


def test_commands_that_make_no_sense_say_so() -> None:
    for typed in ("dance", "ack twelve", "down"):
        with pytest.raises(ValueError, match=r"no command|no incident"):
            parse(typed)
    assert parse('filter severity:CRITICAL "disk full"').rest == 'severity:CRITICAL "disk full"'
    assert parse('alerts severity:CRITICAL "disk full"').rest == 'severity:CRITICAL "disk full"'
    assert parse("alert list --query #acme").rest == "#acme"
    assert parse('audit list --query "actor:maria since:<24h"').rest == '"actor:maria since:<24h"'
    assert parse("audit @me").rest == "@me"
    assert (ref("inc-007"), ref("alr-7")) == ("INC-7", None)


def test_the_palette_offers_what_the_screen_can_do() -> None:
    assert {"ack", "resolve", "freeze"} <= {one.text for one in entries(Where.BOARD, {})}
    assert "freeze" not in {one.text for one in entries(Where.DETAIL, {})}
    assert matching("res", Where.BOARD, {})[0].text == "resolve"
    assert matching("incident re", Where.BOARD, {})[0].text == "resolve"


def test_a_key_map_changes_keys_but_not_into_forbidden_or_taken_ones() -> None:
    places.config_dir().mkdir(parents=True)
    (places.config_dir() / "keys.toml").write_text('ack = "Z"\nstart = "ctrl+z"\nnote = "a"\nresolve = "q"\nno = "n"\n')
    found = read_keymap()
    assert found.keys == {"ack": "Z", "note": "a"}
    assert found.faults == [
        "start: ctrl+z belongs to the terminal", "resolve: q is back", "there is no action 'no'",
    ]  # fmt: skip
    (places.config_dir() / "keys.toml").write_text("broken = [")
    assert read_keymap().keys == {}
    assert "cannot be read" in read_keymap().faults[0]
    (places.config_dir() / "keys.toml").write_text('ack = "x"\nmark = "left_square_bracket"\n')
    assert read_keymap().keys == {
        "ack": "x",
        "mark": "left_square_bracket",
    }  # they mean something else on other screens only
