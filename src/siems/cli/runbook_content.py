"""`siems runbook diff|approve-content`: reading what somebody else wrote, and vouching for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from siems import errors
from siems.cli.context import Door, leaf
from siems.cli.runbook_card import card, counts_as, flag, whose
from siems.cli.show import Item, show_one

Name = Annotated[str, typer.Argument(metavar="NAME", help="high-cpu-fix")]
Company = Annotated[str, typer.Option("--company", help="acme; msp is what every client may use")]


@leaf
def diff(
    door: Door,
    name: Name,
    company: Company = "",
    against: Annotated[str, typer.Option("--against", help="version 3, or library; else what was there before")] = "",
) -> None:
    """What is different from the version before, or from what ships under this name.

    siems runbook diff restart-service --company acme --against library
    """
    found = door.client.runbook(name, company=company)
    other = against or _before(found)
    if not other:
        raise errors.NotFound(
            f"there is nothing to compare {name} with", hint=f"siems runbook show {name}{flag(found)}"
        )
    lines = _compared(door, found, other)
    item = {"id": found["name"], "name": found["name"], "from": other, "to": str(found["version"]), "diff": lines}
    show_one(door, item, lambda d: d["diff"] or [f"{name} is the same text as {_version(other)}"])


def _before(found: Item) -> str:
    """What a runbook is compared with when nobody says: the version before, else what ships."""
    older = [str(v["version"]) for v in found["versions"] if v["version"] < found["version"]]
    return older[0] if older else ("library" if found["hides"] == "library" else "")


def _compared(door: Door, found: Item, other: str) -> list[str]:
    from difflib import unified_diff

    from siems.present import safe

    company = "" if found["origin"] == "library" else found["company_id"]
    before = door.client.runbook_text(found["name"], company=company, version=other)["text"]
    sides = (before.splitlines(), found["text"].splitlines())
    names = (f"{found['name']} {_version(other)}", f"{found['name']} {_version(str(found['version']))}")
    return [safe(text) for text in unified_diff(*sides, *names, lineterm="")]


def _version(word: str) -> str:
    return "as it ships" if word in ("library", "0") else f"version {word}"


@leaf
def approve_content(
    door: Door,
    name: Name,
    company: Company = "",
    risk: Annotated[str, typer.Option("--risk", help="low, medium or high; not less than it declares")] = "",
    digest: Annotated[str, typer.Option("--digest", help="the text that was read, by its SHA-256")] = "",
    withdraw: Annotated[bool, typer.Option("--withdraw", help="take the approval back: it counts as HIGH")] = False,
) -> None:
    """You have read this text, and it does what it says: from now on it counts as the risk that it declares.

    For admins, and never for one's own text as long as there is another admin.

    siems runbook approve-content vpn-bounce --company acme --confirm vpn-bounce
    """
    found = door.client.runbook(name, company=company)
    if digest and not (len(digest) >= 12 and found["digest"].startswith(digest.lower())):
        raise errors.StaleVersion(
            f"{name} has the digest {found['digest'][:12]}, not {digest[:64]}",
            hint=f"siems runbook show {name}{flag(found)}",
        )
    if not withdraw and not found["approved"] and door.interactive:
        for text in _read_before(door, found):
            print(text)
    what = f"{'take back the approval of' if withdraw else 'approve'} {found['name']} {whose(found)}"
    door.sure(what, found["name"])
    done = door.client.approve_runbook(
        found["name"], company=found["company_id"], digest=found["digest"], risk=risk, withdraw=withdraw or None,
        reason=door.reason,
    )  # fmt: skip
    said = ("approved" if not withdraw else "approval taken back") if done["changed"] else "already so, nothing changed"
    show_one(door, {**done["runbook"], "changed": done["changed"]}, lambda r: [line(door, r, said)])


def _read_before(door: Door, found: Item) -> Sequence[str]:
    """What is new to an admin: the difference from what was approved last, else the whole."""
    approved = [str(v["version"]) for v in found["versions"] if v["approved"]]
    if approved:
        return _compared(door, found, approved[0])
    return card(found)


def line(door: Door, r: Item, said: str) -> str:
    """What became of it, in one line."""
    again = " (dry run, nothing is written)" if door.dry_run else ""
    return f"{r['name']}: {said}, {whose(r)}; {counts_as(r)}{again}"
