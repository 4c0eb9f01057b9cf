"""Shapes that several tools send alike."""

from __future__ import annotations

from collections.abc import Mapping

from siems.errors import InvalidField
from siems.sources.reading import Doc, document, host_in, parse, text, without_port

MAX_DOCUMENTS = 1_000


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


def some(doc: Doc, *paths: str, **named: str) -> dict[str, str]:
    """Labels of what is there at the paths, named by the last step of each; `named` are further ones as they are."""
    found = {path.rpartition(".")[2]: doc.first(path) for path in paths} | named
    return {name: value for name, value in found.items() if value}


def joined(value: object) -> str:
    """A list of plain words, or of objects with a name, as one text."""
    items = value if isinstance(value, list) else [value]
    words = [item.get("name", item.get("value")) if isinstance(item, Mapping) else item for item in items]
    return ", ".join(word for word in (text(word, 255).strip() for word in words) if word)


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
