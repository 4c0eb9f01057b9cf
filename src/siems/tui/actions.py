"""The one table of what can be done: key, CLI line, confirmation level and help."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Level(IntEnum):
    """How much an action asks before it acts."""

    VIEW = -1  # changes nothing but the view
    DIRECT = 0  # acts at once, can be undone for 10 s
    CONFIRM = 1  # a dialog lists what is meant; `y` acts
    SEVERE = 2  # as before, and the client's name must be typed in full


class Where(StrEnum):
    BOARD = "board"
    DETAIL = "detail"
    ALERTS = "alerts"
    ONCALL = "on-call"
    AUDIT = "audit"
    INBOX = "inbox"
    SLA = "sla"
    RUNS = "runs"
    RUN = "run"
    CLIENTS = "clients"
    PEOPLE = "people"
    CHAINS = "policies"
    SILENCES = "silences"
    PARENTS = "parents"
    REPLAY = "replay"
    REPLAYED = "replayed incident"
    WIZARD = "form"


BOTH = (Where.BOARD, Where.DETAIL)
BOARD = (Where.BOARD,)
DETAIL = (Where.DETAIL,)
ALERTS = (Where.ALERTS,)
LISTS = (Where.BOARD, Where.ALERTS)
ONCALL = (Where.ONCALL,)
AUDIT = (Where.AUDIT,)
INBOX = (Where.INBOX,)
SLA = (Where.SLA,)
RUN = (Where.RUN,)
ALL_RUNS = (Where.RUNS, Where.RUN)
CLIENTS = (Where.CLIENTS,)
ROSTERS = (Where.CLIENTS, Where.PEOPLE, Where.CHAINS, Where.SILENCES, Where.PARENTS)
REPLAY = (Where.REPLAY,)
PAST = (Where.REPLAY, Where.REPLAYED)
"""Screens that show a past hour: nothing is done there."""
STORY = (Where.DETAIL, Where.REPLAYED)
SILENCES = (Where.SILENCES,)
CHAINS = (Where.CHAINS,)
ENDED = SILENCES + CHAINS
PARENTS = (Where.PARENTS,)
GROUPED = BOTH + PARENTS
"""Where a key is about incidents: on the parents screen about all of a group."""
EVERY = tuple(where for where in Where if where not in (Where.WIZARD, *PAST))
"""Every screen of today but the form, whose letters are typed."""
ALL = EVERY + PAST


@dataclass(frozen=True, slots=True)
class Deed:
    """One row of the table; `verb` is what the daemon calls the action when that differs from `id`."""

    id: str
    keys: tuple[str, ...]
    title: str
    level: Level = Level.VIEW
    cli: str = ""
    verb: str = ""
    done: str = ""
    hint: str = ""
    where: tuple[Where, ...] = BOTH
    about: str = "incident"

    @property
    def acts(self) -> bool:
        """Whether it changes an incident."""
        return self.level is not Level.VIEW and self.about == "incident"

    @property
    def changes(self) -> bool:
        """Whether it changes anything that others see."""
        return self.level is not Level.VIEW

    @property
    def needs(self) -> str:
        return self.verb or self.id


DEEDS: tuple[Deed, ...] = (
    Deed("ack", ("a",), "acknowledge", Level.DIRECT, "siems incident ack {ids}", done="Acknowledged",
    hint="ack", where=GROUPED),
    Deed("assign", ("A",), "assign...", Level.DIRECT, "siems incident assign {ids} --to {to}",
         done="Assigned", hint="assign"),
    Deed("take", ("t",), "take it", Level.DIRECT, "siems incident take {ids}", "assign", "Taken:", "take"),
    Deed("start", ("s",), "start work", Level.DIRECT, "siems incident start {ids}", done="Started",
    hint="start"),
    Deed("resolve", ("r",), "resolve...  (asks)", Level.CONFIRM, "siems incident resolve {ids} {flags} --yes",
         done="Resolved", hint="resolve", where=GROUPED),
    Deed("close", ("c",), "close...  (asks)", Level.CONFIRM, "siems incident close {ids} {flags}",
         done="Closed", hint="close", where=GROUPED),
    Deed("reopen", ("O",), "reopen...  (asks)", Level.CONFIRM, "siems incident reopen {ids} {flags}",
         done="Reopened", hint="reopen"),
    Deed("escalate", ("e",), "escalate now...  (asks)", Level.CONFIRM,
    "siems incident escalate {ids} {flags}",
         done="Escalated", hint="escalate"),
    Deed("note", ("n",), "note...", Level.DIRECT, "siems incident note {ids} {note}", done="Noted on",
    hint="note", where=GROUPED),
    Deed("hold", ("H",), "hold... or resume", Level.CONFIRM, "siems incident hold {ids} {flags}",
         done="On hold:", hint="hold", where=GROUPED),
    Deed("insight", ("W",), "advice...  (asks)", Level.CONFIRM, "siems incident advice {ids} --accept",
         hint="advice", about="advice"),
    Deed("resume", (), "resume", Level.DIRECT, "siems incident resume {ids}", done="Resumed"),
    Deed("unassign", (), "give it back", Level.CONFIRM, "siems incident unassign {ids}", done="Unassigned"),
    Deed("undo", ("u",), "undo the last act (10 s)", cli="siems incident undo {ids}", done="Undone:", where=EVERY),
    Deed("open", ("enter",), "open it", cli="siems incident show {ids}", where=BOARD + INBOX + PARENTS + REPLAY,
         hint="open"),
    Deed("mark", ("space",), "mark", where=BOARD, hint="mark"),
    Deed("span", ("v",), "mark a range", where=BOARD, hint="range"),
    Deed("mark_all", ("asterisk",), "mark all", where=BOARD),
    Deed("mark_none", ("V",), "unmark all", where=BOARD),
    Deed("expire", ("E",), "end it...  (asks)", Level.CONFIRM, "siems silence expire ID", where=ENDED,
         hint="end", about="silence"),
    Deed("longer", ("L",), "extend...  (asks)", Level.CONFIRM, "siems silence extend ID --for 1h", where=SILENCES,
         hint="longer", about="silence"),
    Deed("join", ("plus",), "add incidents...  (asks)", Level.CONFIRM, "siems parent add ID INC-12", where=PARENTS,
         hint="add", about="group"),
    Deed("leave", ("minus",), "take it out...  (asks)", Level.CONFIRM, "siems parent remove ID INC-12", where=PARENTS,
         hint="take out", about="group"),
    Deed("follow", ("f",), "follow the newest", where=ALERTS + RUN, hint="follow"),
    Deed("freeze", ("z",), "freeze or go on live", where=LISTS, hint="freeze"),
    Deed("next_critical", ("e",), "older critical", where=ALERTS, hint="crit"),
    Deed("previous_critical", ("E",), "newer one", where=ALERTS),
    Deed("raw", ("enter",), "body as it came", cli="siems alert show ID --raw", where=ALERTS, hint="raw"),
    Deed("incident", ("o",), "open its incident", cli="siems incident show {ids}",
         where=ALERTS + AUDIT + ALL_RUNS,         hint="incident"),
    Deed("entry", ("enter",), "the whole entry", cli="siems audit show SEQ", where=AUDIT, hint="entry"),
    Deed("verify", ("V",), "verify the chains", cli="siems audit verify", where=AUDIT, hint="verify"),
    Deed("read", ("m",), "mark as read", Level.DIRECT, "siems notify read {ids}", where=INBOX, hint="read",
         about="notice"),
    Deed("read_all", ("M",), "all are read", Level.DIRECT, "siems notify read --all", where=INBOX, hint="all read",
         about="notice"),
    Deed("unread", ("f",), "unread ones only", cli="siems notify inbox --unread", where=INBOX, hint="unread"),
    Deed("override", ("i",), "stand-in...  (asks)", Level.CONFIRM, "siems oncall override add",
         where=ONCALL, hint="override", about="duty"),
    Deed("swap", ("x",), "swap a shift...  (asks)", Level.CONFIRM, "siems oncall swap", where=ONCALL, hint="swap",
         about="duty"),
    Deed("answer", ("p",), "answer a swap...  (asks)", Level.CONFIRM, "siems oncall swap accept",
         where=ONCALL, hint="answer", about="duty"),
    Deed("brief", ("b",), "shift brief...  (asks)", Level.CONFIRM, "siems handoff accept", where=ONCALL, hint="brief",
         about="duty"),
    Deed("runbook", ("R",), "runbook...", cli="siems runbook run NAME --incident {ids}", where=BOTH, hint="runbook"),
    Deed("its_runs", ("b",), "its runs", cli="siems runbook runs --incident {ids}", where=BOTH, hint="runs"),
    Deed("run", ("enter",), "open it", cli="siems runbook status RUN", where=(Where.RUNS,), hint="open"),
    Deed("approve", ("Y",), "approve or reject...", Level.CONFIRM, "siems runbook approve RUN --confirm RUN",
         where=ALL_RUNS, hint="answer", about="run"),
    Deed("cancel", ("Z",), "cancel...  (asks)", Level.CONFIRM, "siems runbook cancel RUN", where=ALL_RUNS,
         hint="cancel", about="run"),
    Deed("roll_back", ("B",), "roll back...  (asks)", Level.SEVERE, "siems runbook rollback RUN",
         "rollback", where=ALL_RUNS, hint="roll back", about="run"),
    Deed("next_host", ("tab",), "next host", where=RUN, hint="host"),
    Deed("output", ("enter",), "output, whole screen", cli="siems runbook logs RUN --host HOST", where=RUN,
         hint="output"),
    Deed("all_output", ("L",), "output of all hosts", cli="siems runbook logs RUN", where=RUN, hint="all hosts"),
    Deed("commands", ("x",), "every command, exactly", where=RUN, hint="commands"),
    Deed("who", ("w",), "who would be paged", cli="siems whatif page", where=ONCALL + BOTH + CHAINS, hint="who"),
    Deed("day_back", ("h", "left"), "a day back", where=ONCALL),
    Deed("day_on", ("l", "right"), "a day on", where=ONCALL, hint="day"),
    Deed("export", ("E",), "export to a file", where=ONCALL + AUDIT + SLA, hint="export"),
    Deed("views", ("f",), "saved views", where=BOARD + REPLAY, hint="views"),
    Deed("save_view", ("F",), "save this view", where=BOARD + REPLAY),
    Deed("pane", ("d",), "detail pane on or off", where=LISTS + REPLAY, hint="pane"),
    Deed("play", ("space",), "play or pause", where=REPLAY, hint="play"),
    Deed("next_event", ("full_stop",), "next event", where=REPLAY, hint="next"),
    Deed("previous_event", ("comma",), "event before", where=REPLAY),
    Deed("step_on", ("l", "right"), "a moment on", where=REPLAY, hint="step"),
    Deed("step_back", ("h", "left"), "a moment back", where=REPLAY),
    Deed("faster", ("plus", "equals_sign"), "faster", where=REPLAY, hint="speed"),
    Deed("slower", ("minus",), "slower", where=REPLAY),
    Deed("pane_down", ("J",), "body down", where=ALERTS + AUDIT + RUN),
    Deed("pane_up", ("K",), "body up", where=ALERTS + AUDIT + RUN),
    Deed("filter", ("slash",), "filter", where=LISTS + AUDIT + ROSTERS + (Where.RUNS,) + REPLAY,
         hint="filter"),
    Deed("new", ("N",), "new...", cli="siems company onboard NAME", where=ROSTERS, hint="new"),
    Deed("edit", ("enter",), "edit...", cli="siems company edit ID", where=CLIENTS + CHAINS + (Where.PEOPLE,),
         hint="edit"),
    Deed("held", ("enter",), "the alerts it holds back", cli="siems alert list --query suppressed_by:ID",
         where=SILENCES, hint="alerts"),
    Deed("setup", ("I",), "connect a tool...", Level.CONFIRM,
         "siems integration setup TOOL --company ID", where=CLIENTS, hint="integration", about="company"),
    Deed("rotate", ("X",), "rotate a key...  (asks)", Level.SEVERE,
         "siems company rotate-key ID --confirm ID", where=CLIENTS, hint="rotate key", about="company"),
    Deed("only", ("o",), "its incidents", cli="siems incident list --company ID", where=CLIENTS, hint="incidents"),
    Deed("previous", ("left_square_bracket",), "previous incident, or week", where=STORY + ONCALL),
    Deed("following", ("right_square_bracket",), "next one", where=STORY + ONCALL),
    Deed("section", ("tab",), "next section", where=STORY + SLA, hint="section"),
    Deed("behind", ("enter",), "incidents behind it", cli="siems report sla --behind resolution", where=SLA,
         hint="incidents"),
    Deed("range", ("r",), "range: 7d 30d 90d 52w", cli="siems report sla --range 30d", where=SLA,
         hint="range"),
    Deed("one_client", ("c",), "one client", cli="siems report sla --company ID", where=SLA, hint="client"),
    Deed("one_severity", ("p",), "one severity", cli="siems report sla --query severity:HIGH", where=SLA,
         hint="severity"),
    Deed("command", ("colon", "ctrl+p"), "command", hint="command", where=EVERY + REPLAY),
    Deed("help", ("question_mark",), "this help", hint="help", where=ALL),
    Deed("copy", ("y",), "copy...", hint="copy", where=ALL),
    Deed("log", ("at",), "command log", where=EVERY),
    Deed("board", ("1",), "incidents", cli="siems incident list", where=EVERY),
    Deed("alerts", ("2",), "alerts", cli="siems alert list", where=EVERY),
    Deed("runs", ("3",), "runs of runbooks", cli="siems runbook runs", where=EVERY),
    Deed("oncall", ("4",), "on call", cli="siems oncall who", where=EVERY),
    Deed("sla", ("5",), "SLA and numbers", cli="siems sla board", where=EVERY),
    Deed("audit", ("7",), "audit log", cli="siems audit list", where=EVERY),
    Deed("clients", ("6",), "companies", cli="siems company list", where=EVERY),
    Deed("people", ("U",), "people", cli="siems user list", where=EVERY, hint="people"),
    Deed("chains", ("P",), "escalation policies", cli="siems escalation policy list", where=EVERY, hint="policies"),
    Deed("silences", ("S",), "silences and windows", cli="siems silence list", where=EVERY, hint="silences"),
    Deed("parents", ("C",), "common causes: parents", cli="siems parent list", where=EVERY, hint="parents"),
    Deed("inbox", ("8",), "inbox", cli="siems notify inbox", where=EVERY),
    Deed("zone", ("T",), "time zone: UTC or local", where=ALL),
    Deed("doctor", ("D",), "how siems and the link are", cli="siems doctor", where=EVERY),
    Deed("retry", ("ctrl+r",), "ask the daemon now", where=ALL),
    Deed("down", ("j", "down"), "down", where=ALL),
    Deed("up", ("k", "up"), "up", where=ALL),
    Deed("first", ("g", "home"), "first", where=ALL),
    Deed("last", ("G", "end"), "last", where=ALL),
    Deed("page_down", ("pagedown",), "page down", where=ALL),
    Deed("page_up", ("pageup",), "page up", where=ALL),
    Deed("back", ("q", "escape"), "back, or clear the filter", hint="back", where=ALL),
    Deed("quit", ("Q", "ctrl+c"), "quit", hint="quit", where=ALL),
)  # fmt: skip
BY_ID: Mapping[str, Deed] = {deed.id: deed for deed in DEEDS}

SHOWN: Mapping[str, str] = {
    "slash": "/", "colon": ":", "question_mark": "?", "at": "@", "asterisk": "*", "left_square_bracket": "[",
    "right_square_bracket": "]", "pagedown": "pgdn", "pageup": "pgup", "escape": "esc",
    "full_stop": ".", "comma": ",", "plus": "+", "minus": "-", "equals_sign": "=",
}  # fmt: skip

FORBIDDEN = frozenset({"ctrl+a", "ctrl+b", "ctrl+s", "ctrl+q", "ctrl+z", "ctrl+w", "ctrl+backslash", "ctrl+space"})
"""Keys that multiplexers, flow control and shells own; besides, alt+* and the function keys."""

FOOTER: Mapping[Where, tuple[str, ...]] = {
    Where.BOARD: (
        "help", "command", "filter", "mark", "ack", "assign", "start", "resolve", "close", "reopen", "escalate",
        "note", "runbook", "hold", "take", "copy", "span", "quit",
    ),
    Where.DETAIL: (
        "help", "back", "ack", "start", "resolve", "close", "reopen", "assign", "escalate", "note", "runbook",
        "section", "hold", "take", "its_runs", "copy", "command",
    ),
    Where.ALERTS: (
        "help", "command", "filter", "follow", "freeze", "next_critical", "raw", "incident", "copy", "pane", "back",
        "quit",
    ),
    Where.ONCALL: (
        "help", "command", "day_on", "override", "swap", "answer", "brief", "who", "export", "copy", "back", "quit",
    ),
    Where.AUDIT: (
        "help", "command", "filter", "entry", "incident", "verify", "undo", "export", "copy", "back", "quit",
    ),
    Where.SLA: (
        "help", "command", "section", "behind", "range", "one_client", "one_severity", "export", "copy", "back", "quit",
    ),
    Where.RUNS: (
        "help", "command", "filter", "run", "approve", "cancel", "roll_back", "incident", "copy", "back", "quit",
    ),
    Where.RUN: (
        "help", "back", "approve", "cancel", "roll_back", "next_host", "output", "all_output", "commands", "follow",
        "incident", "copy", "command",
    ),
    Where.INBOX: ("help", "command", "open", "read", "read_all", "unread", "copy", "back", "quit"),
    Where.CLIENTS: (
        "help", "new", "edit", "setup", "only", "rotate", "filter", "people", "chains", "command", "copy", "back",
        "quit",
    ),
    Where.PEOPLE: ("help", "new", "edit", "filter", "chains", "command", "copy", "back", "quit"),
    Where.CHAINS: ("help", "new", "edit", "who", "expire", "filter", "people", "command", "copy", "back", "quit"),
    Where.SILENCES: (
        "help", "new", "longer", "expire", "held", "filter", "command", "copy", "back", "quit",
    ),
    Where.PARENTS: (
        "help", "new", "ack", "join", "leave", "note", "hold", "resolve", "close", "open", "command", "back", "quit",
    ),
    Where.REPLAY: (
        "help", "play", "next_event", "step_on", "faster", "open", "filter", "command", "quit", "views", "copy",
    ),
    Where.REPLAYED: ("help", "back", "section", "following", "copy", "zone", "quit"),
    Where.WIZARD: (),
}  # fmt: skip


def shown(key: str) -> str:
    """A key as people write it."""
    return SHOWN.get(key, key)


def keys_of(deed: Deed, own: Mapping[str, str]) -> tuple[str, ...]:
    """The keys of a deed under the reader's own key map."""
    return tuple(own[deed.id].split(",")) if deed.id in own else deed.keys


def forbidden(key: str) -> bool:
    """Whether rule or habit gives the key to somebody else."""
    function_key = len(key) > 1 and key[0] == "f" and key[1:].isdigit()
    return key in FORBIDDEN or key.startswith("alt+") or function_key


def cli_line(deed: Deed, refs: Iterable[str], fields: Mapping[str, object]) -> str:
    """The shell command that does the same."""
    flags = {"note": "--note", "cause": "--cause", "reason": "--reason", "level": "--to", "hold_for": "--for",
             "until": "--until"}  # fmt: skip
    given = [f"{flag} {shlex.quote(str(fields[name]))}" for name, flag in flags.items() if fields.get(name)]
    line = deed.cli.format(
        ids=" ".join(refs),
        flags=" ".join(given),
        to=shlex.quote(str(fields.get("to", ""))),
        note=shlex.quote(str(fields.get("note", ""))),
    )
    return " ".join(line.split()) if "'" not in line else line.strip()
