"""Addresses that people give: nothing leaves for this machine or its networks (a canary listens and hears nothing)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers import DRIP, RESET, Trouble
from providers.hook import SECRET, Receiver
from siems.channels import Destination, Refused, TryLater
from siems.channels.calling import LARGEST_ANSWER, Call
from siems.channels.outward import Outward
from siems.channels.webhook import Webhook
from siems.config import Webhooks
from siems.errors import InvalidField
from siems.outward import forbidden

from .conftest import message, settings

INSIDE = {"allow_private": "yes"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


class Canary:
    """A listener that must not be spoken to."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.port = self.socket.getsockname()[1]

    @property
    def silent(self) -> bool:
        """Nobody has connected: a connection would be waiting to be accepted."""
        try:
            self.socket.accept()[0].close()
        except BlockingIOError:
            return True
        return False


@pytest.fixture
def canary() -> Iterator[Canary]:
    made = Canary()
    yield made
    made.socket.close()


LOOPBACK = (
    "127.0.0.1", "127.1", "127.0.0.2", "0.0.0.0", "0", "2130706433", "0x7f000001", "0x7f.1", "017700000001",
    "0177.0.0.1", "localhost", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::127.0.0.1]",
)  # fmt: skip
OTHERS = (
    "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "100.100.100.200", "168.63.129.16",
    "192.0.0.192", "224.0.0.1", "255.255.255.255", "240.0.0.1", "198.18.0.1", "192.88.99.1", "192.0.2.1",
    "[fd00:ec2::254]", "[fe80::1]", "[fc00::1]", "[ff02::1]", "[2001:db8::1]", "[64:ff9b:1::1]", "[2001::1]",
    "[fec0::1]", "[100::1]", "[5f00::1]",
)  # fmt: skip


@pytest.mark.parametrize("host", LOOPBACK)
async def test_nothing_that_means_this_machine_is_called(host: str, canary: Canary) -> None:
    outward = Outward(Webhooks(), "the webhook")
    with pytest.raises(Refused):
        await outward.post(Call(url=f"http://{host}:{canary.port}/"), {})
    assert canary.silent
    await outward.close()


@pytest.mark.parametrize("host", [*LOOPBACK, *OTHERS])
async def test_what_can_be_seen_to_be_inside_is_refused_when_it_is_given(host: str) -> None:
    outward = Outward(Webhooks(), "the webhook")
    if host == "localhost":
        assert outward.check(f"https://{host}/", {})  # a name: what it means shows when it is called
    else:
        with pytest.raises(InvalidField):
            outward.check(f"https://{host}/", {})
        with pytest.raises(Refused):
            await outward.post(Call(url=f"https://{host}/"), {})
    await outward.close()


