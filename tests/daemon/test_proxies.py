"""Networks of a key behind proxies: who a proxy of ours speaks for is let in, and nobody else can say so."""

from __future__ import annotations

import json

import pytest

from siems.clock import ManualClock
from siems.config import Server
from siems.errors import UsageError

from .house import ALERT, House, open_house

CLIENT = "198.51.100.7"


async def allowed(house: House, forwarded: str, *, chunked: bool = False) -> int:
    """The status of an alert with a key that is good from the client's network only."""
    body = json.dumps(ALERT).encode()
    headers = [*house.signed(body), ("X-Forwarded-For", forwarded)]
    if chunked:
        headers.append(("Transfer-Encoding", "chunked"))
        return (
            await house.send("POST", "/api/webhooks/alerts", headers, b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        ).status
    return (await house.send("POST", "/api/webhooks/alerts", headers, body)).status


async def restrict(house: House) -> None:
    reply = await house.ask("root", "PATCH", "/integrations/int-acme-generic-1", {"networks": [f"{CLIENT}/32"]})
    assert reply.status == 200
    await house.runtime.reload_keys()


@pytest.mark.parametrize("chunked", [False, True], ids=["plain", "through aiohttp"])
async def test_a_proxy_of_ours_speaks_for_its_clients(file: str, clock: ManualClock, chunked: bool) -> None:
    async with open_house(file, clock, trusted_proxies="127.0.0.0/8, 10.0.0.0/8") as house:
        await restrict(house)
        for forwarded, status in (
            (CLIENT, 202), (f"192.0.2.1, {CLIENT}", 202), (f"{CLIENT}, 10.1.1.1", 202), (f"{CLIENT}, 192.0.2.1", 401),
            ("192.0.2.1", 401), (f"{CLIENT}, unknown", 401), ("", 401),
        ):  # fmt: skip
            assert await allowed(house, forwarded, chunked=chunked) == status, forwarded
        listed = (await house.ask("root", "GET", "/rejections")).json()["items"]
        assert "192.0.2.1" in {item["address"] for item in listed}


@pytest.mark.parametrize("chunked", [False, True], ids=["plain", "through aiohttp"])
async def test_without_proxies_nobody_is_believed(file: str, clock: ManualClock, chunked: bool) -> None:
    async with open_house(file, clock) as house:
        await restrict(house)
        assert await allowed(house, CLIENT, chunked=chunked) == 401


def test_a_network_that_is_none_is_a_mistake_in_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    from siems.config import load

    assert [str(one) for one in Server(trusted_proxies="10.0.0.1/8, ::1").proxies] == ["10.0.0.0/8", "::1/128"]
    monkeypatch.setenv("SIEMS_SERVER_TRUSTED_PROXIES", "the proxy")
    with pytest.raises(UsageError, match=r"server\.trusted_proxies"):
        load()
