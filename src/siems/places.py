"""Where files lie: the XDG folders, or all of them under SIEMS_HOME.

Kept free of imports that cost time, since every command asks it.
"""

from __future__ import annotations

import os
from pathlib import Path


def _under(variable: str, fallback: str, sub: str) -> Path:
    home = os.environ.get("SIEMS_HOME")
    if home:
        return Path(home) / sub
    base = os.environ.get(variable)
    return (Path(base) if base else Path.home() / fallback) / "siems"


def config_dir() -> Path:
    """Settings, tokens and keys."""
    return _under("XDG_CONFIG_HOME", ".config", "config")


def data_dir() -> Path:
    """The database."""
    return _under("XDG_DATA_HOME", ".local/share", "data")


def state_dir() -> Path:
    """Logs, the last view, what the daemon says of itself."""
    return _under("XDG_STATE_HOME", ".local/state", "state")


def cache_dir() -> Path:
    """What may be deleted at any time."""
    return _under("XDG_CACHE_HOME", ".cache", "cache")


def runtime_dir() -> Path:
    """The daemon's socket: a folder that only its owner may enter."""
    home, runtime = os.environ.get("SIEMS_HOME"), os.environ.get("XDG_RUNTIME_DIR")
    if home:
        return Path(home) / "run"
    return Path(runtime) / "siems" if runtime else state_dir() / "run"


def settings_files() -> list[Path]:
    """Where settings are looked for; the first one that exists is taken."""
    named = os.environ.get("SIEMS_CONFIG")
    if named:
        return [Path(named)]
    here = [] if os.environ.get("SIEMS_HOME") else [Path("siems.toml")]
    return [*here, config_dir() / "siems.toml", Path("/etc/siems/siems.toml")]


def endpoint_file() -> Path:
    """What a running daemon says of itself: socket, URL, process id, as JSON."""
    return state_dir() / "daemon.json"


def key_file() -> Path:
    """What stored secrets are encrypted with: SIEMS_KEY_FILE, for a file that something else puts there."""
    named = os.environ.get("SIEMS_KEY_FILE")
    return Path(named) if named else config_dir() / "secret.key"


def audit_key_file() -> Path:
    """What statements about the audit log are signed with: SIEMS_AUDIT_KEY_FILE, for a file that lies elsewhere."""
    named = os.environ.get("SIEMS_AUDIT_KEY_FILE")
    return Path(named) if named else config_dir() / "audit.key"


def token_file() -> Path:
    """The token that `siems init` made for this user on this machine."""
    return config_dir() / "token"


def session_file(context: str = "local") -> Path:
    """The tokens of `siems login`, where no keyring is to be had: one file for each context."""
    return config_dir() / ("session.json" if context == "local" else f"session-{context}.json")


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, in one step."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(text)
    os.replace(draft, path)
