"""Reading what strangers wrote: strict about its form, generous about its values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from siems.domain.alert import (
    MAX_LABELS,
    MAX_MESSAGE,
    MAX_NAME,
    SEVERITY_WORDS,
    Reading,
    clip,
    severity_from,
)
from siems.errors import InvalidField, UsageError
from siems.vocabulary import Severity

MAX_LABEL = 1_024
MAX_LINKS = 16
MAX_LINK = 2_048

_decode = msgspec.json.Decoder().decode
_FRACTION = re.compile(r"(\.\d{6})\d+")
_EPOCH = re.compile(r"\d{9,13}(\.\d+)?", re.ASCII)
YEAR_1 = datetime(2, 1, 1, tzinfo=UTC)


def parse(body: bytes) -> Any:
    """The value of a JSON body. Raises UsageError saying why it is none."""
    try:
        return _decode(body)
    except msgspec.DecodeError as why:
        raise UsageError(f"the body is not valid JSON: {why}", hint="send UTF-8 encoded JSON") from why
    except (UnicodeDecodeError, RecursionError, ValueError) as why:
        raise UsageError("the body is not UTF-8 encoded JSON", hint="send UTF-8 encoded JSON") from why


def as_text(body: bytes) -> str:
    """A body as people would read it, whatever its encoding."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


class Doc:
    """An object that a tool sent, asked by path. What is absent, null, blank or an unfilled placeholder is "" alike.

    Paths go through objects by name and through lists by number: `data.essentials.alertRule`, `entities.0.name`.
    """

    __slots__ = ("value",)

    def __init__(self, value: Mapping[str, Any]) -> None:
        self.value = value

    def at(self, path: str) -> Any:
        """The value at a path as it came; None when there is none. A whole name with dots in it comes first."""
        found: Any = self.value.get(path)
        if found is not None or "." not in path:
            return found
        found = self.value
        for step in path.split("."):
            if isinstance(found, Mapping):
                found = found.get(step)
            elif isinstance(found, list) and step.isdigit() and int(step) < len(found):
                found = found[int(step)]
            else:
                return None
        return found

    def first(self, *paths: str) -> str:
        """The first of several paths that says something, as text."""
        for path in paths:
            said = filled(self.at(path))
            if said:
                return said
        return ""

    def doc(self, path: str) -> Doc:
        """The object at a path; an empty one when there is none."""
        found = self.at(path)
        return Doc(found if isinstance(found, Mapping) else {})

    def docs(self, path: str) -> Iterator[Doc]:
        """The objects of the list at a path."""
        found = self.at(path)
        for item in found if isinstance(found, list) else ():
            if isinstance(item, Mapping):
                yield Doc(item)

    def has(self, *paths: str) -> bool:
        """Whether all of the paths are there, with whatever value."""
        return all(self.at(path) is not None for path in paths)


_PLACEHOLDER = re.compile(r"(\{+[$#%\w .:()|-]+\}+|\$[A-Z_]{3,}\$?|%\w+%|\*UNKNOWN\*|<no value>)", re.ASCII)
_NOTHING = frozenset(["", "null", "none", "n/a", "undefined", "unknown", "-", "nil", "(null)", "nan"])


def filled(value: Any, limit: int = MAX_MESSAGE) -> str:
    """A value as text, or "" for what says nothing: null in any spelling, blanks, a placeholder nobody filled in."""
    if value is None or value == {} or value == []:
        return ""
    said = text(value, limit).strip()
    if said.lower() in _NOTHING or (_PLACEHOLDER.fullmatch(said) and not isinstance(value, (dict, list))):
        return ""
    return said


def document(body: bytes, headers: Mapping[str, str]) -> Doc:
    """A body as an object, whatever its content type claims: JSON, or form fields, or JSON in a form field.

    Raises UsageError when it is neither, InvalidField when it is JSON but no object.
    """
    stripped = body.lstrip(b"\xef\xbb\xbf \t\r\n")
    if stripped[:1] in (b"{", b"[", b'"'):
        value = parse(stripped)
        if isinstance(value, str):  # JSON in a string
            value = parse(value.encode())
        return Doc(an_object(value))
    kind = next((v for k, v in headers.items() if k.lower() == "content-type"), "").lower()
    if "form" in kind or (b"=" in stripped[:200] and b"\n" not in stripped.strip()):
        fields = dict(parse_qsl(as_text(stripped), keep_blank_values=True))
        for name_ in ("payload", "data", "json"):
            if fields.get(name_, "").lstrip()[:1] == "{":
                return Doc(an_object(parse(fields[name_].encode())))
        if fields:
            return Doc(fields)
    return Doc(an_object(parse(body)))


