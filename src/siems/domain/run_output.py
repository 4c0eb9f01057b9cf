"""What hosts print, as it is kept: without secrets, without what no database takes, and not without end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

HOST_LIMIT = 256 * 1024
RUN_LIMIT = 8 * 1024 * 1024
MASK = "********"
SHORTEST_SECRET = 4
"""Shorter ones would mask half of what is printed, and hide nothing."""


def secrets_of(values: Iterable[str]) -> tuple[str, ...]:
    """What is to be masked, the longest first; of what has several lines each line as well."""
    found = {part for value in values for part in (value, *value.splitlines()) if len(part.strip()) >= SHORTEST_SECRET}
    return tuple(sorted(found, key=lambda one: (-len(one), one)))


class Masker:
    """Masks secrets in what comes in pieces: what may be the beginning of one is held back until it is known."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = secrets_of(secrets)
        self._held = ""

    def feed(self, text: str) -> str:
        """What can be told now."""
        whole = self._masked(self._held + text)
        keep = self._beginning(whole)
        self._held = whole[len(whole) - keep :] if keep else ""
        return whole[: len(whole) - keep].replace("\x00", "�")

    def rest(self) -> str:
        """What was held back, at the end."""
        held, self._held = self._held, ""
        return held.replace("\x00", "�")

    def _masked(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return text

    def _beginning(self, text: str) -> int:
        """How many characters at the end may be the beginning of a secret."""
        longest = 0
        for secret in self._secrets:
            for size in range(min(len(secret) - 1, len(text)), longest, -1):
                if text.endswith(secret[:size]):
                    longest = size
                    break
        return longest


class Meter:
    """How much of a host's output is still kept."""

    def __init__(
        self, host_limit: int = HOST_LIMIT, run_limit: int = RUN_LIMIT, *, used: Mapping[str, int] | None = None
    ) -> None:
        self._host_limit, self._run_limit = host_limit, run_limit
        self._of = dict(used or {})
        self._cut: set[str] = set()
        self.total = sum(self._of.values())

    def take(self, host: str, text: str) -> str:
        """As much of it as is kept; where it stops, it says so once."""
        if host in self._cut:
            return ""
        used = self._of.get(host, 0)
        room = max(0, min(self._host_limit - used, self._run_limit - self.total))
        raw = text.encode("utf-8", "replace")
        kept = raw[:room].decode("utf-8", "ignore")
        size = len(kept.encode())
        self._of[host] = used + size
        self.total += size
        if len(raw) > room:
            self._cut.add(host)
            return f"{kept}\n[cut here: no more than {self._host_limit // 1024} KiB of a host's output is kept]\n"
        return kept

    def of(self, host: str) -> int:
        return self._of.get(host, 0)
