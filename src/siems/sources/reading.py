"""Reading JSON that strangers wrote: strict about its form, generous about its values."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import msgspec

from siems.domain.alert import MAX_LABELS, MAX_MESSAGE, MAX_NAME, clip
from siems.errors import InvalidField, UsageError

MAX_LABEL = 1_024
MAX_LINKS = 16

_decode = msgspec.json.Decoder().decode
_FRACTION = re.compile(r"(\.\d{6})\d+")
YEAR_1 = datetime(2, 1, 1, tzinfo=UTC)


def parse(body: bytes) -> Any:
    """The value of a JSON body. Raises UsageError saying why it is none."""
    try:
        return _decode(body)
    except msgspec.DecodeError as why:
        raise UsageError(f"the body is not valid JSON: {why}", hint="send UTF-8 encoded JSON") from why
    except (UnicodeDecodeError, RecursionError, ValueError) as why:
        raise UsageError("the body is not UTF-8 encoded JSON", hint="send UTF-8 encoded JSON") from why


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
    items = value if isinstance(value, list) else [value]
    found = [clip(item, 2_048) for item in items if isinstance(item, str) and item.startswith(("http://", "https://"))]
    return tuple(found[:MAX_LINKS])


def instant(value: Any) -> tuple[datetime | None, str]:
    """(an aware time, or None; a warning). Takes RFC 3339 with up to nine digits of fraction, and epoch seconds."""
    if value is None or value == "":
        return None, ""
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            found = datetime.fromtimestamp(float(value), UTC)
        else:
            found = datetime.fromisoformat(_FRACTION.sub(r"\1", str(value)))
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None, f"{text(value, 64)!r} is no time; the time of arrival is used"
    return (None, "") if found < YEAR_1 else (found, "")
