"""One key for many clients: a field of the body says whose an alert is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from siems.vocabulary import Role

from .house import House, Reply


async def alarm(house: House, added: Any, body: Any) -> Reply:
    path = added.webhook_url.removeprefix("http://x")
    return await house.send("POST", path, [], json.dumps(body).encode())


def ninja(organization: Any, number: int = 1) -> dict[str, Any]:
    return {
        "id": number, "organizationId": organization, "message": "the disk is full", "severity": "CRITICAL",
        "status": "TRIGGERED", "deviceId": 4,
    }  # fmt: skip


async def test_a_field_of_the_body_decides_whose_alert_it_is(house: House) -> None:
    many = await house.integration("msp", "ninjaone", tenant_field="organizationId")
    for value, company in (("77", "acme"), ("78", "beta")):
        ask = {"value": value, "company": company}
        reply = await house.ask("root", "POST", f"/integrations/{many.integration_id}/tenants", ask)
        assert reply.json()["changed"] is True
    for number, value in enumerate((77, 78, "78"), 1):
        assert (await alarm(house, many, ninja(value, number))).status == 202
    items = (await house.ask("root", "GET", "/alerts")).json()["items"]
    assert sorted((item["company_id"], item["count"]) for item in items) == [("comp-acme", 1), ("comp-beta", 2)]


@pytest.mark.parametrize("value", [99, "elsewhere", None])
async def test_what_belongs_to_nobody_is_an_incident_of_the_msp_that_names_the_value(house: House, value: Any) -> None:
    many = await house.integration("msp", "ninjaone", tenant_field="organizationId")
    replies = [await alarm(house, many, ninja(value, number)) for number in range(3)]
    assert [reply.status for reply in replies] == [202] * 3
    [incident] = (await house.ask("root", "GET", "/incidents")).json()["items"]
    assert (incident["company_id"], incident["severity"], incident["repeat_count"]) == ("msp", "HIGH", 2)
    [alert] = (await house.ask("root", "GET", "/alerts")).json()["items"]
    assert (f"organizationId '{value}'" if value else "no organizationId") in alert["message"]
    assert "the disk is full" in (await house.ask("root", "GET", f"/alerts/{alert['id']}")).json()["raw"]


async def test_a_recovery_of_nobody_ends_no_incident_of_the_msp(door: House) -> None:
    many = await door.integration("msp", "ninjaone", tenant_field="organizationId")
    await alarm(door, many, ninja(99))
    reply = await alarm(door, many, ninja(99) | {"status": "RESET"})
    assert (reply.status, reply.json()["alert_id"]) == (202, None)
    [alert] = (await door.ask("root", "GET", "/alerts")).json()["items"]
    assert alert["status"] == "active"


async def test_an_integration_of_the_msp_needs_a_field_and_one_of_a_client_takes_none(door: House) -> None:
    await door.hire("mia", Role.MANAGER, "comp-acme")
    for who, ask, status in (
        ("root", {"tool": "zabbix", "company": "msp"}, 422),
        ("root", {"tool": "zabbix", "company": "msp", "tenant_field": "customer.id"}, 201),
        ("root", {"tool": "meraki", "company": "msp"}, 201),  # its bodies have one that is known
        ("root", {"tool": "meraki", "company": "acme", "tenant_field": "organizationId"}, 422),
        ("mia", {"tool": "meraki", "company": "msp"}, 404),
    ):
        assert (await door.ask(who, "POST", "/integrations", ask)).status == status, ask
