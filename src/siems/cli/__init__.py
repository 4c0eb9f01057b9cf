"""The command line. This file knows every noun and imports the one that was typed: starting is a feature."""

from __future__ import annotations

import os
import sys
from importlib import import_module

ALIASES = {"i": "incident", "a": "alert", "co": "company", "rb": "runbook"}

NOUNS: dict[str, tuple[str, str]] = {
    "init": ("setup", "configuration, database, first admin, this machine's token"),
    "up": ("setup", "run the daemon here, or detached with -d"),
    "demo": ("demo", "an hour of real alerts on a throw-away database, then the board"),
    "daemon": ("daemon", "run, stop, status and logs of the daemon"),
    "doctor": ("doctor", "what is wrong, why, and what to do"),
    "db": ("db", "check and upgrade the database; what is in it"),
    "config": ("config", "the settings in force, and where they come from"),
    "login": ("account", "begin a session"),
    "logout": ("account", "end it"),
    "whoami": ("account", "who this is"),
    "context": ("contexts", "several daemons by name: add, use, list"),
    "user": ("user", "people: roles, skills, availability, accounts"),
    "company": ("company", "clients: onboard, list, show, edit, keys, test"),
    "integration": ("integration", "tools of clients: set up, keys, what came last"),
    "heartbeat": ("heartbeat", "addresses to be called every so often; silence raises an alert"),
    "asset": ("asset", "what alerts are about: where it is, what it depends on; imports"),
    "incident": ("incident", "list, show, assign, ack, start, hold, note, resolve, close, reopen, escalate"),
    "alert": ("alert", "what the tools said; send, replay; with --rejected what was refused"),
    "parent": ("parent", "one cause at several clients: create, show, ack, note, resolve, close"),
    "search": ("search", "words in incidents, alerts, notes and the audit log"),
    "page": ("page", "call somebody now: siems page USER|oncall; list, show, ack, end"),
    "silence": ("silence", "quiet for a while: add, list, show, extend, end"),
    "maintenance": ("maintenance", "planned work: create, list, show, extend, end, run"),
    "runbook": ("runbook", "what may be done to hosts: list, show, write, validate, approve"),
    "oncall": ("oncall", "who is on call; schedules, overrides, swaps, calendars"),
    "handoff": ("handoff", "what goes from one shift to the next"),
    "ticket": ("ticket", "incidents in the client's Jira or ServiceNow, in step both ways"),
    "template": ("template", "texts of status updates and messages"),
    "sla": ("sla", "targets per company and severity"),
    "report": ("report", "measures: sla, volume, workload, noise, mttr; and the incidents behind them"),
    "escalation": ("escalation", "policies: who is woken, in which order; try one for any time"),
    "notify": ("notify", "who is told, how, and why; your inbox"),
    "correlation": ("correlation", "how alerts become incidents: list, show, edit, enable, disable, preview"),
    "backtest": ("backtest", "what the past would have looked like under other correlation settings"),
    "advice": ("advice", "what advice on incidents was worth, and what it has cost"),
    "whatif": ("whatif", "who would be told, when and how"),
    "audit": ("audit", "who did what; verify the chains"),
    "status": ("status", "how it stands, in one line: for tmux and prompts"),
    "watch": ("watch", "committed events as they come"),
    "tui": ("tui", "the board, in this terminal"),
    "schema": ("schema", "the JSON shapes that scripts rely on"),
    "help": ("help", "exit-codes, environment, time, query"),
}
"""Noun → (module of this package, one line of help)."""


def run(argv: list[str]) -> int:
    """Run one command; the exit code."""
    try:
        code = _run(argv)
        sys.stdout.flush()
    except BrokenPipeError:
        # whoever read us has enough: keep Python from complaining when it closes its output
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _run(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help"):
        return _overview()
    noun = ALIASES.get(argv[0], argv[0])
    if noun not in NOUNS:
        return _unknown(noun, argv)
    module = import_module(f"siems.cli.{NOUNS[noun][0]}")
    from siems.cli.running import run_app

    return run_app(module.app, noun, with_verb(module, argv[1:]), single=noun in getattr(module, "COMMANDS", ()))


def with_verb(module: object, words: list[str]) -> list[str]:
    """`siems page jon ...` is `siems page send jon ...`: a noun may have a verb that goes without saying."""
    default = getattr(module, "DEFAULT", "")
    if not default or not words or words[0] in (*getattr(module, "VERBS", ()), "-h", "--help"):
        return words
    return [default, *words]


def _overview() -> int:
    width = max(map(len, NOUNS))
    lines = [
        "siems: incidents of many clients, in one terminal",
        "",
        '  siems incident list --query "severity:>=HIGH @me"',
        '  siems incident resolve INC-12 --note "cleared the cache"',
        "",
        *(f"  {noun:<{width}}  {text}" for noun, (_, text) in NOUNS.items()),
        "",
        "siems NOUN --help tells more; siems --version",
    ]
    print("\n".join(lines))
    return 0


def _unknown(noun: str, argv: list[str]) -> int:
    from difflib import get_close_matches
    from shlex import join

    from siems.cli.running import fail
    from siems.errors import UsageError

    near = get_close_matches(noun, NOUNS, n=1)
    hint = f"did you mean:  {join(['siems', near[0], *argv[1:]])}" if near else "siems --help"
    return fail(UsageError(f"there is no command {noun!r}", hint=hint), argv)
