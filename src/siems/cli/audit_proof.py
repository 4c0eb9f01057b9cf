"""`siems audit verify`: the proof that nobody changed the record, here or in a file that was taken away."""

from __future__ import annotations

from typing import Annotated

import typer

from siems.cli.context import Door, leaf
from siems.cli.show import Item, show_one
from siems.errors import UsageError

LONG = 600.0
"""Seconds that proving and exporting a long record may take."""
Company = Annotated[str, typer.Option("--company", help="only this chain; msp for the provider's own")]
First = Annotated[int, typer.Option("--from", help="from this entry of the chain on")]
Last = Annotated[int, typer.Option("--to", help="to this entry of the chain")]


@leaf
def verify(
    door: Door,
    file: Annotated[str, typer.Argument(help="a file of siems audit export; without one, the daemon's record")] = "",
    company: Company = "",
    first: First = 1,
    last: Last = 0,
    key: Annotated[str, typer.Option("--key", help="whose key must have signed the file: 64 digits, or a file")] = "",
) -> int:
    """Prove that nobody changed the record; exit 9 when somebody did, naming the first bad entry and the damage.

    siems audit verify                          every chain, and what was signed outside of the database
    siems audit verify acme.jsonl --key KEY     an export, wherever it is, without a daemon
    """
    if file:
        return _verify_file(door, file, key)
    if key:
        raise UsageError("--key is for files: the daemon has its own", hint="siems audit verify FILE --key KEY")
    door.client.timeout = max(door.client.timeout, LONG)
    found = door.client.verify_audit(company=company, first=first, last=last or None)
    show_one(door, found, _verdict, id="ok")
    return 0 if found["ok"] else 9


def _verdict(found: Item) -> list[str]:
    from siems.present import safe

    lines = []
    for chain in found["chains"]:
        state = "ok" if chain["ok"] else f"BROKEN at {chain['seq']}: {chain['damage']} ({chain['explanation']})"
        signed = f", signed to {chain['signed']}" if chain["ok"] and chain.get("signed") else ""
        lines.append(f"{chain['chain']:<24} {chain['entries']:>8} entries   {state}{signed}")
    lines += [_restored(one) for one in found.get("restored", [])]
    lines += [safe(line) for line in witness_lines(found.get("witness"))]
    word = "whole" if found["ok"] else "NOT whole"
    return [*lines, f"{found['entries']} entries, the record is {word}"]


def _clock(at: str) -> str:
    """A time in UTC for people."""
    return f"{at[:19].replace('T', ' ')} UTC"


def _restored(one: Item) -> str:
    from siems.present import safe

    lost = ", ".join(f"{chain} {first}-{last}" for chain, (first, last) in sorted(one["lost"].items()))
    said = f"without {lost}" if lost else "nothing was lost"
    if one["anew"]:
        said = "another history began, what was signed before is void"
    return f"restored {_clock(one['at'])} from {safe(one['source'])}: {said}"


def witness_lines(witness: Item | None) -> list[str]:
    """How it stands with the checkpoints outside of the database."""
    if not witness:
        return []
    if not witness["statements"]:
        lines = ["no checkpoints: nothing outside of the database vouches for it"]
    else:
        lines = [f"checkpoints {witness['statements']} in {witness['file']}, the last {_clock(witness['signed_at'])}"]
        lines.append(f"key         {witness['key'] or 'not there'}")
    if witness["bad_lines"]:
        numbers = ", ".join(map(str, witness["bad_lines"]))
        lines.append(f"!! lines {numbers} of it are not as they were signed")
    if witness["unvouched"]:
        lines.append("some were signed with a key that was lost: nobody can vouch for it any more")
    if witness["cause"]:
        lines.append(f"!! {witness['cause']}" + (f"; {witness['fix']}" if witness["fix"] else ""))
    return lines


def _verify_file(door: Door, name: str, key: str) -> int:
    from siems.domain.audit_file import examine

    trusted = _public_key(key)
    try:
        with open(name, encoding="utf-8", errors="replace") as lines:
            found = examine(lines, trusted=trusted)
    except OSError as why:
        raise UsageError(f"{name} cannot be read: {why.strerror}", hint="siems audit export --out FILE") from why
    shown = {
        "ok": found.ok, "file": name, "exported_at": found.at, "key": found.key, "trusted": found.trusted,
        "checkpoints": found.checkpoints, "faults": found.faults[:20],
        "chains": [
            {
                "chain": one.chain, "first": one.first, "entries": one.entries, "ok": one.damage is None,
                "seq": one.damage.seq if one.damage else None, "damage": one.damage.kind if one.damage else None,
                "explanation": one.damage.explanation if one.damage else None,
            }
            for one in found.chains
        ],
    }  # fmt: skip
    show_one(door, shown, _file_verdict, id="ok")
    return 0 if found.ok else 9


def _file_verdict(found: Item) -> list[str]:
    from siems.present import safe

    lines = []
    for chain in found["chains"]:
        state = "ok" if chain["ok"] else f"BROKEN at {chain['seq']}: {chain['damage']} ({chain['explanation']})"
        lines.append(f"{safe(chain['chain']):<24} {chain['entries']:>8} entries from {chain['first']}   {safe(state)}")
    lines += [f"!! {safe(fault)}" for fault in found["faults"]]
    if found["key"]:
        who = {True: "the key that you trust,", False: "ANOTHER key than the one that you trust,", None: "the key"}
        lines.append(f"exported {_clock(found['exported_at'])}, signed by {who[found['trusted']]} {found['key']}")
    if found["trusted"] is None and found["key"]:
        lines.append("is that the key of whoever gave it to you? They see it by siems audit key; then: --key KEY")
    word = "whole" if found["ok"] else "NOT whole"
    return [*lines, f"the file is {word}"]


def _public_key(text: str) -> str:
    """A public key as 64 digits: given, in a file, or that of this machine; nothing where there is none."""
    import re

    from siems import places

    if re.fullmatch(r"[0-9a-fA-F]{64}", text):
        return text.lower()
    path = text or str(places.audit_key_file())
    try:
        with open(path, "rb") as file:
            said = file.read(10_000)
    except OSError as why:
        if not text:
            return ""
        raise UsageError(f"the key {text[:80]} cannot be read: {why.strerror}", hint="64 digits, or a file") from why
    if re.fullmatch(rb"[0-9a-fA-F]{64}", said.strip()):
        return said.strip().decode().lower()
    return _public_of(said, path)


def _public_of(said: bytes, path: str) -> str:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

    from siems.domain.checkpoint import public_text

    try:
        private = b"PRIVATE" in said
        found = serialization.load_pem_private_key(said, None) if private else serialization.load_pem_public_key(said)
    except (ValueError, TypeError) as why:
        raise UsageError(f"{path} holds no key", hint="siems audit key shows yours") from why
    if not isinstance(found, Ed25519PrivateKey | Ed25519PublicKey):
        raise UsageError(f"{path} holds a key of another kind", hint="siems audit key shows yours")
    return public_text(found)