@pytest.mark.parametrize("inner", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fe80::1%eth0", "fd00:ec2::254"])
async def test_a_name_that_leads_inside_is_not_called_even_if_it_leads_outside_too(inner: str, canary: Canary) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["93.184.215.14", inner]

    outward = Outward(Webhooks(), "the webhook", resolve=resolve)
    with pytest.raises(Refused, match="leads to") as told:
        await outward.post(Call(url=f"http://hooks.example:{canary.port}/"), {})
    assert inner.partition("%")[0] not in str(told.value)
    assert canary.silent
    await outward.close()


async def test_a_name_that_means_something_else_a_moment_later_changes_nothing(
    canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    tried: list[str] = []

    async def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["93.184.215.14"] if len(asked) == 1 else ["127.0.0.1"]

    def refuse(self: socket.socket, address: tuple[str, int]) -> None:
        tried.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", refuse)
    outward = Outward(Webhooks(), "the webhook", resolve=rebinding)
    with pytest.raises(TryLater, match="cannot be reached"):
        await outward.post(Call(url=f"http://hooks.example:{canary.port}/"), {})
    assert (asked, tried) == (["hooks.example"], ["93.184.215.14"])
    with pytest.raises(Refused, match="this machine"):
        await outward.post(Call(url=f"http://hooks.example:{canary.port}/"), {})
    assert tried == ["93.184.215.14"]
    assert canary.silent
    await outward.close()


async def test_the_server_is_told_the_name_and_the_connection_goes_to_the_address(receiver: Receiver) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    port = receiver.url.rpartition(":")[2]
    outward = Outward(Webhooks(), "the webhook", resolve=resolve)
    answer = await outward.post(Call(url=f"http://hooks.example:{port}/a?b=c", content=b"x"), INSIDE)
    assert answer.status == 401
    assert receiver.seen[0].headers["Host"] == f"hooks.example:{port}"
    assert receiver.seen[0].path == "/a?b=c"
    await outward.close()


async def test_another_address_of_the_name_is_tried_when_nobody_answers_at_the_first(receiver: Receiver) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.2", "127.0.0.1"]

    port = receiver.url.rpartition(":")[2]
    outward = Outward(Webhooks(allow="127.0.0.2, 127.0.0.1"), "the webhook", resolve=resolve)
    monkey = pytest.MonkeyPatch()
    real = socket.socket.connect

    def connect(self: socket.socket, address: tuple[str, int]) -> None:
        if address[0] == "127.0.0.2":
            raise ConnectionRefusedError
        real(self, address)

    monkey.setattr(socket.socket, "connect", connect)
    try:
        assert (await outward.post(Call(url=f"http://hooks.example:{port}/"), {})).status == 401
    finally:
        monkey.undo()
    await outward.close()


@pytest.mark.parametrize(
    ("allow", "options", "fine"),
    [
        ("", {}, False), ("", {"allow_private": "no"}, False), ("", INSIDE, True), ("127.0.0.0/8", {}, True),
        ("10.0.0.0/8, 127.0.0.1", {}, True), ("10.0.0.0/8", {}, False), ("hooks.example", {}, False),
    ],
)  # fmt: skip
async def test_settings_or_the_contact_open_inner_networks(
    allow: str, options: dict[str, str], fine: bool, receiver: Receiver
) -> None:
    webhook = Webhook(settings(webhooks={"allow": allow, "secret": SECRET}))
    if fine:
        address = webhook.check(receiver.url, options)
        await webhook.send(message(), Destination(address=address, options=options))
        assert len(receiver.taken) == 1
    else:
        with pytest.raises(Refused):
            await webhook.send(message(), Destination(address=receiver.url, options=options))
        assert not receiver.seen
    await webhook.close()


async def test_a_host_can_be_allowed_by_its_name(receiver: Receiver) -> None:
    port = receiver.url.rpartition(":")[2]
    outward = Outward(Webhooks(allow="LocalHost"), "the webhook")
    assert (await outward.post(Call(url=f"http://localhost:{port}/"), {})).status == 401
    await outward.close()


def test_a_contact_opens_no_metadata_service() -> None:
    for address in ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "::ffff:127.0.0.1"):
        assert forbidden(ip_address(address), private=True)


@given(st.ip_addresses(v=4))
def test_whatever_python_knows_to_be_inside_is_refused(address: IPv4Address) -> None:
    if not address.is_global or address.is_multicast:
        assert forbidden(address)


@given(st.ip_addresses(v=6))
def test_of_ipv6_only_what_is_given_to_the_internet_is_called(address: IPv6Address) -> None:
    if not forbidden(address):
        assert address.is_global
        assert address in IPv6Network("2000::/3")


@pytest.mark.parametrize(
    "url",
    [
        "", "hooks.example", "ftp://hooks.example/", "file:///etc/passwd", "https://", "https:///x",
        "https://user:word@hooks.example/", "https://good.example\\@127.0.0.1/", "https://a b/", "https://x%00.example/",
        "https://hooks.example/\r\nX: y", "gopher://127.0.0.1:25/_HELO", "https://[fe80::1%25eth0]/",
        "https://" + "a" * 3000,
        "https://hooks.example:99999/",
    ],
)  # fmt: skip
def test_what_is_no_plain_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidField, match="address"):
        Outward(Webhooks(), "the webhook").check(url, {})


async def test_a_redirect_is_not_followed(receiver: Receiver, canary: Canary) -> None:
    receiver.then(Trouble(status=302, headers={"Location": f"http://127.0.0.1:{canary.port}/"}))
    webhook = Webhook(settings(webhooks={"secret": SECRET}))
    with pytest.raises(Refused, match="redirects"):
        await webhook.send(message(), Destination(address=receiver.url, options=INSIDE))
    assert canary.silent
    await webhook.close()


async def test_an_endless_answer_is_read_no_further_than_needed(receiver: Receiver) -> None:
    receiver.then(Trouble(flood=50_000_000))
    outward = Outward(Webhooks(), "the webhook")
    assert len((await outward.post(Call(url=receiver.url), INSIDE)).body) == LARGEST_ANSWER
    await outward.close()


@pytest.mark.parametrize("trouble", [RESET])
async def test_a_connection_that_breaks_is_tried_later(receiver: Receiver, trouble: Trouble) -> None:
    receiver.then(trouble)
    webhook = Webhook(settings(webhooks={"secret": SECRET}))
    with pytest.raises(TryLater, match="broke off"):
        await webhook.send(message(), Destination(address=receiver.url, options=INSIDE))
    assert len(receiver.taken) == 1, "it was taken, and nobody told us"
    await webhook.send(message(), Destination(address=receiver.url, options=INSIDE))
    assert (len(receiver.seen), len(receiver.taken)) == (2, 1), "the same key: the receiver knows it"
    await webhook.close()


async def test_who_gives_up_on_a_dripping_answer_can_go_on(receiver: Receiver) -> None:
    receiver.then(DRIP)
    webhook = Webhook(settings(webhooks={"secret": SECRET}))
    to = Destination(address=receiver.url, options=INSIDE)
    sending = asyncio.create_task(webhook.send(message(), to))
    await receiver.until_seen(1)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    await webhook.send(message(), to)
    assert len(receiver.taken) == 1
    await webhook.close()
