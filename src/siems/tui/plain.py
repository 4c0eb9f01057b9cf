"""The board as numbered sentences: for screen readers, braille lines and terminals that can only scroll."""

from __future__ import annotations

import shutil
import sys
import textwrap
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, TextIO

import msgspec

from siems import present
from siems.client import Client
from siems.errors import SiemsError
from siems.tui import clocks, commands
from siems.tui.actions import BY_ID, Deed, Level
from siems.tui.link import whole_query
from siems.wire import ActAnswer, IncidentView, Page, TimelineEntry

WORDS = {"x": "breached by", "!": "due in", "~": "due in", " ": "due in", "=": "paused", "v": "met"}
GLYPHS = {"x": "late,", "!": "soon,", "~": "near,", "=": "", "v": "", " ": ""}
HELP = """list                 the incidents again, what is due next first
NUMBER               one incident, with what happened
ack NUMBER           acknowledge; also: take, start, resume, undo
note NUMBER TEXT     write a note
resolve NUMBER TEXT  resolve with a note; asks before it acts
close NUMBER, reopen NUMBER WHY, escalate NUMBER WHY   ask before they act
filter QUERY         only what matches; filter alone shows all again
quit                 leave
A number is that of the list; INC-12 works as well."""
TOLD = {"note": "note", "resolve": "note", "reopen": "reason", "escalate": "reason", "close": "reason"}


def sentence(view: IncidentView, now: datetime) -> str:
    """One incident as a reader would say it."""
    clock = clocks.running(view)
    shown = clocks.countdown(clock, now)
    due = WORDS[shown.glyph]
    if shown.glyph in "x!~ " and clock.met_at is None:
        due = f"{due} {present.duration(abs((clock.due_at - now).total_seconds()))}"
    name = "response" if clock is view.sla.response else "resolution"
    state = "on hold" if view.on_hold else view.state.replace("_", " ").lower()
    owner = f"with {present.person(view.assignee_name)}" if view.assignee_name else "with nobody"
    said = (
        f"{view.id}, {view.severity.lower()}, {state}, {view.company}: {view.title}. "
        f"{name} {due}, {owner}, {present.plural(clocks.arrivals(view), 'alert')}."
    )
    return present.safe(said)


LONGEST = 4_000
_WHOLE_WORDS: Any = {"break_long_words": False, "break_on_hyphens": False}


def aloud(text: str) -> str:
    """A clock in words, its glyph too."""
    glyph = GLYPHS.get(text[:1], "")
    return " ".join(f"{glyph} {text[1:] if text[:1] in GLYPHS else text}".split())


