"""Vectors of a real, tiny model: read once for each signature, kept by client, and made anew for another model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from siems.advisors.sentences import OnnxSentences
from siems.domain.permissions import Actor
from siems.services import advice_views, insights, nearness
from siems.services.nearness import Walk
from siems.vocabulary import MSP, Role
from tiny_model import tiny_model

from .world import ACME, BETA, ROOT, World


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> OnnxSentences:
    return OnnxSentences(tiny_model(tmp_path_factory.mktemp("model")))


@pytest.fixture
def mara(world: World) -> Actor:
    return world.hire("mara", Role.MANAGER, ACME, BETA)


def read_all(world: World, model: OnnxSentences, walk: Walk | None = None) -> tuple[Walk, list[str]]:
    """As the daemon does, until nothing is left; whose signatures were read."""
    walk, seen = walk or Walk(), []
    while True:
        before = walk
        walk, found = world.database.read_now(nearness.walked, walk, model.name, world.clock.now())
        vectors = model.embed([one.text for one in found])
        world.do(nearness.keep, model.name, list(zip(found, vectors, strict=True)), companies=(MSP,))
        seen += [f"{one.company_id}/{one.signature}" for one in found]
        if walk == before:
            return walk, seen


def was(world: World, actor: Actor, signature: str, message: str, *, company: str = ACME, **more: Any) -> str:
    """Something that is over."""
    ref = world.fires(more.pop("asset", "db-9"), signature, message=message, company=company)["incident_id"]
    world.act(actor, "resolve", ref, company=company, note="pulled the plug")
    world.clock.advance(hours=2)
    return str(ref)


def similar(world: World, ref: str, model: OnnxSentences | None, actor: Actor, **more: Any) -> Any:
    now = world.clock.now()
    return world.database.read_now(lambda c: advice_views.similar(c, ref, actor, now, model=model, **more))


def test_other_words_for_the_same_are_found_by_the_model_and_said_to_be(
    world: World, model: OnnxSentences, mara: Actor
) -> None:
    old = was(world, mara, "node_offline", "machine down, no reply")
    was(world, mara, "storage", "volume full")
    ref = world.fires("web-1", "unreachable", message="host lost: no answer to ping")["incident_id"]
    assert similar(world, ref, None, mara) == []
    assert similar(world, ref, model, mara) == [], "nothing was read yet"
    assert set(read_all(world, model)[1]) == {f"{ACME}/{s}" for s in ("node_offline", "storage", "unreachable")}
    [found] = similar(world, ref, model, mara)
    assert (found.id, found.notes) == (old, "pulled the plug")
    assert found.why[-1].startswith("text is near by the sentence model (0.")
    known = world.database.read_now(insights.background, ACME, world.clock.now(), model)
    asked = world.database.read_now(insights.question_of, ACME, int(ref[4:]), known, world.clock.now())
    assert [(one.ref, one.near > 0.6) for one in asked.similar] == [(old, True)]


def test_another_client_is_near_only_for_who_sees_both(world: World, model: OnnxSentences, mara: Actor) -> None:
    old = was(world, mara, "node_offline", "machine down, no reply", company=BETA)
    ref = world.fires("web-1", "unreachable", message="host lost: no answer to ping")["incident_id"]
    read_all(world, model)
    tess = world.hire("tess", Role.TECHNICIAN, ACME)
    assert similar(world, ref, model, mara) == []
    assert similar(world, ref, model, tess, everywhere=True) == []
    assert [one.id for one in similar(world, ref, model, ROOT, everywhere=True)] == [old]


def test_each_signature_is_read_once_until_the_model_changes(
    world: World, model: OnnxSentences, mara: Actor, tmp_path: Path
) -> None:
    for signature in ("a", "a", "b"):
        was(world, mara, signature, "host down")
    walk, seen = read_all(world, model)
    assert sorted(seen) == [f"{ACME}/a", f"{ACME}/b"]
    was(world, mara, "a", "host down")
    was(world, mara, "c", "host down")
    assert read_all(world, model, walk)[1] == [f"{ACME}/c"], "what is new is looked at, and only that"
    assert read_all(world, model)[1] == []
    other = OnnxSentences(tiny_model(tmp_path / "other", seed=2))
    assert sorted(read_all(world, other)[1]) == [f"{ACME}/{s}" for s in "abc"]
    assert [row["model"] for row in world.rows("SELECT DISTINCT model FROM sentence_vector")] == [other.name]
    ref = world.fires("web-1", "d", message="host down")["incident_id"]
    assert world.database.read_now(nearness.unread_of, ACME, int(ref[4:]), other.name)[0].signature == "d"


def test_vectors_go_with_the_alerts(world: World, model: OnnxSentences, mara: Actor) -> None:
    was(world, mara, "a", "host down")
    read_all(world, model)
    world.clock.advance(hours=24 * 364)
    world.tick()
    assert world.count("sentence_vector") == 1
    world.clock.advance(hours=24 * 2)
    world.tick()
    assert world.count("sentence_vector") == 0
