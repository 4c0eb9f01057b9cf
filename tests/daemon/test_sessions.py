"""Logging in, renewing, logging out, and tokens that somebody made up."""

from __future__ import annotations

import base64
import hmac
import json
from hashlib import sha512
from typing import Any

import jwt
import pytest
from sqlalchemy import text

from siems.clock import ManualClock
from siems.domain.permissions import ALLOWED, Permission
from siems.vocabulary import Role

from .house import PASSWORD, House, Reply


async def login(house: House, user: str = "root", password: str = PASSWORD) -> Reply:
    return await house.send("POST", "/api/v1/auth/login", (), json.dumps({"user": user, "password": password}).encode())


async def renew(house: House, token: str) -> Reply:
    return await house.send("POST", "/api/v1/auth/refresh", (), json.dumps({"refresh_token": token}).encode())


async def me(house: House, token: str) -> Reply:
    return await house.send("GET", "/api/v1/me", [("Authorization", f"Bearer {token}")])


async def test_everybody_is_told_what_their_role_allows(door: House) -> None:
    """Consoles offer what stands there, and no table of their own."""
    for role in Role:
        await door.hire(role.value, role, "comp-acme")
        told = (await me(door, door.tokens[role.value])).json()["may"]
        assert told == [one.name.lower() for one in Permission if role in ALLOWED[one]]
        assert ("administer" in told) is (role is Role.ADMIN)


@pytest.mark.parametrize("user", ["root", "user-root", "root@msp.example", "ROOT@msp.example"])
async def test_a_login_gives_a_pair_of_tokens_that_work(house: House, user: str) -> None:
    reply = await login(house, user)
    assert reply.status == 200
    assert reply.headers["cache-control"] == "no-store"
    assert (await me(house, reply.json()["access_token"])).json()["user"]["id"] == "user-root"


async def test_a_wrong_password_and_an_unknown_user_are_answered_alike(door: House) -> None:
    wrong, unknown = await login(door, "root", "wrong"), await login(door, "nobody", PASSWORD)
    assert wrong.status == unknown.status == 401
    assert wrong.body == unknown.body


async def test_guessing_passwords_is_slowed_down(door: House) -> None:
    replies = [await login(door, "nobody", "x") for _ in range(14)]
    assert replies[0].status == 401
    assert replies[-1].status == 429
    assert int(replies[-1].headers["retry-after"]) >= 1


async def test_an_access_token_ends_after_half_an_hour_and_is_renewed(house: House, clock: ManualClock) -> None:
    pair = (await login(house)).json()
    clock.advance(minutes=29)
    assert (await me(house, pair["access_token"])).status == 200
    clock.advance(minutes=1)
    assert (await me(house, pair["access_token"])).status == 401
    fresh = (await renew(house, pair["refresh_token"])).json()
    assert (await me(house, fresh["access_token"])).status == 200
    assert fresh["refresh_token"] != pair["refresh_token"]


async def test_a_refresh_token_that_is_used_twice_ends_the_whole_session(house: House) -> None:
    pair = (await login(house)).json()
    fresh = (await renew(house, pair["refresh_token"])).json()
    assert (await renew(house, pair["refresh_token"])).status == 401
    assert (await renew(house, fresh["refresh_token"])).status == 401
    assert (await me(house, fresh["access_token"])).status == 401
    assert (await login(house)).status == 200


async def test_a_refresh_token_ends_after_a_week(house: House, clock: ManualClock) -> None:
    pair = (await login(house)).json()
    clock.advance(hours=24 * 7)
    assert (await renew(house, pair["refresh_token"])).status == 401


async def test_a_logout_ends_both_tokens_and_no_other_session(house: House) -> None:
    first, second = (await login(house)).json(), (await login(house)).json()
    body = json.dumps({"refresh_token": first["refresh_token"]}).encode()
    assert (await house.send("POST", "/api/v1/auth/logout", (), body)).status == 200
    assert (await me(house, first["access_token"])).status == 401
    assert (await renew(house, first["refresh_token"])).status == 401
    assert (await me(house, second["access_token"])).status == 200


