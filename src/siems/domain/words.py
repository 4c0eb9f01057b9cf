"""What is searched for, and what texts are made of: plain words, alike on every database."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from siems.errors import UsageError

MAX_QUERY = 400
MAX_TERMS = 16
MAX_WORDS = 300
"""So many words of one text are found."""
MAX_WORD = 60

_WORD = re.compile(r"[^\W_]+")
_LETTERS = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ı": "i"})
"""Letters that are no letter with an accent, and are typed without one all the same."""
_PART = re.compile(r'-?"[^"]*"|[^\s"]+')


@dataclass(frozen=True, slots=True)
class Wanted:
    """One term: words that follow each other; the last may be the beginning of one."""

    words: tuple[str, ...]
    prefix: bool = False
    unwanted: bool = False


def words_of(text: str, most: int = MAX_WORDS) -> list[str]:
    """The words of a text: letters and digits, in small letters, without accents. What stands between is no word."""
    plain = unicodedata.normalize("NFKD", text[: most * (MAX_WORD + 1)]).casefold()
    plain = "".join(c for c in plain if not unicodedata.combining(c)).translate(_LETTERS)
    return [word[:MAX_WORD] for word in _WORD.findall(plain)[:most]]


def plain(texts: Iterable[str]) -> str:
    """Texts as one line of words."""
    return " ".join(words_of("\n".join(texts)))


def wanted(query: str) -> tuple[Wanted, ...]:
    """What a query asks for: words, "words in a row", begin*, and -without. Raises UsageError."""
    if len(query) > MAX_QUERY:
        raise UsageError(f"the query is longer than {MAX_QUERY} characters", hint="search for fewer words")
    found = []
    for part in _PART.findall(query):
        unwanted, text = part.startswith("-") and len(part) > 1, part.removeprefix("-")
        words = tuple(words_of(text))
        if words:
            found.append(Wanted(words, prefix=text.endswith("*"), unwanted=unwanted))
    if len(found) > MAX_TERMS:
        raise UsageError(f"the query has more than {MAX_TERMS} terms", hint="search for fewer words")
    if all(term.unwanted for term in found):
        raise UsageError("search for what?", hint='siems search "ref 8812" --type note')
    return tuple(found)


def token(kind: str, value: str) -> str:
    """One word that stands for a value, whatever is in it: for limits that texts cannot reach."""
    return f"{kind}{value.encode().hex()}"
