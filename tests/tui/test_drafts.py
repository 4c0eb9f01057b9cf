"""A client that is being described: what is wrong with it, what is sent, and the commands that say the same."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from typing import Any

import pytest
from offices import KEY, SECRET, URL, OfficeClient, company
from streamed import NOW, user

from siems import errors, places
from siems.tui import drafts, errands
from siems.tui.drafts import Draft

NEW = {"name": "Fjord Media", "sla": "silver", "time_zone": "Europe/Oslo"}


class Daemon(OfficeClient):
    def __init__(self) -> None:
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        self.refuse: errors.SiemsError | None = None
        self.furnish()

    def _check(self) -> None:
        return


def faults(**values: str) -> list[str]:
    return [one.name for one, _ in Draft(NEW | values).faults()]


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("name", "Fjord", " "),
        ("slug", "fjord-2", "Fjord Media"),
        ("time_zone", "UTC", "Mars/Olympus"),
        ("time_zone", "Asia/Tokyo", "../../etc/passwd"),
        ("rate", "10/s", "fast"),
        ("burst", "200", "0"),
        ("networks", "192.0.2.0/24, 2001:db8::/32", "192.0.2.1/24"),
        ("expires", "180d", "2027-02-31"),
        ("expires", "2027-01-31", "99999999d"),
        ("window", "60", "61"),
        ("min_alerts", "2", "-2"),
        ("maintenance", "sat,sun 02:00 for 4h", "sun 25:00 for 4h"),
        ("maintenance", "03:00 for 30m", "03:00 for 0m"),
    ],
)
def test_what_is_wrong_with_an_answer(name: str, good: str, bad: str) -> None:
    assert faults(**{name: good}) == []
    assert faults(**{name: bad}) == [name]


def test_a_name_a_zone_and_a_tier_are_enough() -> None:
    assert faults() == []
    assert [one.name for one, _ in Draft().faults()] == ["name", "sla", "time_zone"]
    made, left = errands.onboard(Daemon(), Draft(dict(NEW)), NOW)  # type: ignore[arg-type]
    assert (made["name"], left) == ("Fjord Media", "")


def test_all_that_was_answered_is_sent_and_the_commands_say_the_same() -> None:
    daemon = Daemon()
    draft = Draft(NEW | {
        "rate": "10/s", "networks": "192.0.2.0/24 198.51.100.0/24", "auth": "API key only (weaker)", "expires": "180d",
        "burst": "900", "paging": "shadow", "strategy": "asset", "window": "10", "auto_resolve": "off",
        "assign": "on_call", "maintenance": "sun 02:00 for 4h", "policy": "nights", "enabled": "on",
    })  # fmt: skip
    errands.onboard(daemon, draft, NOW)  # type: ignore[arg-type]
    (_, _, asked), (_, edited, changes), (_, silenced, window) = daemon.calls
    assert asked["rate_per_minute"] == 600
    assert asked["auth"] == "key"
    assert asked["networks"] == ["192.0.2.0/24", "198.51.100.0/24"]
    assert asked["expires_at"].startswith("2026-09-06")
    assert edited == silenced == "comp-fjord-media"
    assert changes == {"burst": 900, "paging": "shadow", "strategy": "asset", "window_minutes": 10,
                       "auto_resolve": False, "assign": "on_call"}  # fmt: skip
    assert (window["repeat"], window["seconds"]) == ("weekly sun", 14_400)
    assert window["starts_at"] == "2026-03-15T01:00:00+00:00"
    onboarding, edit, maintenance = (shlex.split(line) for line in draft.commands())
    assert onboarding[:4] == ["siems", "company", "onboard", "Fjord Media"]
    assert onboarding[onboarding.index("--auth") + 1] == "key"
    assert edit[:4] == ["siems", "company", "edit", "fjord-media"]
    assert {"--no-auto-resolve", "--window", "10m"} <= set(edit)
    assert maintenance[maintenance.index("--repeat") + 1] == "weekly sun"


def test_what_cannot_be_set_afterwards_is_told_and_the_secrets_are_not_lost() -> None:
    daemon = Daemon()

    def refuse(ref: str, **ask: Any) -> dict[str, Any]:
        raise errors.Forbidden("not yours")

    daemon.edit_company = refuse  # type: ignore[method-assign]
    made, left = errands.onboard(daemon, Draft(NEW | {"paging": "shadow"}), NOW)  # type: ignore[arg-type]
    assert made["api_key"] == KEY
    assert left == "not yours"


def test_only_changes_of_a_client_are_sent() -> None:
    draft = drafts.of(company("Borealis", "silver"), "default")
    assert draft.settings() == {}
    assert draft.commands() == []
    draft.values |= {"rate": "600/min", "hours": "Mon-Sat 07:00-19:00", "enabled": "off", "name": "it's $(x)"}
    assert draft.settings() == {
        "name": "it's $(x)", "hours": "Mon-Sat 07:00-19:00", "rate_per_minute": 600, "correlation_enabled": False,
    }  # fmt: skip
    [line] = draft.commands()
    assert shlex.split(line)[:6] == ["siems", "company", "edit", "borealis", "--name", "it's $(x)"]
    assert {"--rate", "600/min", "--no-correlation"} <= set(shlex.split(line))


@pytest.mark.parametrize(
    ("days", "at", "zone", "first"),
    [
        ("daily", "15:30", "UTC", "2026-03-10T15:30"),
        ("daily", "14:00", "UTC", "2026-03-11T14:00"),
        ("tue", "14:00", "UTC", "2026-03-17T14:00"),
        ("sat,sun", "02:00", "Europe/Oslo", "2026-03-14T01:00"),
        ("sun", "04:00", "Europe/Oslo", "2026-03-15T03:00"),
    ],
)
def test_the_first_window_is_the_next_one(days: str, at: str, zone: str, first: str) -> None:
    found = errands.first_window(days, at, zone, NOW)
    assert found == datetime.fromisoformat(first).replace(tzinfo=UTC)


def test_a_draft_outlives_its_session_and_a_damaged_one_is_none() -> None:
    drafts.keep(Draft(NEW | {"made-up": "x"}))
    assert drafts.kept().values == NEW
    assert (places.state_dir() / "onboarding.json").stat().st_mode & 0o077 == 0
    (places.state_dir() / "onboarding.json").write_text("[1")
    assert drafts.kept().values == {}
    drafts.forget()
    drafts.forget()


def test_a_test_alert_goes_to_the_clients_own_address(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, bytes, dict[str, str]]] = []

    class Way:
        def __init__(self, url: str, *, timeout: float) -> None:
            assert url == URL

        def deliver(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
            sent.append((path, body, headers))
            return (401, {"detail": "the key is unknown"}) if len(sent) > 1 else (202, {"alert_id": "ALR-1"})

    monkeypatch.setattr(errands, "Daemon", Way)
    made = {"webhook_url": URL, "api_key": KEY, "hmac_secret": SECRET}
    assert errands.deliver_test(made, Daemon()) == "taken as ALR-1 "  # type: ignore[arg-type]
    assert errands.deliver_test(made, Daemon()) == f"{URL} answered 401: the key is unknown"  # type: ignore[arg-type]
    path, _, headers = sent[0]
    assert path == "/api/webhooks/alerts"
    assert headers["X-Signature"].startswith("sha256=")
    assert SECRET not in str(headers)


def test_of_a_person_only_changes_are_sent() -> None:
    daemon, jon = Daemon(), user("Jon Berg")
    jon.companies = ["comp-acme", "comp-cedar"]
    values = {"email": jon.email, "role": "technician", "skills": "network, disk", "availability": "available",
              "login": "disabled", "companies": "acme borealis"}  # fmt: skip
    assert errands.save_person(daemon, jon, values) == "Jon Berg: saved"  # type: ignore[arg-type]
    assert daemon.calls == [("edit_user", "user-jon", {
        "skills": ["network", "disk"], "disabled": True, "add_companies": ["borealis"], "remove_companies": ["cedar"],
    })]  # fmt: skip
    assert errands.person_fault({"name": "", "email": "x@y"}) == "a name is needed"
    assert errands.person_fault({"email": "x"}) == "a mail address is needed"
    assert "12" in errands.person_fault({"email": "x@y", "password": "short"})
