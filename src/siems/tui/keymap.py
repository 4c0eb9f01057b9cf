"""The reader's own keys: `keys.toml` of the configuration folder, action = key."""

from __future__ import annotations

import tomllib

from siems import places
from siems.tui.actions import BY_ID, DEEDS, forbidden


def read_keymap() -> dict[str, str]:
    """Action → keys, without what is unknown, forbidden or already taken."""
    try:
        wanted = tomllib.loads((places.config_dir() / "keys.toml").read_text())
    except (OSError, ValueError):
        return {}
    taken = {key for deed in DEEDS if deed.id not in wanted for key in deed.keys}
    keymap: dict[str, str] = {}
    for name, keys in wanted.items():
        given = [key.strip() for key in str(keys).split(",")]
        if name in BY_ID and not any(forbidden(key) or key in taken for key in given):
            keymap[name] = ",".join(given)
            taken |= set(given)
    return keymap
