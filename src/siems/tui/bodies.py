"""The body of an alert as lines: JSON set out without changing a character of it, anything else as it came."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from siems import present
from siems.tui.looks import Line, wrap

LONGEST = 100_000
"""Characters that are set out; what a tool sends is rarely a hundredth of it."""
DEEPEST = 60
PART = 4_000
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


@dataclass(frozen=True, slots=True)
class Body:
    """What an alert came in."""

    kind: str
    size: int
    text: str
    cut: bool = False


def body_of(alert: Mapping[str, Any]) -> Body | None:
    """The body in the daemon's answer; None where its reader is not shown any."""
    if "raw_base64" in alert:
        said = str(alert["raw_base64"])
        return Body("not text, in base64", len(base64.b64decode(said)), said[:LONGEST], len(said) > LONGEST)
    if "raw" not in alert:
        return None
    raw = str(alert["raw"])
    size = len(raw.encode("utf-8", "surrogatepass"))
    if not raw.strip():
        return Body("empty", size, "")
    try:
        json.loads(raw)
    except (ValueError, RecursionError):
        return Body("text", size, raw[:LONGEST], len(raw) > LONGEST)
    return Body("JSON", size, set_out(raw[:LONGEST]), len(raw) > LONGEST)


def set_out(text: str) -> str:
    """JSON with a line for each member. Every part of it stays as it was sent."""
    out: list[str] = []
    depth, parts = 0, _TOKEN.findall(text)
    for place, part in enumerate(parts):
        before = parts[place - 1] if place else ""
        after = parts[place + 1] if place + 1 < len(parts) else ""
        if part in "{[":
            depth += 1
            out.append(part if after and after in "}]" else part + _break(depth))
        elif part in "}]":
            depth = max(0, depth - 1)
            out.append(part if before and before in "{[" else _break(depth) + part)
        elif part == ",":
            out.append(part + _break(depth))
        else:
            out.append(": " if part == ":" else part)
    return "".join(out)


def _break(depth: int) -> str:
    return "\n" + "  " * min(depth, DEEPEST)


def lines(body: Body, width: int) -> list[Line]:
    """The body in lines that fit; what is too long goes on under its own beginning."""
    found: list[Line] = []
    for source in body.text.split("\n"):
        inner = source.lstrip(" ")
        indent = min(len(source) - len(inner), max(0, width // 2))
        for start in range(0, len(inner) or 1, PART):
            wrapped = wrap(inner[start : start + PART], width - indent)
            found += [[(" " * indent, ""), (part, "")] for part in wrapped]
    if body.cut:
        found.append([("the rest is not shown here: siems alert show --raw prints all", "dim")])
    return found


def size_text(size: int) -> str:
    """`412 B`, `3.4 kB`, `1.2 MB`."""
    if size < 1_000:
        return f"{size} B"
    return f"{size / 1_000:.1f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


def title(ref: str, body: Body) -> str:
    return present.safe(f"body of {ref}, {size_text(body.size)}, {body.kind}")
