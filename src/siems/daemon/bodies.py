"""Checking a folder of bodies that tools have really sent: what siems makes of each."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from siems.errors import Negative, NotFound, SiemsError, UsageError
from siems.sources import SOURCES, Headers, Read
from siems.sources.hearing import hear, is_unknown

RECONSTRUCTED = "_reconstructed"
WELL = ("alert", "stated")
OUTCOMES = (*WELL, "unknown", "refused", "crash", "no source")
"""What can become of a body: alerts; a stated non-alert; an alert that only says that the body is unknown; a refusal;
a bug of the source; a folder that no source goes by the name of."""
_HEADER = re.compile(r"([A-Za-z][A-Za-z0-9-]{0,63}): *(\S[^\r\n]*)")
_REQUEST = re.compile(r"[A-Z]{3,7} \S+ HTTP/\d(\.\d)?")
_ASIDE = re.compile(r" [\[(|].*")
_ABOUT = (".md", ".tsv")
"""Files beside bodies that tell of them."""


def check(folder: Path) -> dict[str, Any]:
    """Every body heard by the source that its folder is named after. Raises NotFound when there are none."""
    if not folder.is_dir():
        raise NotFound(f"there is no folder {folder}", hint="it holds a folder per tool, with bodies as files")
    told = index(folder / "INDEX.tsv")
    heard = [_heard(folder, file, told) for file in _files(folder)]
    if not heard:
        raise NotFound(f"there are no bodies in {folder}", hint="it holds a folder per tool, with bodies as files")
    count = Counter(body["outcome"] for body in heard)
    return {
        "ok": all(body["outcome"] in WELL for body in heard),
        "files": len(heard),
        "outcomes": {outcome: count[outcome] for outcome in OUTCOMES},
        "bodies": heard,
    }


def verdict(found: Mapping[str, Any]) -> SiemsError | None:
    """The error that a check ends with; None when siems understood every body."""
    bad = ", ".join(f"{n} {outcome}" for outcome, n in found["outcomes"].items() if n and outcome not in WELL)
    if found["ok"]:
        return None
    return Negative(f"not every body is understood: {bad}", hint="the marked lines name them")


def _files(folder: Path) -> Iterator[Path]:
    """The bodies: FOLDER/<tool>/* and FOLDER/_reconstructed/<tool>/*."""
    for top in (folder, folder / RECONSTRUCTED):
        for tool in sorted(top.iterdir()) if top.is_dir() else ():
            if tool.is_dir() and tool.name != RECONSTRUCTED and not tool.name.startswith("."):
                yield from (file for file in sorted(tool.iterdir()) if _is_body(file))


def _is_body(file: Path) -> bool:
    return file.is_file() and not file.name.startswith(".") and file.suffix not in _ABOUT


def _heard(folder: Path, file: Path, told: Mapping[str, Headers]) -> dict[str, Any]:
    name, tool = str(file.relative_to(folder)), file.parent.name
    found: dict[str, Any] = {"file": name, "tool": tool, "outcome": "", "alerts": [], "said": ""}
    body, own = parted(file.read_bytes()) if file.suffix == ".txt" else (file.read_bytes(), {})
    try:
        source = SOURCES.get(tool)
        read = hear(source, body, {**told.get(name, {}), **own})
    except NotFound as why:
        return found | {"outcome": "no source", "said": why.message}
    except UsageError as why:
        return found | {"outcome": "refused", "said": why.message}
    except Exception as bug:  # the one place where a bug of a source is news and no accident
        return found | {"outcome": "crash", "said": f"{type(bug).__name__}: {bug}"}
    return found | _told(read)


def _told(read: Read) -> dict[str, Any]:
    alerts = [
        {
            "severity": reading.severity.name,
            "firing": reading.firing,
            "asset_name": reading.asset_name,
            "signature": reading.signature,
            "dedup_key": reading.dedup_key,
        }
        for reading in read.readings
    ]
    said = [read.said, *(f"remark on {remark.dedup_key}: {remark.text}" for remark in read.remarks)]
    stated = "; ".join(filter(None, said))
    if any(map(is_unknown, read.readings)):
        return {"outcome": "unknown", "alerts": alerts, "said": "; ".join(read.readings[0].warnings)}
    if not alerts and not stated:
        return {"outcome": "refused", "said": "nothing came of it"}
    return {"outcome": "alert" if alerts else "stated", "alerts": alerts, "said": stated}


# --- headers ---------------------------------------------------------------------------------------------------


def index(file: Path) -> dict[str, Headers]:
    """The headers that an index tells of each file; none where there is no index. Raises UsageError."""
    if not file.exists():
        return {}
    try:
        with open(file, encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines, delimiter="\t"))
    except (csv.Error, UnicodeDecodeError) as why:
        raise UsageError(f"{file} is no table with tabs: {why}") from why
    return {row["file"]: headers(row.get("headers") or "") for row in rows if row.get("file")}


def headers(text: str) -> Headers:
    """The headers among notes: `Name: value ; Name: value (aside) ; free text [note]`."""
    found = (_HEADER.fullmatch(part.strip()) for part in text.split(" ; "))
    return {match[1]: _ASIDE.sub("", match[2]).strip() for match in found if match}


def parted(content: bytes) -> tuple[bytes, Headers]:
    """(body, headers) of a captured request: what stands before a blank line, when every line of it is a header."""
    for blank in (b"\r\n\r\n", b"\n\n"):
        head, found, body = content.partition(blank)
        lines = head.decode("utf-8", "replace").splitlines()
        if found and lines and _REQUEST.fullmatch(lines[0].strip()):
            del lines[0]
        matches = [_HEADER.fullmatch(line.strip()) for line in lines]
        if found and matches and all(matches):
            return body, {match[1]: match[2].strip() for match in matches if match}
    return content, {}
