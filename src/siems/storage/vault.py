"""Secrets that must be read again are kept encrypted; the key lies in a file of its own, outside the database."""

from __future__ import annotations

import os
from base64 import b32encode, b64encode
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from siems.errors import Unavailable
from siems.places import write_private


class Vault:
    """Encrypts and signs with the first of its keys, each of 32 random bytes; reads what any of them has encrypted."""

    def __init__(self, *keys: bytes) -> None:
        self._first = Fernet(keys[0])
        self._fernet = MultiFernet([self._first, *map(Fernet, keys[1:])])
        self.keys = keys

    @classmethod
    def open(cls, path: Path) -> Vault:
        """The vault of a key file, a key in each line; made on first use, readable by its owner only."""
        if not path.exists():
            write_private(path, fresh_key().decode())
        try:
            return cls(*path.read_bytes().split())
        except (OSError, ValueError, IndexError) as why:
            raise Unavailable(
                f"the key file {path} cannot be used ({str(why) if path.stat().st_size else 'it is empty'})",
                hint="restore it from where you keep it: stored secrets cannot be read without it",
            ) from why

    def seal(self, secret: str) -> str:
        return self._fernet.encrypt(secret.encode()).decode()

    def unseal(self, sealed: str) -> str:
        """Raises Unavailable when it was sealed with another key."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as why:
            raise Unavailable(
                "a stored secret cannot be decrypted: the key file is another one", hint="restore secret.key"
            ) from why

    def is_newest(self, sealed: str) -> bool:
        """Whether the first key alone opens it."""
        try:
            self._first.decrypt(sealed.encode())
        except InvalidToken:
            return False
        return True

    def derived(self, purpose: str) -> bytes:
        """A key for one other purpose."""
        return sha256(b"siems:" + purpose.encode() + b":" + self.keys[0]).digest()


def fresh_key() -> bytes:
    """A key nobody has seen."""
    return Fernet.generate_key()


def random_token(prefix: str, size: int = 24) -> str:
    """A token nobody can guess, that can be pasted anywhere: `prefix_` and base 62."""
    alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    value = int.from_bytes(os.urandom(size))
    letters = []
    while value:
        value, rest = divmod(value, 62)
        letters.append(alphabet[rest])
    return f"{prefix}_{''.join(letters)}"


def key_for(tool: str, slug: str) -> str:
    """A key of an integration, in the form that senders of its tool insist on: some look at the length of theirs."""
    match tool:
        case "pagerduty":
            return os.urandom(16).hex()
        case "opsgenie":
            return str(UUID(bytes=os.urandom(16), version=4))
        case "email":  # the local part of an address as well, of which programs change the case: at most 64, small
            return f"{slug[:40].strip('-')}-{b32encode(os.urandom(15)).decode().lower()[:20]}"
        case _:
            return random_token(f"sk_{slug}")


def signing_secret() -> str:
    """A secret for HMAC, in the form that Standard Webhooks gives it: `whsec_` and base 64."""
    return f"whsec_{b64encode(os.urandom(24)).decode()}"


def token_hash(token: str) -> str:
    """What is stored of a token that has enough randomness of its own."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
