"""`/metrics`: what it tells, in which form, and to whom."""

from __future__ import annotations

import json
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from siems.config import Metrics

from .house import ALERT, House, Reply

Figures = dict[str, float]
OPEN = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"


def figures(reply: Reply) -> Figures:
    """Every sample by its name and labels, read as a scraper reads it."""
    assert reply.status == 200, reply
    assert reply.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    found = {}
    for family in text_string_to_metric_families(reply.body.decode()):
        for sample in family.samples:
            labels = ",".join(f"{k}={v}" for k, v in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


async def scraped(house: House) -> Figures:
    return figures(await house.send("GET", "/metrics", [("Accept", OPEN)]))


async def test_webhooks_are_counted_by_source_outcome_and_cause(house: House) -> None:
    before = await scraped(house)
    assert before["siems_webhook_accepted_total"] == 0
    assert before["siems_webhook_refused_total{cause=unknown key}"] == 0, "else an increase of it is not seen"
    assert before["siems_webhook_refused_total{cause=rate limited}"] == 0
    await house.alert(delivery="d-1")
    await house.alert(delivery="d-1")
    await house.alert({**ALERT, "asset_name": "web-2"})
    await house.send("POST", "/api/webhooks/alerts", [("X-API-Key", "wrong")], b"{}")
    await house.alert(b"not json")
    found = await scraped(house)
    assert found["siems_webhook_requests_total{source=generic}"] == 5
    assert (found["siems_webhook_accepted_total"], found["siems_webhook_duplicates_total"]) == (2, 1)
    assert found["siems_webhook_refused_total{cause=unknown key}"] == 1
    assert found["siems_webhook_answers_total{status=401}"] == 1
    assert found["siems_webhook_seconds_count"] == 5
    assert found["siems_webhook_seconds_bucket{le=+Inf}"] == 5
    assert 0 < found["siems_webhook_seconds_sum"] < 60
    assert found["siems_alerts_total"] == 2


async def test_requests_in_an_unusual_form_are_counted_alike(door: House) -> None:
    body = json.dumps(ALERT).encode()
    url = "/api/webhooks/alerts?more=1"
    assert (await door.send("POST", url, door.signed(body), body)).status == 202
    assert (await door.send("POST", url, [], body)).status == 401
    assert (await door.send("POST", "/api/webhooks/nothing?more=1", [], body)).status == 404
    found = await scraped(door)
    assert found["siems_webhook_requests_total{source=generic}"] == 2
    assert [found[f"siems_webhook_answers_total{{status={s}}}"] for s in (202, 401, 404)] == [1, 1, 1]
    assert found["siems_webhook_seconds_count"] == 3


async def test_what_speaks_to_a_switched_address_is_counted_too(door: House) -> None:
    reply = await door.send("POST", "/v2/enqueue", [("Content-Type", "application/json")], b"{}")
    found = await scraped(door)
    assert found[f"siems_webhook_answers_total{{status={reply.status}}}"] == 1
    assert found["siems_webhook_seconds_count"] == 1


async def test_the_writer_the_incidents_and_the_process_are_told(house: House) -> None:
    await house.alert()
    await house.alert({**ALERT, "severity": "critical", "signature": "on_fire"}, company=house.beta)
    found = await scraped(house)
    assert found["siems_incidents_open{severity=HIGH}"] == 1
    assert found["siems_incidents_open{severity=CRITICAL}"] == 1
    assert found["siems_incidents_open{severity=LOW}"] == 0
    assert (found["siems_queue_depth"], found["siems_deadlines_overdue"]) == (0, 0)
    assert found["siems_batch_size_count"] == found["siems_commit_seconds_count"] > 2
    assert found["siems_stream_subscribers"] == 0
    assert found["siems_incidents_total"] == 2
    assert any(name.startswith("siems_build_info{") for name in found)
    assert any(name.startswith("process_cpu_seconds") for name in found)
    async with house.events("root"):
        assert (await scraped(house))["siems_stream_subscribers"] == 1
    await house.ask("root", "POST", "/incidents/INC-1/actions/start", {})
    await house.ask("root", "POST", "/incidents/INC-1/actions/resolve", {"note": "x"})
    assert (await scraped(house))["siems_incidents_open{severity=HIGH}"] == 0


async def test_no_company_is_named_unless_somebody_asks_for_it(door: House) -> None:
    await door.alert()
    assert b"acme" not in (await door.send("GET", "/metrics")).body
    _set(door, companies=True)
    found = await scraped(door)
    assert found["siems_incidents_open{company=comp-acme,severity=HIGH}"] == 1
    assert found["siems_incidents_open{company=comp-beta,severity=HIGH}"] == 0


@pytest.mark.parametrize("accept", ["text/plain", "*/*", None])
async def test_who_does_not_ask_for_openmetrics_gets_the_older_form(door: House, accept: str | None) -> None:
    reply = await door.send("GET", "/metrics", [] if accept is None else [("Accept", accept)])
    assert reply.headers["content-type"].startswith("text/plain; version=")
    assert b"# EOF" not in reply.body
    assert b"\nsiems_queue_depth 0.0\n" in reply.body
    assert (await scraped(door))["siems_queue_depth"] == 0


# --- who may look ----------------------------------------------------------------------------------------------


def _set(house: House, **metrics: Any) -> None:
    settings = house.runtime.settings
    house.runtime.settings = settings.model_copy(update={"metrics": Metrics(**metrics)})


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via"])
async def test_what_a_proxy_of_this_machine_hands_on_is_not_from_here(door: House, header: str) -> None:
    reply = await door.send("GET", "/metrics", [(header, "for=192.0.2.7")])
    assert (reply.status, reply.code) == (403, "forbidden")
    assert "metrics.token" in reply.json()["hint"]
    _set(door, public=True)
    assert (await door.send("GET", "/metrics", [(header, "for=192.0.2.7")])).status == 200


async def test_a_token_is_asked_of_everybody_once_there_is_one(door: House) -> None:
    _set(door, token="s3cret")
    for headers in ([], [("Authorization", "Bearer wrong")], [("Authorization", "Basic s3cret")]):
        reply = await door.send("GET", "/metrics", headers)
        assert (reply.status, reply.code) == (401, "auth")
    far = [("Authorization", "Bearer s3cret"), ("X-Forwarded-For", "192.0.2.7")]
    assert (await door.send("GET", "/metrics", far)).status == 200
