"""Deliveries: an id that was used once gets its first answer again, whatever happens in between."""

from __future__ import annotations

import json

import pytest

from siems.errors import ReplayMismatch

from .world import ACME, BETA, World, reading


def test_the_same_delivery_gets_the_same_answer_marked_as_a_duplicate(world: World) -> None:
    first = world.fires(delivery="d-1", body=b"one")
    again = world.fires(delivery="d-1", body=b"one")
    assert again == first | {"duplicate": True}
    assert world.rows("SELECT count FROM alert") == [{"count": 1}]


def test_the_same_id_with_another_body_is_refused_and_changes_nothing(world: World) -> None:
    world.fires(delivery="d-1", body=b"one")
    with pytest.raises(ReplayMismatch) as refused:
        world.fires(delivery="d-1", body=b"two")
    assert refused.value.status == 422
    assert world.rows("SELECT count FROM alert") == [{"count": 1}]


def test_the_same_id_of_another_company_is_another_delivery(world: World) -> None:
    world.fires(delivery="d-1", company=ACME)
    answer = world.fires(delivery="d-1", company=BETA, body=b"other")
    assert (answer["duplicate"], answer["incident_id"]) == (False, "INC-2")


def test_a_delivery_is_known_after_a_restart(world: World) -> None:
    first = world.fires(delivery="d-1")
    world.restart()
    assert world.fires(delivery="d-1") == first | {"duplicate": True}


def test_fifty_copies_in_one_batch_are_one_alert(world: World) -> None:
    with world.one_batch() as jobs:
        jobs += [world.job(reading(), delivery="d-1") for _ in range(50)]
    answers = [json.loads(job.result) for job in jobs]
    assert [a["duplicate"] for a in answers] == [False] + [True] * 49
    assert {a["alert_id"] for a in answers} == {"ALR-1"}
    assert world.rows("SELECT count FROM alert") == [{"count": 1}]


def test_in_one_batch_another_body_under_the_same_id_is_refused_alone(world: World) -> None:
    with world.one_batch() as jobs:
        jobs += [
            world.job(reading(), delivery="d-1", body=b"one"),
            world.job(reading("web-9"), delivery="d-1", body=b"two"),
            world.job(reading("web-2"), delivery="d-2"),
        ]
    assert [type(job.error) for job in jobs] == [type(None), ReplayMismatch, type(None)]
    assert {row["asset_name"] for row in world.rows("SELECT asset_name FROM alert")} == {"web-1", "web-2"}


def test_an_id_whose_first_use_failed_may_be_used_again(world: World) -> None:
    from siems.errors import NotFound

    with pytest.raises(NotFound):
        world.fires(delivery="d-1", company="comp-nobody")
    assert world.count("delivery") == 0
    assert world.fires(delivery="d-1")["duplicate"] is False


def test_several_alerts_of_a_delivery_are_all_repeated_in_the_answer(world: World) -> None:
    first = world.take(reading("a"), reading("b"), delivery="d-1")
    again = world.take(reading("a"), reading("b"), delivery="d-1")
    assert again["duplicate"] is True
    assert [a["alert_id"] for a in again["alerts"]] == [a["alert_id"] for a in first["alerts"]]
    assert world.count("alert") == 2


def test_deliveries_are_forgotten_after_a_week(world: World) -> None:
    world.fires(delivery="d-1")
    world.passes(hours=24 * 7 + 2)
    assert world.count("delivery") == 0
    assert world.fires(delivery="d-1")["duplicate"] is False


def test_many_ids_in_one_batch_are_all_looked_up(world: World) -> None:
    for number in range(150):
        world.fires(f"old-{number}", f"s{number}", delivery=f"d-{number}")
    with world.one_batch() as jobs:
        jobs += [world.job(reading(f"old-{n}", f"s{n}"), delivery=f"d-{n}") for n in range(150)]
    assert all(json.loads(job.result)["duplicate"] for job in jobs)
    assert world.count("alert") == 150
