"""The key that signs statements about the audit log: a file of its own, outside of the database and its folder."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from siems.errors import Unavailable
from siems.places import write_private

_RESTORE = "restore it from where you keep it; if it is lost:  siems audit rotate-key --lost"


def read_key(path: Path) -> Ed25519PrivateKey | None:
    """The key in a file; None where there is no file. Raises Unavailable for one that cannot be used."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as why:
        raise Unavailable(
            f"the key {path} cannot be read ({why.strerror})", hint="chmod 600, and our own user"
        ) from why
    try:
        found = serialization.load_pem_private_key(text, password=None)
    except (ValueError, TypeError) as why:
        raise Unavailable(f"{path} holds no key", hint=_RESTORE) from why
    if not isinstance(found, Ed25519PrivateKey):
        raise Unavailable(f"the key in {path} is of another kind than Ed25519", hint=_RESTORE)
    return found


def new_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def write_key(path: Path, key: Ed25519PrivateKey) -> None:
    """Keep a key for its owner's eyes alone, in the form that openssl reads. Raises Unavailable."""
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        write_private(path, text.decode())
    except OSError as why:
        raise Unavailable(
            f"the key {path} cannot be written ({why.strerror})", hint="make room, or another place"
        ) from why


def provide(path: Path) -> None:
    """Make a key where there is none."""
    if read_key(path) is None:
        write_key(path, new_key())


def faults(path: Path, data: Path) -> list[tuple[str, str]]:
    """(what is wrong with where a key lies, what to do), for `doctor`."""
    found = []
    try:
        if path.stat().st_mode & 0o077:
            found.append((f"the key {path} can be read by others", f"chmod 600 {path}"))
    except OSError:
        return [(f"the key {path} is gone: only the daemon that runs still has it", _RESTORE)]
    if Path(os.path.realpath(path)).is_relative_to(os.path.realpath(data)):
        found.append(
            (f"the key {path} lies in the folder of the database", "move it, and name it in SIEMS_AUDIT_KEY_FILE")
        )
    return found
