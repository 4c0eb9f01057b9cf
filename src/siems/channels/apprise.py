"""Any URL of Apprise that speaks HTTP: Discord, Telegram, Matrix, Gotify and some hundred more.

Apprise makes its own connections, so they are watched: one that would lead inside is stopped before a packet leaves.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qsl

from siems.channels import Accepted, Destination, Message, Refused, TryLater
from siems.channels.calling import AGAIN
from siems.channels.outward import Outward
from siems.channels.rendering import plain, title
from siems.channels.threads import Threads
from siems.config import Settings
from siems.errors import InvalidField
from siems.outward import Address
from siems.vocabulary import Severity

PROVIDER = "Apprise"
FILES = frozenset({"template", "keyfile", "subfile", "pgp", "pgppub", "pgpprv", "file_url", "retry", "wait", "verify"})
"""What an address may not say: names of files of this machine, long waits, and to trust anybody."""
KINDS = {Severity.CRITICAL: "failure", Severity.HIGH: "failure", Severity.MEDIUM: "warning", Severity.LOW: "info"}
_STATUS = re.compile(r"error=(\d{3})\b")


class Apprise:
    """`discord://…`, `tgram://…`. Options: `allow_private`."""

    def __init__(self, settings: Settings) -> None:
        self._outward = Outward(settings.webhooks, PROVIDER)
        self._threads = Threads("apprise")
        _listen()

    def check(self, address: str, options: Mapping[str, str]) -> str:
        _opened(address)
        return address.strip()

    async def send(self, message: Message, to: Destination) -> Accepted:
        failed = await self._threads.run(self._sent, message, to)
        if failed is not None:
            raise failed
        return Accepted()

    def _sent(self, message: Message, to: Destination) -> Refused | TryLater | None:
        """On a thread: what went wrong, None when it was taken."""
        library = _library()
        try:
            service = _opened(to.address)
        except InvalidField as why:
            return Refused(f"{PROVIDER}: {why.message}")
        told = library.conversion.convert_between(
            library.NotifyFormat.TEXT, service.notify_format, plain(message, longest=3_500)
        )
        kind = library.NotifyType(KINDS[message.severity])
        with _watched(lambda host, found: self._outward.doubt(host, found, to.options)) as seen:
            try:  # straight to the plug-in: Apprise's own threads are few, and one that hangs would hold up all
                done = service.notify(body=told, title=title(message, 200), notify_type=kind)
            except Exception as why:  # a plug-in lets through whatever happens in it, with the address in its words
                return (
                    Refused(_inside(seen)) if seen.inside else TryLater(f"{PROVIDER} broke off ({type(why).__name__})")
                )
        return None if done else _why(seen)

    async def close(self) -> None:
        self._threads.close()
        await self._outward.close()


def _why(seen: _Seen) -> Refused | TryLater:
    """Apprise says yes or no; why not it only writes down."""
    if seen.inside:
        return Refused(_inside(seen))
    codes = [int(code) for code in _STATUS.findall(" ".join(seen.written))]
    if codes and 300 <= codes[-1] < 500 and codes[-1] not in AGAIN:
        return Refused(f"{PROVIDER}: the service answered {codes[-1]}")
    return TryLater(f"{PROVIDER}: the service answered {codes[-1]}" if codes else f"{PROVIDER} could not deliver it")


def _inside(seen: _Seen) -> str:
    return f"{PROVIDER}: the address leads to {seen.inside}"


def _opened(address: str) -> Any:
    """Apprise's own object for a URL. Raises InvalidField."""
    library = _library()
    given = address.strip()
    scheme, _, rest = given.partition("://")
    if not rest or not scheme.isalnum():
        raise InvalidField("this is no URL of Apprise", hint="such as discord://webhook_id/webhook_token")
    said = {key.strip().lower().lstrip("+-:") for key, _ in parse_qsl(rest.partition("?")[2], keep_blank_values=True)}
    if said & FILES:
        raise InvalidField(f"{', '.join(sorted(said & FILES))} is not taken in an address", hint="leave it out")
    asset = library.AppriseAsset(secure_logging=True, async_mode=False, interpret_escapes=False)
    made: Any = library.Apprise.instantiate(given, asset=asset, suppress_exceptions=True)
    if made is None:
        raise InvalidField(f"Apprise does not understand this {scheme}:// address", hint="its wiki shows the form")
    if not hasattr(sys.modules[type(made).__module__], "requests"):
        raise InvalidField(f"{scheme}:// does not speak HTTP, so it is not used", hint="siems has a channel for mail")
    if getattr(made, "template", None):
        raise InvalidField("template is not taken in an address", hint="leave it out")
    return made


@lru_cache(maxsize=1)
def _library() -> Any:
    """Apprise with its plug-ins: a second to import, with warnings about Python that are none of ours."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import apprise
        import apprise.conversion

        apprise.Apprise.instantiate("json://localhost")
    return apprise


# --- what its threads connect to, and write down ---------------------------------------------------------------


@dataclass
class _Seen:
    """Of one message: who is asked about addresses, what was inside, what was written down."""

    doubt: Callable[[str, Address], str]
    inside: str = ""
    written: list[str] = field(default_factory=list)


_sending: ContextVar[_Seen | None] = ContextVar("siems_apprise", default=None)
_CONNECTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})


@contextmanager
def _watched(doubt: Callable[[str, Address], str]) -> Iterator[_Seen]:
    seen = _Seen(doubt)
    token = _sending.set(seen)
    try:
        yield seen
    finally:
        _sending.reset(token)


def _watch(event: str, args: tuple[Any, ...]) -> None:
    """An audit hook of Python: it sees the very address of a connection, after every name was resolved."""
    if event not in _CONNECTS:
        return
    seen = _sending.get()
    if seen is None:
        return
    given = args[1] if len(args) > 1 else None
    host = given[0] if isinstance(given, tuple) else ""
    try:
        why = seen.doubt("", ip_address(host.partition("%")[0]))
    except ValueError:
        why = "no address"
    if why:
        seen.inside = why
        raise ConnectionRefusedError(f"the address leads to {why}")


class _Notes(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        seen = _sending.get()
        if seen is not None and len(seen.written) < 100:
            seen.written.append(record.getMessage()[:500])


_begun = threading.Lock()
_listening = False


def _listen() -> None:
    """Once per process: hooks cannot be taken away, and Apprise writes more than it should."""
    global _listening
    with _begun:
        if not _listening:
            _listening = True
            sys.addaudithook(_watch)
            logging.getLogger("urllib3").setLevel(logging.ERROR)  # it writes down whole addresses
            written = logging.getLogger("apprise")
            written.propagate = False
            written.setLevel(logging.INFO)
            written.addHandler(_Notes())
