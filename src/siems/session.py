"""The session of `siems login`: kept in the keyring where there is one, else in a file that only its owner reads."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from siems import contexts, errors, places

SERVICE = "siems"
KEYRING_SECONDS = 3.0
EARLY = 60.0


def _file() -> Path:
    return places.session_file(contexts.chosen().name)


def _entry(context: str) -> str:
    """What the keyring calls the session of a context."""
    return "session" if context == contexts.LOCAL else f"session:{context}"


def save(tokens: dict[str, Any], *, insecure: bool = False) -> str:
    """Keep a pair of tokens; where it went, for people: "keyring" or the file's path."""
    secret = json.dumps(tokens)
    if not insecure and _in_time(lambda: _keyring().set_password(SERVICE, _entry(contexts.chosen().name), secret)):
        places.write_private(_file(), json.dumps({"in": "keyring"}))
        return "keyring"
    places.write_private(_file(), secret)
    return str(_file())


def load() -> dict[str, Any] | None:
    """The pair of tokens, or None when nobody is logged in. Raises NotAuthenticated when the keyring keeps silent."""
    try:
        found = json.loads(_file().read_text())
    except (OSError, ValueError):
        return None
    if not _in_keyring(found):
        return dict(found)
    kept: list[str | None] = []
    if (
        not _in_time(lambda: kept.append(_keyring().get_password(SERVICE, _entry(contexts.chosen().name))))
        or not kept[0]
    ):
        raise errors.NotAuthenticated(
            "the session is in the keyring, and the keyring does not give it out",
            hint="unlock it, or begin another session:  siems login --insecure-storage",
        )
    return dict(json.loads(kept[0]))


def forget(context: str = "") -> None:
    """Nobody is logged in any more, in this context or the one in use."""
    name = context or contexts.chosen().name
    kept = places.session_file(name)
    if kept.exists():
        if '"keyring"' in kept.read_text():
            _in_time(lambda: _keyring().delete_password(SERVICE, _entry(name)))
        kept.unlink(missing_ok=True)


def move(context: str, to: str) -> None:
    """The session of a context goes on under another name; one that lies in the keyring is to be begun again."""
    kept = places.session_file(context)
    if not kept.exists():
        return
    if '"keyring"' in kept.read_text():
        forget(context)
    else:
        kept.rename(places.session_file(to))


def access_token(refresh: Callable[[str], dict[str, Any]]) -> str:
    """A token that is valid for a while yet; renewed when it is about to end. Empty when there is no session.

    Raises NotAuthenticated when the session has ended: nobody should go on as somebody else without knowing.
    """
    tokens = load()
    if tokens is None:
        return ""
    return str(tokens["access_token"]) if _lasts(tokens) else _renewed(refresh)


def _lasts(tokens: dict[str, Any]) -> bool:
    return float(tokens.get("until", 0)) - EARLY > time.time()


def _renewed(refresh: Callable[[str], dict[str, Any]]) -> str:
    """A refresh token works once, and both ends of a pipe want to renew at the same moment: the second one waits."""
    import fcntl

    with open(_file().with_name(".session.lock"), "w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        tokens = load()
        if tokens is None:
            return ""
        if _lasts(tokens):
            return str(tokens["access_token"])
        try:
            renewed = refresh(tokens["refresh_token"])
        except errors.NotAuthenticated as ended:
            raise errors.NotAuthenticated(
                "the session has ended", hint="siems login;  or  siems logout  to go on with this machine's token"
            ) from ended
        save(with_end(renewed), insecure=not _in_keyring(json.loads(_file().read_text())))
        return str(renewed["access_token"])


def _in_keyring(found: dict[str, Any]) -> bool:
    return found.get("in") == "keyring"


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
