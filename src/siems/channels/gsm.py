"""Text of text messages: the letters of GSM 7-bit, how many segments they take, and cutting to two of them."""

from __future__ import annotations

import unicodedata

from siems.channels import Message
from siems.channels.rendering import numbered, one_line

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_DOUBLE = frozenset("^{}\\[~]|€\f")
_ALIKE = {
    "–": "-", "—": "-", "−": "-", "‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "…": "...", "·": "-",
    "•": "-", "→": "->", "←": "<-", "×": "x", "≥": ">=", "≤": "<=", "°": " deg", "`": "'", "´": "'", "ẞ": "SS",
    "\t": " ", "œ": "oe", "Œ": "OE", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i", "™": "TM",
}  # fmt: skip
ONE, EACH, TWO = 160, 153, 306
"""Septets of a message in one segment, of each segment of a longer one, and of two."""


def gsm(text: str) -> str:
    """The text in letters of GSM 7-bit: others become what looks like them, else `?`."""
    return "".join(map(_letter, text))


def _letter(char: str) -> str:
    if char in _BASIC or char in _DOUBLE:
        return char
    if char in _ALIKE:
        return _ALIKE[char]
    plain = "".join(c for c in unicodedata.normalize("NFKD", char) if c in _BASIC)
    return plain or ("" if unicodedata.combining(char) else "?")


def septets(text: str) -> int:
    """How much room it takes: a few letters count twice."""
    return sum(2 if char in _DOUBLE else 1 for char in text)


def segments(text: str) -> int:
    """What the provider will charge for."""
    return 1 if septets(text) <= ONE else -(-septets(text) // EACH)


def short(text: str, room: int) -> str:
    """Cut to so many septets; what was cut ends with two full stops."""
    if septets(text) <= room:
        return text
    kept = 0
    for place, char in enumerate(text):
        kept += 2 if char in _DOUBLE else 1
        if kept > room - 2:
            return text[:place].rstrip() + ".." if room >= 2 else ""
    return text


def _hint(reply: str, several: bool) -> str:
    if several:
        return f"Reply {reply}a to ack all"
    return f"Reply {reply}a to ack" + ("" if reply.startswith("P") else f", {reply}r TEXT to resolve")


def text_message(message: Message) -> str:
    """What is sent: at most two segments. How to answer, and every member's number, are never cut."""
    reply = gsm(one_line(message.reply, 12))
    several = bool(message.lines)
    hint = _hint(reply, several) if reply else ""
    head = gsm(f"{message.severity.name} {one_line(message.company, 24)}")
    url = gsm(message.url) if septets(message.url) <= 80 else ""
    if several:
        lines = [gsm(one_line(line, 120)) for line in message.lines]
        fixed = [head, hint]
        room = TWO - sum(septets(part) + 1 for part in fixed if part)
        return "\n".join(part for part in (head, *_listed(lines, room), hint) if part)
    subject = gsm(" ".join(filter(None, (one_line(message.object, 24), one_line(message.subject)))))
    room = TWO - sum(septets(part) + 1 for part in (head, hint, url) if part)
    return "\n".join(part for part in (f"{head}: {short(subject, room - 1)}", url, hint) if part)


def _listed(lines: list[str], room: int) -> list[str]:
    """Every number with as much behind it as there is room for; what is too much even so is counted."""
    for size in range(len(lines), 0, -1):
        more = [f"+{len(lines) - size} more: see the inbox"] if size < len(lines) else []
        left = room - sum(map(septets, more)) - len(more)
        kept = numbered(lines[:size], left - sum(septets(line) - len(line) for line in lines[:size]))
        if sum(septets(line) + 1 for line in kept) <= left:
            return [*kept, *more]
    return []
