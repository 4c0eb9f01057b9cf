"""Entries of the audit log in words: rows, the entry under the cursor, and how it stands with the chains."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from siems import present
from siems.tui.frame import rule
from siems.tui.looks import Line, Piece, spread, wrap
from siems.tui.panes import Scene
from siems.wire import AuditView, ChainHead, VerifyAnswer, WitnessState

SEQ, ACTOR, VIA, ACTION, OBJECT = 7, 10, 6, 21, 13
WIDE = 110
_INCIDENT = re.compile(r"INC-\d+")


def incident_of(one: AuditView) -> str:
    """The incident that an entry is about, or nothing."""
    return one.object if _INCIDENT.fullmatch(one.object) else ""


def actor(one: AuditView, width: int = 0) -> str:
    """`maria` of user-maria."""
    name = present.safe(one.actor[:64]).removeprefix("user-") or "--"
    return present.clip(name, width) if width else name


def chain(one: AuditView) -> str:
    return present.safe(one.chain[:64]).removeprefix("comp-")


def heading(width: int) -> list[Piece]:
    """The words over the columns."""
    time = 11 if width < WIDE else 14
    words = [f" {'SEQ':>{SEQ}}", f"{'TIME':<{time}}", f"{'ACTOR':<{ACTOR}}", f"{'VIA':<{VIA}}"]
    words += [f"{'ACTION':<{ACTION}}", f"{'TARGET':<{OBJECT}}"]
    if width >= WIDE:
        words += [f"{'CHAIN':<10}", "DETAILS AND REASON"]
    return [(" ".join(words), "head")]


def row(one: AuditView, scene: Scene, width: int, *, here: bool) -> list[Piece]:
    """One entry on a line."""
    there = one.at.astimezone(scene.zone)
    when = there.strftime("%m-%d %H:%M:%S") if width >= WIDE else f"{scene.time(one.at):<11}"
    system = one.actor == "system"
    cut = scene.looks.cut
    pieces: list[Piece] = [
        (">" if here else " ", "mark"), (f"{one.seq:>{SEQ}} ", "dim"), (when + " ", "dim"),
        (present.fit(actor(one), ACTOR, mark=cut) + " ", "dim" if system else "bold"),
        (present.cell(one.via, VIA) + " ", "dim"), (present.cell(one.action, ACTION, mark=cut) + " ", ""),
        (present.cell(one.object.removeprefix("comp-"), OBJECT, mark=cut) + " ", ""),
    ]  # fmt: skip
    if width >= WIDE:
        room = width - sum(present.cell_width(text) for text, _ in pieces) - 11
        said = " ".join(part for part in (short(one.details), _quoted(one.reason)) if part)
        pieces += [(present.fit(chain(one), 10, mark=cut) + " ", "dim"), (present.clip(said, room, mark=cut), "dim")]
    return pieces


def _quoted(text: str) -> str:
    return f'"{present.safe(text[:200])}"' if text else ""


def short(details: Mapping[str, Any] | None) -> str:
    """What an entry says in few words: `from OPEN to ASSIGNED`, `severity=HIGH`."""
    if not details:
        return ""
    moved, rest = "", dict(details)
    if "from" in rest and "to" in rest:
        moved = f"{present.safe(_plain(rest.pop('from'))[:30])} -> {present.safe(_plain(rest.pop('to'))[:30])}"
    words = [f"{present.safe(str(key)[:24])}={_some(_plain(value), 40)}" for key, value in rest.items()]
    return " ".join([*([moved] if moved else []), *words[:6]])


def _some(text: str, most: int) -> str:
    """So many characters of a text, and a sign where there are more."""
    return present.safe(text[:most]) + ("..." if len(text) > most else "")


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def entry(one: AuditView, scene: Scene, width: int, *, whole: bool) -> list[Line]:
    """The entry under the cursor: few lines, or all that it holds."""
    looks = scene.looks
    when = one.at.astimezone(scene.zone).strftime("%Y-%m-%d %H:%M:%S")
    head = rule(looks, width, f"{chain(one)} {one.seq}", "J K scroll  enter closes" if whole else "enter all of it")
    who: list[Piece] = [
        (actor(one), "bold"), (" via ", "dim"), (present.safe(one.via[:16]), ""), ("  ", ""), (when, "dim"), ("  ", ""),
        (present.safe(one.action[:48]), "bold"), (" ", ""), (present.safe(one.object[:64]), ""),
    ]  # fmt: skip
    if one.company_id not in one.object:
        who += [("  of ", "dim"), (present.safe(one.company_id[:40]), "")]
    lines: list[Line] = [head, who]
    if whole or width >= WIDE:
        if one.reason:
            lines.append([("reason   ", "dim"), (present.safe(one.reason[:400]), "")])
        lines += _details(one, width, whole=whole)
        lines.append([("hash     ", "dim"), (present.safe(one.hash[:64]), ""), ("  follows ", "dim"),
                      (present.safe(one.prev_hash[:64] if width >= 150 else one.prev_hash[:12]), "")])  # fmt: skip
        lines.append([("shell    ", "dim"), (f"siems audit show {chain(one)}:{one.seq}", "key")])
        return lines
    said = " ".join(part for part in (short(one.details), _quoted(one.reason)) if part) or "no details"
    lines.append([(said, "")])
    lines.append([("hash ", "dim"), (present.safe(one.hash[:16]), ""), ("  follows ", "dim"),
                  (present.safe(one.prev_hash[:16]), "")])  # fmt: skip
    return lines


def _details(one: AuditView, width: int, *, whole: bool) -> list[Line]:
    if one.details is None:
        return [[("details  ", "dim"), ("a batch of alerts, or erased: what they were stays sealed by its digest", "")]]
    if not whole:
        return [[("details  ", "dim"), (short(one.details) or "none", "")]]
    lines: list[Line] = []
    for key, value in one.details.items():
        name = present.fit(present.safe(str(key)[:24]), 24)
        first, *more = wrap(_plain(value)[:2_000], width - 27)
        lines.append([(f"  {name} ", "dim"), (first, "")])
        lines += [[(" " * 27, ""), (text, "")] for text in more]
    return lines or [[("details  ", "dim"), ("none", "")]]


@dataclass(frozen=True, slots=True)
class Proof:
    """What is known of the chains: how far they have come, and when somebody recomputed them."""

    chains: Sequence[ChainHead]
    found: VerifyAnswer | None
    at: datetime | None
    going_on: bool
    witness: WitnessState | None = None


def state(proof: Proof, scene: Scene, width: int, *, can: bool) -> Line:
    """`CHAIN OK  48 211 entries in 7 chains, verified 14:00:00`; what is broken, with its place."""
    total = sum(one.entries for one in proof.chains)
    many = f"{total:,}".replace(",", " ") + f" entries in {present.plural(len(proof.chains), 'chain')}"
    key: list[Piece] = [("V", "key"), (" again" if proof.found else " verifies", "")] if can else []
    if proof.going_on:
        return spread([("VERIFYING", "stale"), (f"  {many}", "")], [], width)
    if proof.found is None or proof.at is None:
        known: list[Piece] = [("CHAIN", "head"), (f"  {many}", "")]
        return spread([*known, *(_signed(proof, scene) or [("  not verified in this session", "dim")])], key, width)
    at = scene.time(proof.at)
    broken = [one for one in proof.found.chains if not one.ok]
    if not broken:
        good: list[Piece] = [("CHAIN OK", "live"), (f"  {many}", ""), (f"  verified {at}", "dim")]
        return spread([*good, *_signed(proof, scene), *(_restored(proof, scene) if width >= WIDE else [])], key, width)
    first = broken[0]
    where = f"  {present.safe(first.chain[:40])} at {first.seq}: {present.safe((first.damage or '')[:40])}"
    why = f" ({present.safe((first.explanation or '')[:80])})"
    return spread([("!! CHAIN BREAK", "lost"), (where, "bold"), (why, ""), (f"  {at}", "dim")], key, width)


def _signed(proof: Proof, scene: Scene) -> list[Piece]:
    """Until when it is signed outside of the database, or that it is not."""
    found = proof.witness
    if found is None:
        return []
    if not found.ok:
        return [("  NOT SIGNED ", "stale"), (present.safe(found.cause[:200]), "")]
    return [(f"  signed {scene.time(found.signed_at)}", "dim")] if found.signed_at else []


def _restored(proof: Proof, scene: Scene) -> list[Piece]:
    """That a backup was put back, as long as that is what the reader looks at."""
    restored = proof.found.restored if proof.found is not None else []
    return [(f"  restored {restored[-1].at.astimezone(scene.zone):%m-%d %H:%M}", "bold")] if restored else []


def copies(one: AuditView) -> list[tuple[str, str, str]]:
    """What `y` can copy of an entry."""
    return [
        ("i", "id", f"{one.chain}:{one.seq}"),
        ("c", "command", f"siems audit show {chain(one)}:{one.seq}"),
        ("h", "hash", one.hash),
        ("o", "target", one.object),
        ("t", "text", f"{one.at.isoformat()} {one.actor} {one.action} {one.object} {short(one.details)}".strip()),
    ]
