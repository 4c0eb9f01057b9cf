"""Keys of tools: who may make and replace them, and what the database keeps of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from siems.domain.integration import Opening, Terms
from siems.domain.permissions import Actor
from siems.errors import Conflict, Forbidden, InvalidField, NotFound
from siems.services import integrations, ways
from siems.vocabulary import MSP, Role, Signing
from siems.wire import IntegrationAdded, IntegrationEdit, IntegrationView, RotateAsk

from .world import ACME, BETA, ROOT, VAULT, World

GENERIC = "int-acme-generic-1"


def add(world: World, actor: Actor = ROOT, company: str = ACME, **opening: Any) -> IntegrationAdded:
    made = Opening(**({"tool": "zabbix", "signing": Signing.NONE} | opening))
    added = world.do(integrations.add, actor, company, made, VAULT, "http://here", companies=(company,))
    assert isinstance(added, IntegrationAdded)
    return added


def rotate(world: World, ref: str = GENERIC, *, given: bool = False, **ask: Any) -> IntegrationAdded:
    from functools import partial

    verb = partial(integrations.rotate, key_in_url=False, given=given)
    added = world.do(verb, ROOT, ref, RotateAsk(**ask), VAULT, "http://here")
    assert isinstance(added, IntegrationAdded)
    return added


def view(world: World, ref: str = GENERIC) -> IntegrationView:
    return world.database.read_now(ways.show_integration, ref, world.clock.now())


def test_an_integration_keeps_its_own_terms(world: World) -> None:
    ends = world.clock.now() + timedelta(days=90)
    terms = Terms(name="north site", rate_per_minute=30, networks=("192.0.2.7",), expires_at=ends)
    added = add(world, terms=terms, key_in_url=True)
    assert added.webhook_url == f"http://here/api/webhooks/zabbix?api_key={added.api_key}"
    seen = view(world, added.integration_id)
    assert (seen.name, seen.rate_per_minute, seen.networks) == ("north site", 30, ["192.0.2.7/32"])
    assert (seen.expires_at, seen.last_seen_at, seen.old_keys) == (ends, None, [])


def test_secrets_are_never_stored_as_they_are(world: World) -> None:
    added = add(world, signing=Signing.REQUIRED)
    rotated = rotate(world, added.integration_id)
    [row] = world.rows("SELECT * FROM integration WHERE id = :i", i=added.integration_id)
    kept = world.rows("SELECT * FROM old_key")
    for secret in (added.api_key, added.hmac_secret, rotated.api_key, rotated.hmac_secret):
        assert secret
        assert secret not in f"{row}{kept}"


def test_rotating_keeps_the_old_ones_for_the_overlap_and_rotating_again_keeps_both(world: World) -> None:
    rotate(world, overlap_seconds=3_600)
    rotate(world, what="key", overlap_seconds=7_200)
    now = world.clock.now()
    found = sorted((old.kind, old.until - now) for old in view(world).old_keys)
    hour = timedelta(hours=1)
    assert found == [("hmac", hour), ("key", hour), ("key", 2 * hour)]
    world.clock.advance(hours=1)
    assert [old.kind for old in view(world).old_keys] == ["key"]


def test_what_ended_long_ago_is_forgotten_at_the_next_rotation(world: World) -> None:
    rotate(world)
    world.clock.advance(hours=40 * 24)
    rotate(world)
    assert world.count("old_key") == 2


def test_revoking_ends_everything_and_is_done_once(world: World) -> None:
    rotate(world)
    done = [world.do(lambda uow: integrations.revoke(uow, ROOT, GENERIC, old=False, reason="lost")) for _ in range(2)]
    assert [one.changed for one in done] == [True, False]
    assert view(world).old_keys == []
    for work in (
        lambda: rotate(world),
        lambda: world.do(integrations.edit, ROOT, GENERIC, IntegrationEdit(name="x")),
    ):
        with pytest.raises(Conflict, match="revoked for good") as refused:
            work()
        assert "siems integration add generic --company acme" in refused.value.hint


def test_revoking_the_old_ones_leaves_the_new(world: World) -> None:
    rotate(world)
    ended = world.do(lambda uow: integrations.revoke(uow, ROOT, GENERIC, old=True, reason=""))
    assert ended.changed
    assert (view(world).old_keys, view(world).revoked_at) == ([], None)
    assert not world.do(lambda uow: integrations.revoke(uow, ROOT, GENERIC, old=True, reason="")).changed


def test_a_tool_that_makes_its_secret_is_told_apart(world: World) -> None:
    ref = add(world, tool="sentry", signing=Signing.REQUIRED, awaits_secret=True).integration_id
    with pytest.raises(InvalidField, match="makes the secret itself"):
        rotate(world, ref, given=True, what="hmac")
    told = rotate(world, ref, given=True, secret="from sentry")
    assert (told.api_key, told.hmac_secret, told.old_until) == (None, None, None)
    assert rotate(world, ref, given=True).api_key  # without a word about secrets only the key is replaced


@pytest.mark.parametrize(
    ("ask", "why"),
    [
        ({"what": "all"}, "cannot be rotated"),
        ({"overlap_seconds": -1}, "overlap"),
        ({"overlap_seconds": 40 * 86_400}, "overlap"),
        ({"what": "key", "secret": "x"}, "only the key"),
        ({"secret": " "}, "a secret has"),
    ],
)
def test_a_rotation_that_makes_no_sense_changes_nothing(world: World, ask: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidField, match=why):
        rotate(world, **ask)
    assert view(world).old_keys == []


def test_editing_changes_what_is_given_and_says_whether_it_did(world: World) -> None:
    def edit(**ask: Any) -> bool:
        return bool(world.do(integrations.edit, ROOT, GENERIC, IntegrationEdit(**ask)).changed)

    ends = world.clock.now() + timedelta(days=1)
    assert edit(name="n", rate_per_minute=5, networks=["192.0.2.0/24"], expires_at=ends)
    assert not edit(name="n")
    world.clock.advance(hours=48)
    assert edit(name="m")  # one that has ended may still be changed
    assert view(world).expires_at == ends
    assert edit(rate_per_minute=0, networks=[], never_expires=True)
    seen = view(world)
    assert (seen.name, seen.rate_per_minute, seen.networks, seen.expires_at) == ("m", None, [], None)


def test_only_admins_make_integrations_for_many_clients(world: World) -> None:
    manager = Actor("user-mia", "mia", Role.MANAGER, frozenset({ACME, MSP}))
    many = {"tool": "ninjaone", "tenant_field": "organizationId"}
    with pytest.raises(Forbidden):
        add(world, manager, MSP, **many)
    with pytest.raises(InvalidField, match="only an integration of the MSP"):
        add(world, ROOT, ACME, **many)
    ref = add(world, ROOT, MSP, **many).integration_id
    mapping = (MSP, ACME, BETA)
    with pytest.raises(Forbidden):
        world.do(lambda uow: integrations.map_tenant(uow, manager, ref, "7", ACME, reason=""), companies=mapping)
    for target, changed in ((ACME, True), (ACME, False), (BETA, True), (None, True), (None, False)):
        done = world.do(
            lambda uow, target=target: integrations.map_tenant(uow, ROOT, ref, "7", target, reason=""),
            companies=mapping,
        )
        assert done.changed is changed
    assert view(world, ref).tenants == []


def test_a_technician_may_not_and_another_client_is_not_there(world: World) -> None:
    tim = world.hire("tim", Role.TECHNICIAN, ACME)
    mia = world.hire("mia", Role.MANAGER, BETA)
    with pytest.raises(Forbidden):
        add(world, tim)
    with pytest.raises(NotFound) as other:
        world.do(integrations.edit, mia, GENERIC, IntegrationEdit(name="x"))
    with pytest.raises(NotFound) as missing:
        world.do(integrations.edit, mia, "int-none", IntegrationEdit(name="x"))
    assert other.value.message.replace(GENERIC, "?") == missing.value.message.replace("int-none", "?")
