"""Replacing and ending keys: what `siems integration` and `siems company` share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from siems.cli.context import Door
from siems.cli.show import Item, show_one


def ending(text: str) -> str | None:
    if not text:
        return None
    from siems.moments import moment

    return moment(text).isoformat()


def secretly(door: Door, file: str, work: Callable[[], Item]) -> None:
    """Make something with secrets and show them: to people, as data, or into a file and nowhere else."""
    from siems.cli.secrets import unsaid, variables, written_to
    from siems.cli.ways import steps

    if door.dry_run:
        show_one(door, unsaid(work()), lambda m: [f"{m['tool']} of {m['company_id']}: it would work"], id="company_id")
        return
    if not file or (file == "-" and door.json):
        made = work()
        show_one(door, made, steps if made["api_key"] or made["queue_url"] else _secret_alone, id="integration_id")
        return
    with written_to(file) as out:
        made = work()
        out.write(variables(made))
    if file != "-":
        show_one(door, {**unsaid(made), "secrets_file": file}, lambda m: [f"{m['integration_id']}: secrets in {file}"],
                 id="integration_id")  # fmt: skip


def _secret_alone(made: Item) -> list[str]:
    """A secret was replaced and the key was not."""
    if made["hmac_secret"] is None:
        return [f"{made['integration_id']}: the secret is kept, encrypted"]
    return [
        f"{made['integration_id']} has a new secret, shown this once:", "", f"  HMAC secret   {made['hmac_secret']}"
    ]  # fmt: skip


def rotated(door: Door, ref: str, *, what: str, overlap: str, secrets_file: str, **more: Any) -> None:
    """Rotate, and tell until when the old ones are taken."""
    from siems.cli.show import at
    from siems.moments import seconds

    lasts = 0 if overlap in ("0", "none") else seconds(overlap)
    until: list[str] = []

    def work() -> Item:
        made = door.client.rotate_integration(ref, what=what, overlap_seconds=lasts, reason=door.reason, **more)
        until.append(made["old_until"] or "")
        return made

    secretly(door, secrets_file, work)
    if until and until[0] and not door.dry_run:
        door.say(f"\nwhat was replaced is taken until {at(until[0])}")


def revoked(door: Door, ref: str, *, old: bool) -> None:
    """Revoke after it was confirmed."""
    if not old:
        door.sure(f"{ref} will be refused from now on, for good", ref)
    done = door.client.revoke_integration(ref, old=old, reason=door.reason)
    said = ("what was replaced has ended" if old else "revoked") if done["changed"] else "as before"
    show_one(door, done, lambda d: [f"{d['integration_id']}: {said}"], id="integration_id")