def alert_of(
    *,
    tool: str,
    asset: str,
    signature: str,
    word: Any = None,
    words: Mapping[str, Severity] = SEVERITY_WORDS,
    severity: Severity | None = None,
    message: str,
    firing: bool = True,
    key: str | None = None,
    tags: Any = None,
    urls: Any = (),
    starts: Any = None,
    thread: tuple[str, ...] = (),
    warnings: tuple[str, ...] = (),
) -> Reading:
    """A reading within its limits, from whatever a tool gave.

    `word` is how bad the tool calls it and `words` its meaning (lower case; the general words by default); `severity`
    is for tools that have no word. `starts` is RFC 3339, epoch seconds or epoch milliseconds.
    """
    level, original, doubt = severity_from(filled(word) or None, words=words)
    if severity is not None:
        level, doubt = severity, ""
    starts_at, late = instant(starts)
    kept, trouble = labels(tags)
    return Reading(
        asset_name=name(asset) or "unknown", signature=name(signature) or "alert", severity=level,
        original_severity=original, message=clip(message.strip(), MAX_MESSAGE), tool_source=tool[:64], firing=firing,
        dedup_key=clip(key.strip(), 255) if key and key.strip() else None, labels=kept, links=links(urls),
        starts_at=starts_at, thread=thread,
        warnings=tuple(w for w in (*warnings, *trouble, doubt if firing else "", late) if w),
    )  # fmt: skip


def made_key(asset: str, signature: str) -> str:
    """The key of a problem whose sender gave none and is told one: the same problem gets the same key again."""
    return blake2b(f"{asset}\x1f{signature}".encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def short_key(key: str) -> str:
    """A key as long as siems keeps them; a longer one stays different from every other."""
    return key if len(key) <= MAX_NAME else blake2b(key.encode("utf-8", "surrogatepass"), digest_size=32).hexdigest()


def host_in(url: str) -> str:
    """The host of a web address, without port and credentials; the text itself when it is none."""
    if "://" not in url:
        return url.strip()
    try:
        return urlsplit(url.strip()).hostname or url.strip()
    except ValueError:
        return url.strip()


def without_port(host: str) -> str:
    """`db1:9100` → `db1`; addresses of IPv6 keep their colons."""
    head, colon, port = host.rpartition(":")
    return head if colon and port.isdigit() and head and (":" not in head or head.endswith("]")) else host


def header(headers: Mapping[str, str], wanted: str) -> str:
    """A header's value, whatever the case of its name; "" when it was not sent."""
    return next((value for key, value in headers.items() if key.lower() == wanted.lower()), "")


def an_object(value: Any, what: str = "the body") -> dict[str, Any]:
    """The value as an object. Raises InvalidField."""
    if not isinstance(value, dict):
        raise InvalidField(f"{what} is not a JSON object")
    return value


def text(value: Any, limit: int) -> str:
    """Any plain value as text that every database takes; structures as JSON."""
    if isinstance(value, str):
        return clip(value, limit)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return clip(repr(value), limit)
    return clip(msgspec.json.encode(value).decode(), limit)


def name(value: Any) -> str:
    return text(value, MAX_NAME).strip()


def message(value: Any) -> str:
    return text(value, MAX_MESSAGE)


def labels(value: Any) -> tuple[dict[str, str], list[str]]:
    """(labels, warnings): names and values as text, within limits."""
    if not isinstance(value, dict):
        return {}, [] if value is None else ["labels is not an object; ignored"]
    kept = {clip(str(k), MAX_NAME): text(v, MAX_LABEL) for k, v in list(value.items())[:MAX_LABELS]}
    return kept, [f"only {MAX_LABELS} labels are kept"] if len(value) > MAX_LABELS else []


def links(value: Any) -> tuple[str, ...]:
    """Web addresses among what was given; anything else would be a way to make people click."""
    items = value if isinstance(value, (list, tuple)) else [value]
    found = [
        clip(item, MAX_LINK) for item in items if isinstance(item, str) and item.startswith(("http://", "https://"))
    ]
    return tuple(found[:MAX_LINKS])


def instant(value: Any) -> tuple[datetime | None, str]:
    """(an aware time, or None; a warning). Takes RFC 3339 with up to nine digits of fraction, and seconds or
    milliseconds since 1970, as a number or in digits."""
    if value is None or value == "":
        return None, ""
    try:
        if isinstance(value, str) and _EPOCH.fullmatch(value.strip()):
            value = float(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            seconds = float(value)
            found = datetime.fromtimestamp(seconds / 1_000 if abs(seconds) > 1e11 else seconds, UTC)
        else:
            found = datetime.fromisoformat(_FRACTION.sub(r"\1", str(value)))
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None, f"{text(value, 64)!r} is no time; the time of arrival is used"
    return (None, "") if found < YEAR_1 else (found, "")
