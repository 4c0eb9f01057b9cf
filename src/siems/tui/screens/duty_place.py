"""What can be changed on the on-call board: overrides, swaps and their answers, the brief of a shift."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from siems import present
from siems.tui import duty_lines, frame
from siems.tui.board_messages import Duty
from siems.tui.looks import Line
from siems.tui.screens.form import Form, Slot, length, moment
from siems.tui.screens.list_place import ListPlace
from siems.tui.screens.tables import BriefWindow, Choice, SwapsWindow
from siems.tui.shelf import Shelf
from siems.wire import ScheduleDetail, SwapView


class DutyPlace(ListPlace):
    """The half of the on-call board that asks and sends."""

    shelf: Shelf[ScheduleDetail]
    duty: Duty

    def _ask(self, title: str, verb: str, slots: list[Slot], then: Callable[[dict[str, str]], None]) -> None:
        one = self.shelf.current
        if one is None:
            self.siems.tell(f"{verb}: no schedule is selected", "error")
            return
        who = one.schedule.now.user_name if one.schedule.now else "nobody"
        lines: list[Line] = [
            [("schedule ", "dim"), (present.safe(one.schedule.name[:60]), "bold"), ("  for ", "dim"),
             (duty_lines.serves(one), "")],
            [("on call now ", "dim"), (present.safe(who[:40]), "")],
        ]  # fmt: skip

        def answered(values: dict[str, str] | None) -> None:
            if values is not None:
                then({name: text.strip() for name, text in values.items()})

        self.siems.push_screen(Form(title, verb, slots, lines), answered)

    def _moment(self, text: str) -> datetime | None:
        return moment(text, self.siems.clock.now(), self.siems.zone)

    def _when(self, text: str) -> str:
        return "" if self._moment(text) is not None else "14:00, Tue 14:00, 2026-03-10 14:00, or 4h from now"

    def idle(self) -> Collection[str]:
        nothing = {
            "answer": not self._waiting(),
            "brief": not self.duty.handoffs,
            "override": not len(self.shelf),
            "swap": not len(self.shelf),
            "export": not len(self.shelf),
        }
        return (*super().idle(), *(name for name, so in nothing.items() if so))

    def _waiting(self) -> list[SwapView]:
        return [swap for swap in self.duty.swaps if swap.state == "asked" and swap.actions]

    def do_override(self) -> None:
        """Somebody stands in for a stretch of time."""
        one = self.shelf.current
        zone = frame.zone_name(self.siems.zone, self.siems.clock.now())
        slots = [
            Slot("user", "w", "who", "@me or a name", needed=True, value="@me"),
            Slot("starts", "f", "from", f"now; 14:00 or Tue 14:00, {zone}", check=self._when),
            Slot("ends", "u", "until", "4h, 18:00 or Tue 08:00", needed=True, check=self._when),
            Slot("reason", "r", "reason", "why"),
        ]

        def send(said: dict[str, str]) -> None:
            assert one is not None
            starts = self._moment(said["starts"]) if said["starts"] else None
            begin = starts or self.siems.clock.now()
            span = length(said["ends"])
            ends = self._moment(said["ends"]) if span is None else begin + span
            assert ends is not None
            ask: dict[str, Any] = {
                "schedule": one.schedule.id, "user": said["user"], "ends_at": ends.isoformat(),
                "starts_at": starts.isoformat() if starts else None, "reason": said["reason"],
            }  # fmt: skip
            flags = {"schedule": one.schedule.id, "user": said["user"], "from": starts.isoformat() if starts else "",
                     "until": ends.isoformat(), "reason": said["reason"]}  # fmt: skip
            line, scene = shell("siems oncall override add", flags), self.scene()
            times = f"{duty_lines.until(begin, scene)} to {duty_lines.until(ends, scene)}"
            told = f"{said['user']} stands in on {one.schedule.name}, {times}"
            self.siems.change(lambda key: self.siems.client.add_override(idempotency_key=key, **ask), line, told)

        self._ask(" override ", "override", slots, send)

    def do_swap(self) -> None:
        """Ask somebody to take a shift; they have to accept."""
        one = self.shelf.current
        slots = [
            Slot("other", "w", "with", "a name", needed=True),
            Slot("mine", "m", "mine", "the day of the shift you give away: 2026-03-14", needed=True, check=_day),
            Slot("theirs", "t", "theirs", "the day that you take for it", check=_day),
            Slot("reason", "r", "reason", "why"),
        ]

        def send(said: dict[str, str]) -> None:
            assert one is not None
            ask = {"schedule": one.schedule.id} | {name: text for name, text in said.items() if text}
            flags = {"mine": said["mine"], "with": said["other"], "their": said["theirs"], "reason": said["reason"]}
            line = shell("siems oncall swap", flags)
            told = f"{said['other']} is asked to take your shift of {said['mine']}"
            self.siems.change(lambda key: self.siems.client.ask_swap(idempotency_key=key, **ask), line, told)

        self._ask(" swap a shift ", "ask for the swap", slots, send)

    def do_answer(self) -> None:
        """Answer a swap that somebody asked for."""
        waiting = self._waiting()
        if not waiting:
            self.siems.tell("no swap waits for your answer")
            return

        def answered(choice: Choice | None) -> None:
            if choice is not None:
                ref, word = choice
                said = f"{ref} {'accepted' if word == 'accept' else 'declined'}"
                self.siems.change(
                    lambda key: self.siems.client.answer_swap(ref, word), f"siems oncall swap {word} {ref}", said
                )  # fmt: skip

        self.siems.push_screen(SwapsWindow(waiting), answered)

    def do_brief(self) -> None:
        """Read the brief of a shift, and accept it."""
        one = self.shelf.current
        ref = one.schedule.id if one is not None else ""
        briefs = sorted(self.duty.handoffs, key=lambda brief: brief.schedule_id != ref)
        if not briefs:
            self.siems.tell("there is no shift brief for you now")
            return

        def answered(choice: Choice | None) -> None:
            if choice is not None:
                self._hand_over(*choice)

        self.siems.push_screen(BriefWindow(briefs), answered)

    def _hand_over(self, schedule: str, word: str) -> None:
        client = self.siems.client
        if word == "accept":
            self.siems.change(lambda key: client.accept_handoff(schedule=schedule), "siems handoff accept",
                              "accepted: its incidents are yours")  # fmt: skip
        else:
            self.siems.change(lambda key: client.give_handoff(schedule=schedule, keep=[]), "siems handoff give",
                              "given: the next one is asked to accept")  # fmt: skip


def shell(command: str, flags: Mapping[str, str]) -> str:
    """The shell line that does the same."""
    given = [f"--{name} {shlex.quote(value)}" for name, value in flags.items() if value]
    return " ".join([command, *given])


def _day(text: str) -> str:
    try:
        datetime.strptime(text.strip(), "%Y-%m-%d")  # noqa: DTZ007
    except ValueError:
        return "a day such as 2026-03-14"
    return ""
