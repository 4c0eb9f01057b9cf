"""URLs of Apprise: what they deliver, what they may not say, and where they may not lead."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from providers import RESET, Provider, Seen, Trouble
from siems.channels import Destination, Refused, TryLater
from siems.errors import InvalidField

from .conftest import Open, message


class Inbox(Provider):
    """Takes anything that is posted."""

    async def answer(self, seen: Seen):  # type: ignore[no-untyped-def]
        from aiohttp import web

        self.take(seen)
        return web.Response(text="ok")


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with Inbox() as made:
        yield made


ALLOWED = {"webhooks": {"allow": "127.0.0.1"}}


def at(inbox: Inbox, path: str = "/canary-token") -> str:
    return inbox.url.replace("http://", "json://") + path


async def test_a_message_is_delivered(inbox: Inbox, opened: Open) -> None:
    channel = opened("apprise", **ALLOWED)
    await channel.send(message(), Destination(address=channel.check(at(inbox), {})))
    [sent] = inbox.taken
    assert sent.json["title"] == "CRITICAL Acme INC-42: High CPU usage on web-01"
    assert "Acknowledge: https://siems.example/a/ack-token" in sent.json["message"]
    assert sent.json["type"] == "failure"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "[::ffff:127.0.0.1]"])
async def test_it_leads_to_nothing_on_this_machine(host: str, inbox: Inbox, opened: Open) -> None:
    port = inbox.url.rpartition(":")[2]
    with pytest.raises((Refused, TryLater)):
        await opened("apprise").send(message(), Destination(address=f"json://{host}:{port}/canary"))
    assert not inbox.seen


async def test_a_redirect_inside_is_not_followed(inbox: Inbox, opened: Open) -> None:
    inbox.then(Trouble(status=307, headers={"Location": "http://[::1]:9/"}))
    with pytest.raises(Refused, match="this machine"):
        await opened("apprise", **ALLOWED).send(message(), Destination(address=at(inbox) + "?redirect=yes"))
    assert len(inbox.seen) == 1


async def test_the_contact_may_lead_inside_where_it_is_allowed_to(inbox: Inbox, opened: Open) -> None:
    to = Destination(address=at(inbox), options={"allow_private": "yes"})
    await opened("apprise").send(message(), to)
    assert len(inbox.taken) == 1


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [(Trouble(status=404), Refused), (Trouble(status=401), Refused), (Trouble(status=429), TryLater),
     (Trouble(status=500), TryLater), (RESET, TryLater)],
)  # fmt: skip
async def test_what_services_answer(trouble: Trouble, kind: type[Exception], inbox: Inbox, opened: Open) -> None:
    inbox.then(trouble)
    with pytest.raises(kind) as told:
        await opened("apprise", **ALLOWED).send(message(), Destination(address=at(inbox)))
    assert "canary" not in str(told.value)


@pytest.mark.parametrize(
    "bad",
    [
        "", "hello", "nosuch://x/y", "https://", "discord://", "syslog://", "dbus://", "mqtt://127.0.0.1/topic",
        "mailto://user:word@mail.example", "discord://123/abc?template=/etc/passwd", "windows://",
        "workflow://host/a/b?Template=x.json", "json://host/?+template=x", "json://host/?verify=no",
        "json://host/?retry=99",
    ],
)  # fmt: skip
async def test_what_is_not_taken(bad: str, opened: Open) -> None:
    with pytest.raises(InvalidField):
        opened("apprise").check(bad, {})
    with pytest.raises(Refused):
        await opened("apprise").send(message(), Destination(address=bad))
