"""What people answer by text message: `12a`, `12r disk was full`, `B7a`, `P3a`."""

from __future__ import annotations

import re
from dataclasses import dataclass

VERBS = {"a": "ack", "r": "resolve", "e": "escalate"}
_WORDS = {
    "a": "ack", "ack": "ack", "acknowledge": "ack", "r": "resolve", "resolve": "resolve", "e": "escalate",
    "esc": "escalate", "escalate": "escalate",
}  # fmt: skip
LONGEST_NOTE = 1_000
_QUOTED = re.compile(r"^\s*(?:>|On .{1,200} wrote:\s*$|-{2,}\s*(?:Original|Forwarded))", re.IGNORECASE)
_ANSWER = re.compile(
    r"""^[\s"'“”‘’«»(\[]*(?:reply\s+)?
        (?P<number>[bBpP]?\s?[0-9]{1,9})[\s.:,-]*
        (?P<verb>acknowledge|ack|escalate|esc|resolve|[are])(?![^\W_])
        [\s"'“”‘’«»)\].:,;!-]*(?P<note>.*)$""",
    re.IGNORECASE | re.VERBOSE | re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer: `number` as the message named it (`12`, `B7`, `P3`), the verb, and what was said besides."""

    number: str
    verb: str
    note: str = ""

    @property
    def object(self) -> str:
        """What it is about: INC-12, B7, PAG-3."""
        if self.number.startswith("P"):
            return f"PAG-{self.number[1:]}"
        return self.number if self.number.startswith("B") else f"INC-{self.number}"


def named(object: str) -> str:
    """How a reply names an object: 12 for INC-12, P3 for PAG-3."""
    return object.removeprefix("INC-").replace("PAG-", "P")


def replies(text: str) -> list[Reply]:
    """The answers in a message, in its order, each once. Empty when there is none that is understood.

    Every line may hold one; a line without one belongs to the note of the answer above. What is quoted from our
    own message is left out.
    """
    found: dict[tuple[str, str], Reply] = {}
    last: tuple[str, str] | None = None
    for line in text.replace("\r", "\n").split("\n")[:100]:
        if _QUOTED.match(line):
            break
        answer = _ANSWER.match(line[:LONGEST_NOTE])
        if answer:
            made = Reply(
                number=_number(answer["number"]), verb=_WORDS[answer["verb"].lower()], note=answer["note"].strip(),
            )  # fmt: skip
            last = (made.number, made.verb)
            found.setdefault(last, made)
        elif last is not None and line.strip():
            above = found[last]
            note = f"{above.note} {line.strip()}".strip()[:LONGEST_NOTE]
            found[last] = Reply(number=above.number, verb=above.verb, note=note)
    return list(found.values())


def _number(text: str) -> str:
    letter = text[:1].upper() if text[:1].isalpha() else ""
    return letter + (text.lstrip("bBpP").strip().lstrip("0") or "0")
