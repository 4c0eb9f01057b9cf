"""Shapes that several tools send alike: ways to open a body, to look into it, and to name what is found there."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from siems.errors import InvalidField
from siems.sources.reading import Doc, document, filled, host_in, instant, parse, text, without_port

# A body as a whole

MAX_DOCUMENTS = 1_000
_MACRO = re.compile(
    r"\$[A-Za-z][\w.:@]*\$|\$\{[^{}]*\}|##[\w.]+##|%[A-Za-z][\w.]*|\$[A-Za-z]\w*(\([\w .]*\))?", re.ASCII
)
_PAIR = frozenset(["title", "name", "value", "short", "inline", "type"])


def documents(body: bytes, headers: Mapping[str, str]) -> list[Doc]:
    """The objects of a body that is a list of them, or the one object that it is."""
    stripped = body.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not stripped.startswith(b"["):
        return [document(body, headers)]
    items = parse(stripped)
    found = [Doc(item) for item in items if isinstance(item, Mapping)]
    if not 0 < len(found) == len(items) <= MAX_DOCUMENTS:
        raise InvalidField(f"a list holds 1 to {MAX_DOCUMENTS} objects and nothing else")
    return found


def loose(doc: Doc) -> Doc:
    """The same with names in lower case and without signs: `monitorID`, `monitor_id` and `MONITOR_ID` are one."""
    return Doc({"".join(c for c in str(name).lower() if c.isalnum()): value for name, value in doc.value.items()})


def fields(doc: Doc, limit: int = 2_000) -> Doc:
    """All that says something in an object, by the last part of its name in small letters and digits: what is in
    `data.Host Name` is `hostname`. What is higher up or comes first wins. Pairs of a title and a value, as messages
    for chats have them, count as fields. For bodies that operators write themselves.
    """
    found: dict[str, str] = {}
    waiting: deque[tuple[str, Any]] = deque([("", doc.value)])
    while waiting and limit:
        limit -= 1
        field_, value = waiting.popleft()
        if isinstance(value, Mapping):
            title = value.get("title") or value.get("name")
            if isinstance(title, str) and "value" in value and value.keys() <= _PAIR:
                waiting.append((title, value["value"]))
            else:
                waiting.extend((str(key), item) for key, item in value.items())
        elif isinstance(value, list):
            waiting.extend((field_, item) for item in value)
        elif said := filled(value):
            found.setdefault("".join(c for c in field_.rpartition(".")[2].lower() if c.isalnum()), said)
    return Doc(found)


def flat(doc: Doc, *prefixes: str, depth: int = 3) -> Doc:
    """All of an object at one level, named by whole paths in small letters and digits: `host.display_name`,
    `HOSTDISPLAYNAME` and `NOTIFY_HostDisplayName` (without the prefix `notify`) are one. Macros that nobody filled in
    are left out. For bodies that operators' scripts make of macros."""
    found: dict[str, Any] = {}

    def put(path: str, value: Mapping[str, Any], left: int) -> None:
        for key, item in value.items():
            name_ = path + "".join(c for c in str(key).lower() if c.isalnum())
            for prefix in prefixes:
                name_ = name_.removeprefix(prefix) or name_
            if isinstance(item, Mapping) and left:
                put(name_, item, left - 1)
            elif not (isinstance(item, str) and _MACRO.fullmatch(item.strip())):
                found.setdefault(name_, item)

    put("", doc.value, depth)
    return Doc(found)


# What is in it

_ZONED = re.compile(r"\d{9,13}(\.\d+)?|.+\d(Z|[+-]\d\d:?\d\d)", re.ASCII)
OVER = frozenset([
    "resolved", "resolve", "ok", "okay", "normal", "closed", "close", "cleared", "clear", "reset", "recovered",
    "recovery", "success", "successful", "succeeded", "restored", "healed", "healthy", "fixed", "up", "green",
])  # fmt: skip
"""Words by which operators' templates say that something is over."""


def some(doc: Doc, *paths: str, **named: str) -> dict[str, str]:
    """Labels of what is there at the paths, named by the last step of each; `named` are further ones as they are."""
    found = {path.rpartition(".")[2]: doc.first(path) for path in paths} | named
    return {name: value for name, value in found.items() if value}


def plain(doc: Doc, *paths: str) -> str:
    """The first of several paths that holds a plain value, as text; of a list its first item."""
    for path in paths:
        value = doc.at(path)
        if isinstance(value, list):
            value = next(iter(value), None)
        said = "" if isinstance(value, (dict, list)) else filled(value)
        if said:
            return said
    return ""


def joined(value: object) -> str:
    """A list of plain words, or of objects with a name, as one text."""
    items = value if isinstance(value, list) else [value]
    words = [_named(item) if isinstance(item, Mapping) else text(item, 255).strip() for item in items]
    return ", ".join(filter(None, words))


def _named(item: Mapping[str, object]) -> str:
    return ": ".join(filter(None, (text(item.get(key), 255).strip() for key in ("name", "value"))))


def zoned(*values: Any) -> str | None:
    """The first of several times that says which zone it is in: seconds since 1970, or with an offset. A local time of
    a monitor's somewhere is no time to reckon with."""
    for value in values:
        said = filled(value, 64)
        if _ZONED.fullmatch(said) and instant(said)[0]:
            return said
    return None


def is_over(*words: str) -> bool:
    """Whether the first of several words that says something says that it is over."""
    return next((word for word in words if word), "").strip().lower() in OVER


# Names of what is in it


def site(address: str) -> str:
    """The host that a check looks at, of an address with or without scheme, port and path; "" when it has none."""
    if "://" not in address:
        if address.count(":") > 1 and "/" not in address:  # a bare address of IPv6
            return address.strip()
        address = f"any://{address.strip()}"
    host = without_port(host_in(address))
    return "" if "://" in host else host


def down(name: str, asset: str, kind: str = "") -> str:
    """What is wrong when a check fails: its name, or its kind and path when the name only repeats the host."""
    plain = name.partition("://")[2] or name
    if plain.lower().startswith(asset.lower()) and asset:
        rest = plain[len(asset) :].partition("?")[0]
        if not rest or rest[0] in ":/":
            path = rest[rest.find("/") :].rstrip("/") if "/" in rest else ""
            return f"{kind} check down".strip() + (f": {path}" if path else "")
    return f"{name} down" if name else f"{kind} check down".strip()


def whole_key(*parts: str) -> str | None:
    """One key made of several parts; of what is too long to be kept whole a hash, so that no two become one."""
    key = "|".join(part for part in parts if part)
    if not key:
        return None
    return key if len(key) <= 255 else blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
