"""Text that several channels share: titles, plain text, and cutting that loses no number and no link."""

from __future__ import annotations

import re
from collections.abc import Iterable

from siems.channels import Message
from siems.errors import InvalidField
from siems.present import safe, safe_lines

SUBJECT = 200
"""Characters of a subject that any channel shows."""
LINE = 1_000
LINES = 200
ELLIPSIS = "…"

COLOURS = {"CRITICAL": "#c62828", "HIGH": "#ef6c00", "MEDIUM": "#1565c0", "LOW": "#546e7a"}
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")


def one_line(text: str, longest: int = SUBJECT) -> str:
    """Foreign text as one safe line, breaks as blanks, no longer than this."""
    return cut(safe(" ".join(text[: 4 * longest + 64].split())), longest)


def cut(text: str, longest: int) -> str:
    """At most so many characters; what was cut ends with an ellipsis."""
    return text if len(text) <= longest else text[: max(0, longest - 1)].rstrip() + ELLIPSIS[:longest]


def cut_bytes(text: str, longest: int) -> str:
    """At most so many bytes of UTF-8."""
    raw = text.encode("utf-8", "replace")
    if len(raw) <= longest:
        return text
    return raw[: max(0, longest - 3)].decode("utf-8", "ignore").rstrip() + ELLIPSIS


def title(message: Message, longest: int = SUBJECT) -> str:
    """`CRITICAL Acme INC-42: disk full`: what a list of messages shows."""
    head = " ".join(filter(None, (message.severity.name, one_line(message.company, 60), one_line(message.object, 40))))
    return cut(f"{head}: {one_line(message.subject, longest)}", longest)


def body_lines(message: Message, longest: int = LINE) -> list[str]:
    """The text, safe, as lines; a huge one ends early and says so."""
    lines = [cut(line, longest) for line in safe_lines(message.text[: LINE * LINES])] if message.text else []
    return [*lines[:LINES], ELLIPSIS] if len(lines) > LINES else lines


def members(message: Message, longest: int = SUBJECT) -> list[str]:
    """The numbered lines of a bundle, each safe and cut at its end: its number stands at its start."""
    return [one_line(line, longest) for line in message.lines]


def hints(message: Message) -> str:
    """`Reply 12a to acknowledge, 12r TEXT to resolve`; empty when it cannot be answered."""
    if not message.reply:
        return ""
    reply = one_line(message.reply, 12)
    if message.lines:
        return f"Reply {reply}a to acknowledge all of these"
    if reply.startswith("P"):
        return f"Reply {reply}a to acknowledge"
    return f"Reply {reply}a to acknowledge, {reply}r TEXT to resolve, {reply}e to escalate"


def plain(message: Message, *, longest: int = 50_000) -> str:
    """The whole message as plain text: subject, members, text, links; the text gives way first."""
    fixed = [*members(message), *links(message)]
    room = longest - len(one_line(message.subject)) - sum(len(line) + 1 for line in fixed) - 4
    said = cut("\n".join(body_lines(message)), max(room, 0)) if room > 1 else ""
    return blocks(one_line(message.subject), "\n".join(members(message)), said, "\n".join(links(message)))


def links(message: Message) -> list[str]:
    """Where to look and what can be done, a line each."""
    lines = [f"{one_line(answer.label, 60)}: {answer.url}" for answer in message.answers]
    return [*lines, *([f"Open: {message.url}"] if message.url else [])]


def blocks(*parts: str) -> str:
    """What there is of these, with an empty line between."""
    return "\n\n".join(part for part in parts if part)


def numbered(lines: Iterable[str], room: int) -> list[str]:
    """Lines cut to fit into `room` characters with a break each: evenly, and never their first two words."""
    kept = list(lines)
    longest = max((len(line) for line in kept), default=0)
    while longest > 0 and sum(len(_headed(line, longest)) + 1 for line in kept) > room:
        longest -= 1
    return [_headed(line, longest) for line in kept]


def _headed(line: str, longest: int) -> str:
    head = " ".join(line.split(" ")[:2]).rstrip(":")
    return line if len(line) <= longest else line[: max(longest, len(head))].rstrip(" :")


def phone(address: str) -> str:
    """A number in its international form, `+4930123456`. Raises InvalidField."""
    number = re.sub(r"[\s().\-/]", "", address)
    number = f"+{number[2:]}" if number.startswith("00") else number
    if not _PHONE.fullmatch(number):
        raise InvalidField(f"{one_line(address, 40)!r} is no telephone number", hint="with its country: +49 30 123456")
    return number
