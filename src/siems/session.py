"""The session of `siems login`: kept in the keyring where there is one, else in a file that only its owner reads."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from siems import errors, places

SERVICE = "siems"
KEYRING_SECONDS = 3.0
EARLY = 60.0


def save(tokens: dict[str, Any], *, insecure: bool = False) -> str:
    """Keep a pair of tokens; where it went, for people: "keyring" or the file's path."""
    secret = json.dumps(tokens)
    if not insecure and _in_time(lambda: _keyring().set_password(SERVICE, "session", secret)):
        places.write_private(places.session_file(), json.dumps({"in": "keyring"}))
        return "keyring"
    places.write_private(places.session_file(), secret)
    return str(places.session_file())


def load() -> dict[str, Any] | None:
    """The pair of tokens, or None when nobody is logged in."""
    try:
        found = json.loads(places.session_file().read_text())
    except (OSError, ValueError):
        return None
    if found.get("in") != "keyring":
        return dict(found)
    kept: list[str | None] = []
    _in_time(lambda: kept.append(_keyring().get_password(SERVICE, "session")))
    return json.loads(kept[0]) if kept and kept[0] else None


def forget() -> None:
    """Nobody is logged in any more."""
    if places.session_file().exists():
        if '"keyring"' in places.session_file().read_text():
            _in_time(lambda: _keyring().delete_password(SERVICE, "session"))
        places.session_file().unlink(missing_ok=True)


def access_token(refresh: Callable[[str], dict[str, Any]]) -> str:
    """A token that is valid for a while yet; renewed when it is about to end. Empty when there is no session."""
    tokens = load()
    if tokens is None:
        return ""
    if float(tokens.get("until", 0)) - EARLY > time.time():
        return str(tokens["access_token"])
    try:
        renewed = refresh(tokens["refresh_token"])
    except errors.NotAuthenticated:
        return ""
    save(with_end(renewed), insecure=True)
    return str(renewed["access_token"])


def with_end(answer: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a login's answer; the end is counted by this machine's clock."""
    return {
        "access_token": answer["access_token"],
        "refresh_token": answer["refresh_token"],
        "until": time.time() + 29 * 60,
    }


def _keyring() -> Any:
    import keyring

    return keyring


def _in_time(work: Callable[[], Any]) -> bool:
    """Whether the keyring did its work within its limit: some wait for a person who is not there."""
    done: list[bool] = []

    def attempt() -> None:
        try:
            work()
        except Exception:  # every keyring has errors of its own
            return
        done.append(True)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(KEYRING_SECONDS)
    return bool(done)
