"""The reader's own keys: `keys.toml` of the configuration folder, action = key."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from siems import places
from siems.tui.actions import BY_ID, DEEDS, forbidden


@dataclass(frozen=True, slots=True)
class Keymap:
    """Action → keys, and a sentence for each line that is left out."""

    keys: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def keymap_file() -> Path:
    return places.config_dir() / "keys.toml"


def read_keymap() -> Keymap:
    """What the reader wants, without what is unknown, forbidden, or means something else on a screen of that action."""
    try:
        wanted = tomllib.loads(keymap_file().read_text())
    except FileNotFoundError:
        return Keymap()
    except (OSError, ValueError) as why:
        return Keymap(faults=[f"it cannot be read: {why}"])
    found = Keymap()
    taken = {(key, where): deed.id for deed in DEEDS if deed.id not in wanted for key in deed.keys
             for where in deed.where}  # fmt: skip
    for name, keys in wanted.items():
        if name not in BY_ID:
            found.faults.append(f"there is no action {name[:30]!r}")
            continue
        given = [key.strip() for key in str(keys).split(",")]
        own = [(key, where) for key in given for where in BY_ID[name].where]
        clash = next((f"{name}: {key} is {taken[key, where]}" for key, where in own if (key, where) in taken), "")
        if bad := next((key for key in given if forbidden(key)), ""):
            clash = f"{name}: {bad} belongs to the terminal"
        if clash:
            found.faults.append(clash)
            continue
        found.keys[name] = ",".join(given)
        taken |= dict.fromkeys(own, name)
    return found