class PlainBoard:
    """Reads commands line by line and answers in sentences."""

    def __init__(self, client: Client, *, read_only: bool = False, out: TextIO | None = None) -> None:
        self.client, self.read_only = client, read_only
        self.out = out or sys.stdout
        self.filter = ""
        self.views: list[IncidentView] = []
        self.now = datetime.now(UTC)

    def say(self, text: str) -> None:
        lines = present.safe_lines(text[:LONGEST])
        if self.out.isatty():  # who hears a screen line by line shall not hear halves of words
            width = shutil.get_terminal_size().columns
            lines = [part for line in lines for part in textwrap.wrap(line, width, **_WHOLE_WORDS) or [""]]
        print("\n".join(lines), file=self.out, flush=True)

    def run(self, lines: Iterable[str], *, target: str = "") -> int:
        """Until `quit` or the end of the input."""
        self._guarded(self.listing)
        if target:
            self._guarded(lambda: self.show(target))
        self.say("Type a number to read one, help for the commands, quit to leave.")
        source = iter(lines)
        for line in source:
            words = line.strip().split(maxsplit=2)
            if not words:
                continue
            if words[0].lower() in ("quit", "q", "exit"):
                return 0
            self._guarded(lambda words=words: self.obey(words, source))  # type: ignore[misc]
        return 0

    def _guarded(self, job: Callable[[], None]) -> None:
        try:
            job()
        except SiemsError as why:
            self.say(f"Not done: {present.safe(why.message)}" + (f". {present.safe(why.hint)}" if why.hint else ""))

    def listing(self) -> None:
        page = msgspec.convert(self.client.incidents(whole_query(self.filter), limit=200), Page[IncidentView])
        self.views, self.now = page.items, page.as_of
        late = sum(one.sla.response.breached or one.sla.resolution.breached for one in page.items)
        what = f" matching {present.safe(self.filter)}" if self.filter else ""
        at = present.clock_time(page.as_of)
        self.say(f"{present.plural(page.total, 'incident')}{what}, {late} breached, at {at} UTC.")
        for number, view in enumerate(page.items, start=1):
            self.say(f"{number}. {sentence(view, self.now)}")

    def show(self, word: str) -> None:
        view = self._find(word)
        self.say(sentence(view, self.now))
        told = [clocks.respond(view, self.now, UTC), clocks.resolve(view, self.now, UTC)]
        texts = [aloud("".join(text for text, _ in pieces)) for pieces in told]
        self.say(f"Respond: {texts[0]}. Resolve: {texts[1]}. {clocks.escalates(view, self.now)}".rstrip())
        self.say(f"You can: {', '.join(view.actions) or 'read'}.")
        for one in msgspec.convert(self.client.timeline(view.id, limit=20), list[TimelineEntry]):
            at = present.clock_time(one.at, seconds=False)
            self.say(f"{at} {present.safe(one.kind[:20])}, {present.person(one.actor)}: {present.safe(one.text)}")

    def _find(self, word: str) -> IncidentView:
        if word.isdigit() and 0 < int(word) <= len(self.views):
            return self.views[int(word) - 1]
        ref = commands.ref(word)
        if ref is None:
            raise SiemsError(f"{word!r} is neither a number of the list nor an incident", hint="list shows them")
        return msgspec.convert(self.client.incident(ref)["incident"], IncidentView)

    def obey(self, words: list[str], source: Iterable[str]) -> None:
        """One command."""
        verb, rest = words[0].lower(), words[1:]
        if verb in ("list", "l"):
            self.listing()
        elif verb in ("help", "h", "?"):
            self.say(HELP)
        elif verb == "filter":
            self.filter = " ".join(rest)
            self.listing()
        elif not rest:
            self.show(words[0])
        else:
            deed = BY_ID.get(verb)
            if deed is None or not (deed.acts or verb == "undo") or verb in ("assign", "hold"):
                raise SiemsError(f"there is no command {verb!r} here", hint="help lists what there is")
            self.act(deed, self._find(rest[0]), rest[1] if len(rest) > 1 else "", source)

    def act(self, deed: Deed, view: IncidentView, text: str, source: Iterable[str]) -> None:
        """Do it; what cannot be taken back with one key elsewhere asks here too."""
        if self.read_only:
            raise SiemsError("this session is read only")
        if deed.level is Level.CONFIRM:
            self.say(f"{deed.needs} {sentence(view, self.now)} Type yes to do it.")
            if next(iter(source), "").strip().lower() != "yes":
                self.say("Nothing done.")
                return
        fields: dict[str, Any] = {TOLD[deed.id]: text} if deed.id in TOLD and text else {}
        if deed.id == "take":
            fields["to"] = "@me"
        answer = self.client.act(
            deed.needs,
            view.id,
            idempotency_key=uuid.uuid4().hex,
            version=view.version,
            undoable=True,
            **fields,
        )
        told = msgspec.convert(answer, ActAnswer)
        self.now = told.server_time
        self.views = [told.incident if one.id == told.incident.id else one for one in self.views]
        self.say(f"{deed.done} {view.id}." if told.changed else f"{view.id}: already so.")
        self.say(sentence(told.incident, self.now))