async def test_a_disabled_user_is_out_at_once(house: House) -> None:
    await house.hire("ana", Role.TECHNICIAN, "comp-acme")
    pair = (await login(house, "ana")).json()
    disable = text("UPDATE user_account SET disabled = true WHERE name = 'ana'")
    await house.do(lambda uow: uow.connection.execute(disable) and None)
    assert (await me(house, pair["access_token"])).status == 401
    assert (await me(house, house.tokens["ana"])).status == 401
    assert (await renew(house, pair["refresh_token"])).status == 401
    assert (await login(house, "ana")).status == 401


async def test_a_refresh_token_or_a_key_is_no_access_token(house: House) -> None:
    pair = (await login(house)).json()
    for token in (pair["refresh_token"], house.acme.api_key, house.acme.hmac_secret, "", " ", "siemsl_x", "a.b.c"):
        assert (await me(house, token)).status == 401
    for token in (pair["access_token"], house.tokens["root"], ""):
        assert (await renew(house, token)).status == 401


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def by_hand(key: bytes, head: Any, claims: Any) -> str:
    """A token whose signature is right, by another hash than ours."""
    said = f"{part(head)}.{part(claims)}"
    return f"{said}.{base64.urlsafe_b64encode(hmac.digest(key, said.encode(), sha512)).decode().rstrip('=')}"


async def test_tokens_that_somebody_made_up_are_refused_with_the_same_bytes(house: House) -> None:
    real = (await login(house)).json()["access_token"]
    key = house.runtime.token_key
    claims = jwt.decode(real, options={"verify_signature": False})
    header = {"typ": "at+jwt"}

    def made(changes: dict[str, Any], *, with_key: bytes = key, head: Any = None) -> str:
        body = {name: value for name, value in (claims | changes).items() if value is not ...}
        return jwt.encode(body, with_key, algorithm="HS256", headers=head or header)

    assert (await me(house, made({}))).status == 200
    now = int(house.clock.now().timestamp())
    bad = {
        "another key": made({}, with_key=b"x" * 32),
        "none": f"{part({'alg': 'none', 'typ': 'at+jwt'})}.{part(claims)}.",
        "None": f"{part({'alg': 'None', 'typ': 'at+jwt'})}.{part(claims)}.{real.split('.')[2]}",
        "another hash": by_hand(key, {"alg": "HS512", "typ": "at+jwt"}, claims),
        "kid": made({}, with_key=b"x" * 32, head=header | {"kid": "../../dev/null"}),
        "jwk": made({}, with_key=b"x" * 32, head=header | {"jwk": {"kty": "oct", "k": "eHh4"}}),
        "typ JWT": made({}, head={"typ": "JWT"}),
        "typ refresh": made({"typ": "refresh"}),
        "no typ": made({"typ": ...}),
        "another audience": made({"aud": "other"}),
        "no audience": made({"aud": ...}),
        "another issuer": made({"iss": "other"}),
        "no exp": made({"exp": ...}),
        "text exp": made({"exp": str(now + 600)}),
        "float exp": made({"exp": now + 600.5}),
        "true exp": made({"exp": True}),
        "past exp": made({"exp": now}),
        "no sub": made({"sub": ...}),
        "another sub": made({"sub": "user-nobody"}),
        "no family": made({"fam": ...}),
        "list family": made({"fam": ["x"]}),
        "no signature": real.rpartition(".")[0] + ".",
        "cut": real[:-2],
        "a list": f"{part(header | {'alg': 'HS256'})}.{part([1])}.x",
        "a list for a header": f"{part([1])}.{part(claims)}.x",
        "nul": real + "%00",
        "twice": f"{real} {real}",
    }
    replies = {name: await me(house, token) for name, token in bad.items()}
    assert {name: reply.status for name, reply in replies.items()} == dict.fromkeys(bad, 401)
    assert len({reply.body for reply in replies.values()}) == 1


async def test_a_changed_claim_breaks_the_signature(door: House) -> None:
    await door.hire("ana", Role.TECHNICIAN, "comp-acme")
    head, claims, signature = (await login(door, "ana")).json()["access_token"].split(".")
    changed = json.loads(base64.urlsafe_b64decode(claims + "=="))
    forged = f"{head}.{part(changed | {'sub': 'user-root'})}.{signature}"
    assert (await me(door, forged)).status == 401
