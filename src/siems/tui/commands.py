"""What can be typed behind `:`: the nouns and verbs of the command line, and a few words for the view."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from siems.tui.actions import BY_ID, DEEDS, Where, keys_of, shown
from siems.tui.looks import THEMES

NOUNS = ("incident", "inc", "i")
PHRASES = {
    "oncall who": "oncall", "oncall schedule": "oncall", "on-call": "oncall", "oncall override": "override",
    "oncall swap accept": "answer", "oncall swap decline": "answer", "oncall swap list": "answer",
    "oncall swap": "swap", "oncall export": "oncall export", "handoff": "brief", "audit verify": "verify",
    "audit export": "audit export", "audit list": "audit", "notify inbox": "inbox", "notify read --all": "read_all",
    "sla board": "sla", "sla report": "sla", "report": "sla",
    "notify read": "read", "whatif page": "who", "whatif": "who", "company list": "clients", "companies": "clients",
    "clients": "clients", "company onboard": "clients new", "user list": "people", "users": "people",
    "people": "people", "user create": "people new", "escalation policy list": "chains", "policies": "chains",
    "escalation policy create": "policies new", "escalation policy": "chains",
    "silence list": "silences", "silences": "silences", "maintenance list": "silences", "maintenance": "silences",
    "silence add": "silences new", "silence create": "silences new", "maintenance create": "silences new",
    "silence": "silences", "parent list": "parents", "parents": "parents", "parent create": "parents new",
    "parent": "parents",
}  # fmt: skip
"""The command line's nouns and verbs for screens and deeds of the console: the first words decide."""
LISTS = {"alerts": "alerts", "alert": "alerts", "audit": "audit"}
SORTS = {
    "sla": "sla", "score": "-priority_score", "priority": "-priority_score", "newest": "-created_at",
    "age": "-created_at",
}  # fmt: skip
_RUN = re.compile(r"(?:run/|RUN-)(\d{1,12})", re.IGNORECASE)
_REF = re.compile(r"(?:INC-)?(\d{1,12})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a command asks for: a deed with incidents, or a word for the view with what follows it."""

    word: str
    refs: tuple[str, ...] = ()
    rest: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the palette."""

    text: str
    keys: str
    title: str


VIEW: tuple[Entry, ...] = (
    Entry("inc NUMBER", "", "open an incident"),
    Entry("co COMPANY", "", "only this company"),
    Entry("filter QUERY", "/", "filter as with --query"),
    Entry("alerts QUERY", "", "the alert stream, filtered"),
    Entry("companies", "6", "the clients"),
    Entry("users", "U", "the people"),
    Entry("policies", "P", "escalation policies"),
    Entry("silences", "S", "silences and maintenance windows"),
    Entry("parents", "C", "common causes at several clients"),
    Entry("audit QUERY", "", "the audit log, filtered"),
    Entry("runs QUERY", "3", "the runs, filtered"),
    Entry("run NAME", "R", "what a runbook would do for this incident"),
    Entry("run NUMBER", "", "open a run"),
    Entry("view NAME", "f", "a saved view: mine, late, critical, or one of yours"),
    Entry("sort sla|score|newest", "", "order of the list"),
    Entry("tz ZONE", "T", "time zone, such as Europe/Oslo, local or utc"),
    Entry(f"theme {'|'.join(THEMES)}", "", "colours"),
)


def entries(where: Where, own: Mapping[str, str]) -> list[Entry]:
    """All that the palette offers on a screen."""
    acts = [
        Entry(deed.id.replace("_", " "), " ".join(shown(key) for key in keys_of(deed, own)[:2]), deed.title)
        for deed in DEEDS
        if where in deed.where and deed.id not in _MOVES
    ]
    return [*acts, *VIEW]


_MOVES = {"down", "up", "first", "last", "page_down", "page_up", "command", "section"}


def matching(text: str, where: Where, own: Mapping[str, str]) -> list[Entry]:
    """The entries that fit what was typed so far: those that begin with it first."""
    typed = text.strip().lower()
    words = typed.split()
    if words and words[0] in NOUNS and len(words) > 1 and not _REF.fullmatch(words[1]):
        words = words[1:]
        typed = " ".join(words)
    head = words[0] if words else ""
    all_ = entries(where, own)
    begins = [one for one in all_ if one.text.startswith(typed) or (head and one.text.split()[0] == head)]
    inside = [one for one in all_ if one not in begins and typed in f"{one.text} {one.title}".lower()]
    return begins + inside


def ref(text: str) -> str | None:
    """`INC-12` of `12`, `inc-12`, `INC-12`."""
    found = _REF.fullmatch(text)
    return f"INC-{int(found[1])}" if found else None


def run_ref(text: str, *, bare: bool = False) -> str | None:
    """`RUN-9` of `run-9`, `run/9`, and of a bare 9 where runs are meant."""
    found = _RUN.fullmatch(text)
    if found is None and bare and text.isdigit() and text.isascii():
        return f"RUN-{int(text)}"
    return f"RUN-{int(found[1])}" if found else None


def _run(words: Sequence[str], text: str) -> Wish | None:
    """What is about runs: `runs`, `run 9`, `run NAME`, and the command line's `runbook ...`."""
    head, rest = words[0].lower(), list(words[1:])
    if head in ("go", "open", "show") and rest and "/runs/" in rest[0]:
        head, rest = "run", [rest[0].rpartition("/")[2]]
    if (known := run_ref(words[0])) is not None:
        return Wish("open run", rest=known)
    if head == "runbook" and rest[:1] == ["runs"]:
        head, rest = "runs", rest[1:]
    if head == "runs":
        return Wish("runs", rest=_behind(text, "runs"))
    if head not in ("run", "runbook"):
        return None
    verb = rest.pop(0).lower() if head == "runbook" and rest else "run" if rest else ""
    if verb in ("status", "logs", "approve", "reject", "cancel", "rollback", "run") and rest:
        known = run_ref(rest[0], bare=True)
        return Wish("open run", rest=known) if known else Wish("run book", rest=rest[0]) if verb == "run" else None
    return Wish(
        {"reject": "approve", "rollback": "roll_back", "approve": "approve", "cancel": "cancel"}.get(verb, "runbook")
    )


def parse(text: str) -> Wish:
    """A wish from what was typed. Raises ValueError with a sentence for the reader."""
    try:
        words = shlex.split(text)
    except ValueError:
        words = text.split()
    if words and words[0] == "siems":
        words = words[1:]
    if not words:
        return Wish("")
    head, rest = words[0].lower(), words[1:]
    if (known := ref(words[0])) and not rest:
        return Wish("open", (known,))
    if head in NOUNS:
        return _noun(rest)
    if (wish := _run(words, text)) is not None:
        return wish
    if (phrase := _phrase(words)) is not None:
        return phrase
    if head in ("alerts", "audit") or (head == "alert" and rest[:1] in ([], ["list"])):
        return Wish(LISTS[head], rest=_behind(text, "list" if rest[:1] == ["list"] else head))
    if head in ("go", "show", "open") and rest:
        return _noun(rest)
    if head in ("q", "quit", "exit"):
        return Wish("quit")
    if head in ("co", "company", "filter", "sort", "tz", "theme", "view"):
        return Wish(head, rest=" ".join(rest) if head != "filter" else _behind(text, head))
    return _verb(head, rest)


def _phrase(words: Sequence[str]) -> Wish | None:
    """`oncall who`, `audit verify`: the longest known beginning; what follows it is asked for in its window."""
    for many in (3, 2, 1):
        known = PHRASES.get(" ".join(words[:many]).lower())
        if known is not None and len(words) >= many and not (known == "audit" and len(words) > many):
            return Wish(known)
    return None


def _behind(text: str, word: str) -> str:
    """What was typed behind a word, quotes and all."""
    at = text.lower().find(word)
    return text[at + len(word) :].strip().removeprefix("--query").strip()


def _noun(rest: Sequence[str]) -> Wish:
    if not rest:
        return Wish("board")
    if known := ref(rest[0]):
        return Wish("open", (known,))
    if rest[0] == "list":
        return Wish("board")
    if rest[0] == "show" and len(rest) > 1:
        return _noun(rest[1:])
    return _verb(rest[0].lower(), rest[1:])


def _verb(head: str, rest: Sequence[str]) -> Wish:
    name = head.replace("-", "_")
    joined = f"{name}_{rest[0]}" if rest else name
    if joined in BY_ID:
        name, rest = joined, rest[1:]
    if name not in BY_ID or name in _MOVES:
        raise ValueError(f"there is no command {head!r}: ? lists what there is")
    refs = [(word, ref(word)) for word in rest]
    wrong = next((word for word, known in refs if known is None), None)
    if wrong is not None:
        raise ValueError(f"{wrong!r} is no incident: write 12 or INC-12; texts are asked for in the dialog")
    return Wish(name, tuple(known for _, known in refs if known))
