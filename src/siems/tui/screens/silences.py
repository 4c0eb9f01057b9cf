"""Silences and maintenance windows: what is quiet, until when, whose work that is, and what it holds back."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from siems import moments, present
from siems.errors import InvalidField
from siems.tui import frame
from siems.tui.actions import Where
from siems.tui.frame import rule
from siems.tui.looks import Line, Piece, wrap
from siems.tui.screens.form import Form, Slot
from siems.tui.screens.place import bindings
from siems.tui.screens.roster import Column, Roster
from siems.wire import SilencePreview, SilenceView

MATCHES = "asset=dc*  severity!=CRITICAL  message~.*timeout.*  label.env=x"
SHOWN = 6


def shell(ask: Mapping[str, Any]) -> str:
    """The command that makes it."""
    flags = {
        "company": ask["company"].removeprefix("comp-"), "from": ask.get("starts_at"), "until": ask.get("ends_at"),
        "comment": ask.get("comment"), "change": ask.get("change"), "repeat": ask.get("repeat"),
        "tz": ask.get("time_zone") if ask.get("repeat") else "",
    }  # fmt: skip
    given = [f"--{name} {shlex.quote(value)}" for name, value in flags.items() if value]
    return " ".join(["siems silence add", *map(shlex.quote, ask["matchers"]), *given])


def foreseen(found: SilencePreview, looks_cut: str, width: int) -> list[Line]:
    """What it would be about now, before it is made."""
    active = present.plural(found.alert_count, "active alert")
    lines: list[Line] = [
        [("matches ", "dim"), (" ".join(found.matchers), "bold")],
        [("client  ", "dim"), (found.company_id.removeprefix("comp-"), "")],
        [("now     ", "dim"), (f"{active}; {found.last_24h} of {found.last_24h_of} in 24 h", "")],
    ]
    if not found.alert_count and not found.last_24h:
        lines.append([("nothing it has seen in a day: is it written right?", "stale")])
    for one in found.incidents[:SHOWN]:
        said = "nobody is paged any more" if one.hushed else "other alerts of it still page"
        text = f"{one.id} {present.safe(one.title[:60])}: {said}"
        lines.append([("        ", ""), (present.clip(text, width - 8, mark=looks_cut), "" if one.hushed else "dim")])
    if len(found.incidents) > SHOWN:
        lines.append([(f"        and {len(found.incidents) - SHOWN} more", "dim")])
    return lines


class SilencesScreen(Roster[SilenceView]):
    """What is silent now, and what is planned."""

    BINDINGS = bindings(Where.SILENCES)
    WHERE = Where.SILENCES
    NOUNS = ("silence or window", "silences and windows")
    STRIP = 6

    def read(self) -> None:
        self.siems.read_silences()

    def key(self, row: SilenceView) -> str:
        return row.id

    def words(self, row: SilenceView) -> str:
        made = f"{row.comment} {row.change} {row.created_by_name} {row.kind} {row.state}"
        return f"{row.id} {row.company} {' '.join(row.matchers)} {made}"

    def columns(self) -> Sequence[Column[SilenceView]]:
        return (
            Column("ID", 7, lambda s: (s.id, "bold")),
            Column("STATE", 7, lambda s: (s.state, "live" if s.state == "active" else "dim")),
            Column("COMPANY", 12, lambda s: (s.company, "")),
            Column("MATCHES", 0, lambda s: (" ".join(s.matchers), "")),
            Column("STARTS", 12, lambda s: (self._time(s.starts_at), "dim"), wide=True),
            Column("UNTIL", 12, lambda s: (self._time(s.ends_at), "")),
            Column("HOLDS", 5, lambda s: (str(s.suppressed), "" if s.suppressed else "dim"), right=True),
            Column("BY", 8, lambda s: (present.person(s.created_by_name), "")),
            Column("WHY", 0, lambda s: (s.change or s.comment, "dim"), wide=True),
        )

    def _time(self, at: datetime) -> str:
        """`18:00` today, `Sat 22:00` within some days, else with its date."""
        there, here = at.astimezone(self.siems.zone), self.siems.clock.now().astimezone(self.siems.zone)
        days = abs((there.date() - here.date()).days)
        return f"{there:%H:%M}" if not days else f"{there:%a %H:%M}" if days < 6 else f"{there:%d %b %H:%M}"

    def about(self, row: SilenceView, width: int) -> list[Line]:
        s, now = row, self.siems.clock.now()
        what = "maintenance window" if s.kind == "maintenance" else s.kind
        lines: list[Line] = [rule(self.siems.looks, width, f"{s.id} {what} {s.company}", "enter what it holds")]
        lines += [[(part, "bold")] for part in wrap(" ".join(s.matchers), width, most=2)]
        ahead = f"begins in {present.duration((s.starts_at - now).total_seconds())}   " if s.starts_at > now else ""
        left = present.duration(max(0.0, (s.ends_at - now).total_seconds()))
        ends: list[Piece] = [
            (ahead, "stale"), (f"{self._time(s.starts_at)} to {self._time(s.ends_at)}", ""),
            (f", {left} left", "dim"),
        ]  # fmt: skip
        if s.repeats:
            following = [self._time(window.starts_at) for window in s.windows[1:3]]
            ends += [("   repeats ", "dim"), (s.repeats, ""), (f": {', '.join(following)}" if following else "", "dim")]
        lines.append(ends)
        why = "  ".join(dict.fromkeys(text for text in (s.change, s.comment) if text)) or "no reason was given"
        lines.append([("why ", "dim"), (why, "")])
        made = f"{present.person(s.created_by_name)}, {present.ago(s.created_at, now)}"
        lines.append([("by ", "dim"), (made, ""), (f"   holds {present.plural(s.suppressed, 'alert')} back", "dim")])
        return lines

    def nothing(self) -> list[list[Piece]]:
        return [
            [("Nothing is silent, and no window is planned.", "bold")],
            [("N", "key"), (" makes one: nobody is paged for what it matches.", "")],
        ]

    # --- keys -----------------------------------------------------------------------------------------------

    def clicked_twice(self) -> None:
        self.do_held()

    def do_held(self) -> None:
        """The alerts that it holds back, on the alert stream."""
        if self.current is not None:
            app = self.siems
            app.do_alerts()
            app.filter_arrivals(f"suppressed_by:{self.current.id}")

    def do_new(self) -> None:
        if self.siems.may_change("a silence"):
            self.siems.push_screen(self._form(), self._foresee)

    def _form(self) -> Form:
        zone = frame.zone_name(self.siems.zone, self.siems.clock.now())
        here = self.current.company_id.removeprefix("comp-") if self.current is not None else self.siems.one_company()
        slots = (
            Slot("company", "c", "client", "acme", needed=True, value=here),
            Slot("matchers", "m", "match", MATCHES, needed=True, check=_matchers),
            Slot("until", "u", "until", f"2h, 18:00, 'tomorrow 6am' ({zone})", needed=True, check=self._when),
            Slot("comment", "w", "why", "for whoever wonders", needed=True),
            Slot("starts", "f", "from", "now; 'today 22:00', 2026-03-10T22:00Z", check=self._when),
            Slot("change", "r", "change", "CHG-9: makes it a maintenance window"),
            Slot("repeat", "p", "repeat", "daily; weekly sat,sun; monthly 2tue; an RRULE"),
        )
        return Form(" new silence or window ", "see what it would match", slots)

    def _when(self, text: str) -> str:
        return "" if self._moment(text) else "2h, 14:00, 'tomorrow 9am' or 2026-03-10T14:00Z"

    def _moment(self, text: str) -> datetime | None:
        try:
            return moments.moment(text.strip().strip("'\""), self.siems.clock.now(), self.siems.zone)
        except InvalidField:
            return None

    def _foresee(self, said: dict[str, str] | None) -> None:
        """What was typed, as the daemon takes it; first it tells what that would match."""
        if said is None:
            return
        told = {name: text.strip() for name, text in said.items()}
        starts = self._moment(told["starts"]) if told["starts"] not in ("", "now") else None
        span = _span(told["until"])
        ends = (starts or self.siems.clock.now()) + span if span is not None else self._moment(told["until"])
        assert ends is not None
        ask: dict[str, Any] = {
            "company": told["company"], "matchers": shlex.split(told["matchers"]), "comment": told["comment"],
            "change": told["change"], "repeat": told["repeat"], "ends_at": ends.isoformat(),
            "starts_at": starts.isoformat() if starts else None,
        }  # fmt: skip
        if told["repeat"]:
            ask["time_zone"] = getattr(self.siems.zone, "key", "") or "UTC"
        self.siems.foresee_silence(ask)

    def offer(self, ask: dict[str, Any], found: SilencePreview) -> None:
        """The daemon has said what it would match: `y` makes it."""
        until = self._time(datetime.fromisoformat(ask["ends_at"]))
        lines = [*foreseen(found, self.siems.looks.cut, 70), [("until   ", "dim"), (until, "bold")]]

        def answered(said: dict[str, str] | None) -> None:
            if said is not None:
                client = self.siems.client
                self.siems.change(
                    lambda key: client.create_silence(idempotency_key=key, **ask), shell(ask), f"silent until {until}"
                )  # fmt: skip

        self.siems.push_screen(Form(" make it ", "make it", (), lines), answered)

    def do_longer(self) -> None:
        """Let it last longer; of a recurring one only this window."""
        row = self.current
        if row is None:
            return

        def answered(said: dict[str, str] | None) -> None:
            if said is None:
                return
            text, client = said["until"].strip(), self.siems.client
            span, ends = _span(text), self._moment(text)
            assert ends is not None
            ask = {"seconds": int(span.total_seconds())} if span is not None else {"ends_at": ends.isoformat()}
            flag = f"--for {text}" if span is not None else f"--until {ends.isoformat()}"
            until = self._time(row.ends_at + span if span is not None else ends)
            self.siems.change(
                lambda key: client.change_silence("extend", row.id, idempotency_key=key, **ask),
                f"siems silence extend {row.id} {flag}", f"{row.id}: until {until}",
            )  # fmt: skip

        slot = Slot("until", "u", "by", "1h more, or until: 18:00, 'tomorrow 6am'", needed=True, check=self._when)
        self.siems.push_screen(Form(f" extend {row.id} ", "extend", (slot,), self._head(row)), answered)

    def do_expire(self) -> None:
        """It is over now: what it held back and is still active comes up."""
        row = self.current
        if row is None:
            return
        slots = [Slot("reason", "r", "reason", "why")]
        if row.repeats:
            slots.insert(0, Slot("once", "o", "only", "this window: yes; else all to come end, too", check=_yes))

        def answered(said: dict[str, str] | None) -> None:
            if said is None:
                return
            once, reason, client = bool(said.get("once", "").strip()), said["reason"].strip(), self.siems.client
            line = f"siems silence expire {row.id}{' --once' if once else ''}"
            line += f" --reason {shlex.quote(reason)}" if reason else ""
            self.siems.change(
                lambda key: client.change_silence("end", row.id, idempotency_key=key, once=once, reason=reason),
                line, f"{row.id}: over",
            )  # fmt: skip

        held = present.plural(row.suppressed, "alert")
        lines = [*self._head(row), [(f"{held} held back: what is still active comes up now", "")]]
        self.siems.push_screen(Form(f" expire {row.id} ", "expire it now", slots, lines), answered)

    def _head(self, row: SilenceView) -> list[Line]:
        return [
            [(row.id, "bold"), (f"  {present.safe(row.company[:40])}", "")],
            [(present.clip(present.safe(" ".join(row.matchers)), 70, mark=self.siems.looks.cut), "")],
        ]


def _span(text: str) -> Any:
    """A length of time, None for a moment."""
    from siems.grammar import parse_span

    try:
        return parse_span(text.strip())
    except InvalidField:
        return None


def _matchers(text: str) -> str:
    try:
        words = shlex.split(text)
    except ValueError:
        return "a quote is not closed"
    wrong = [word for word in words if not any(sign in word for sign in ("=", "~"))]
    return f"{wrong[0]} says nothing: write asset={wrong[0]}" if wrong else ""


def _yes(text: str) -> str:
    return "" if text.strip().lower() in ("yes", "y") else "yes, or nothing"
