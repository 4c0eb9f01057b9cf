"""Deciding on what is advised: one key each to accept it, to decline it, and to say whether it helped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from siems import present
from siems.client import Client
from siems.tui.looks import Line, wrap
from siems.tui.screens.overlay import Overlay
from siems.wire import IncidentView, InsightView

LONGEST = 4
"""So many lines has each part of the advice at most."""


class AdviceMenu(Overlay[str | None]):
    """What is advised on one incident. `y` accepts what waits, `x` declines it or takes back what is in force."""

    def __init__(self, view: IncidentView, insight: InsightView) -> None:
        super().__init__(f" advice on {view.id} ")
        self.insight = insight

    @property
    def _choices(self) -> list[tuple[str, str, str]]:
        """(key, what the daemon calls it, words)."""
        found = [("plus", "useful", "it helped"), ("minus", "not-useful", "it did not help")]
        if self.insight.waiting:
            return [("y", "accept", "accept what waits"), ("x", "dismiss", "decline it"), *found]
        if any(value is not None and value.standing in ("applied", "accepted") for value in self._values):
            return [("x", "dismiss", "take back what is in force"), *found]
        return found

    @property
    def _values(self) -> tuple[Any, Any]:
        return self.insight.severity, self.insight.category

    def content(self) -> list[Line]:
        i = self.insight
        lines: list[Line] = [[(f"{i.pattern} ", "bold"), (f"({i.confidence:.2f}, {i.provider})", "dim")]]
        for name, text in (("cause", i.root_cause), ("try", i.recommendation), ("like", ", ".join(i.similar[:5]))):
            for place, part in enumerate(wrap(present.safe(text), self.width - 8, most=LONGEST) if text else []):
                lines.append([(f"{'' if place else name:<8}", "dim"), (part, "")])
        for name, value in zip(("severity", "category"), self._values, strict=True):
            if value is not None:
                before = f"{value.before} -> " if value.before else ""
                lines.append([
                    (f"{name:<10}", "dim"), (f"{before}{value.value}", "bold"),
                    (f"  {value.confidence:.2f}, {value.standing}", "stale" if value.standing == "waiting" else "dim"),
                ])  # fmt: skip
        lines.append([])
        signs = {"plus": "+", "minus": "-"}
        lines += [[(f" {signs.get(key, key)}  ", "key"), (words, "")] for key, _, words in self._choices]
        return [*lines, [(" esc", "key"), (" leave it as it is", "")]]

    def key_pressed(self, key: str) -> None:
        for letter, verdict, _ in self._choices:
            if key == letter:
                self.dismiss(verdict)
                return
        super().key_pressed(key)


def decided(daemon: Client, ref: str, verdict: str) -> tuple[Callable[[str], object], str, str]:
    """(the call, with its idempotency key; the command that does the same; what is said then)."""
    if verdict in ("useful", "not-useful"):
        return (
            lambda _: daemon.rate_advice(ref, verdict == "useful"), f"siems incident advice {ref} --{verdict}",
            f"noted on the advice for {ref}",
        )  # fmt: skip
    done = "accepted" if verdict == "accept" else "declined"
    return (
        lambda key: daemon.judge_advice(ref, verdict, idempotency_key=key),
        f"siems incident advice {ref} --{verdict}", f"advice on {ref} {done}",
    )  # fmt: skip
