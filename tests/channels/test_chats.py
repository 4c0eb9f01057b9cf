"""Slack and Teams: what is shown, what replaces what, and what they may answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers import RESET, Trouble
from providers.push import Teams
from providers.slack import LIMIT, TOKEN, Slack
from siems.channels import Destination, Refused, TryLater
from siems.channels.slack import card as slack_card
from siems.channels.teams import card as teams_card
from siems.errors import InvalidField

from .conftest import HOSTILE, Open, bundle, message

ACME = Destination(address="#acme")


@pytest.fixture
def slack() -> Iterator[Slack]:
    with Slack() as made:
        yield made


def by(slack: Slack, token: str = TOKEN) -> dict[str, Any]:
    return {"slack": {"token": token, "url": slack.url}, "webhooks": {"allow": "127.0.0.1"}}


def blocks(body: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = body["attachments"][0]["blocks"]
    return found


async def test_a_page_is_a_message_with_buttons(slack: Slack, opened: Open) -> None:
    accepted = await opened("slack", **by(slack)).send(message(), ACME)
    assert accepted.message_id == "C0ACME001:1773144000.000001"
    body = slack.taken[0].json
    assert body["text"] == "CRITICAL Acme INC-42: High CPU usage on web-01"
    assert [b["type"] for b in blocks(body)] == ["section", "section", "actions"]
    assert [(b["text"]["text"], b["action_id"], b["url"]) for b in blocks(body)[-1]["elements"]] == [
        ("Acknowledge", "siems:ack:12", "https://siems.example/a/ack-token"),
        ("Resolve", "siems:resolve:12", "https://siems.example/a/resolve-token"),
        ("Open", "siems:open", "https://siems.example/i/42"),
    ]
    assert body["metadata"]["event_payload"] == {"key": message().key}


async def test_the_message_of_an_incident_changes_in_place(slack: Slack, opened: Open) -> None:
    channel = opened("slack", **by(slack))
    first = await channel.send(message(), ACME)
    second = await channel.send(message(key="2", subject="Resolved", update_of=first.message_id, pages=False), ACME)
    assert second == first
    assert len(slack.messages) == 1
    assert "Resolved" in slack.messages["C0ACME001", "1773144000.000001"]["text"]


async def test_a_page_that_changes_a_message_says_so_below_it(slack: Slack, opened: Open) -> None:
    channel = opened("slack", **by(slack))
    first = await channel.send(message(), ACME)
    again = await channel.send(message(key="2", subject="Escalated", update_of=first.message_id), ACME)
    assert again == first
    assert slack.taken[-1].json["thread_ts"] == "1773144000.000001"
    assert "Escalated" in slack.taken[-1].json["text"]


async def test_a_message_that_was_deleted_is_posted_anew(slack: Slack, opened: Open) -> None:
    channel = opened("slack", **by(slack))
    first = await channel.send(message(), ACME)
    slack.messages.clear()
    again = await channel.send(message(update_of=first.message_id), ACME)
    assert again != first
    assert list(slack.messages) == [("C0ACME001", again.message_id.partition(":")[2])]


async def test_an_incoming_webhook_needs_no_token(slack: Slack, opened: Open) -> None:
    channel = opened("slack", **by(slack, token=""))
    await channel.send(message(), Destination(address=channel.check(slack.hook, {})))
    assert slack.taken[0].json["text"].startswith("CRITICAL Acme")
    with pytest.raises(Refused, match="no_service") as told:
        await channel.send(message(), Destination(address=slack.url + "/services/T0/B0/canarygone"))
    assert "canary" not in str(told.value)
    with pytest.raises(InvalidField, match="token"):
        channel.check("#acme", {})


@pytest.mark.parametrize(
    ("trouble", "kind", "wait"),
    [
        (LIMIT, TryLater, 7.0), (Trouble(status=200, body={"ok": False, "error": "ratelimited"}), TryLater, None),
        (Trouble(status=200, body={"ok": False, "error": "internal_error"}), TryLater, None),
        (Trouble(status=200, body="<html>oops</html>"), TryLater, None), (Trouble(status=503), TryLater, None),
        (Trouble(status=200, body={"ok": False, "error": "is_archived"}), Refused, None),
        (Trouble(status=200, body={"ok": False, "error": "invalid_blocks"}), Refused, None), (RESET, TryLater, None),
    ],
)  # fmt: skip
async def test_what_slack_answers(
    trouble: Trouble, kind: type[Exception], wait: float | None, slack: Slack, opened: Open
) -> None:
    slack.then(trouble)
    with pytest.raises(kind) as told:
        await opened("slack", **by(slack)).send(message(), ACME)
    assert getattr(told.value, "retry_after", None) == wait


async def test_a_wrong_channel_and_a_wrong_token_are_refused(slack: Slack, opened: Open) -> None:
    with pytest.raises(Refused, match="channel_not_found"):
        await opened("slack", **by(slack)).send(message(), Destination(address="#nowhere"))
    with pytest.raises(Refused, match="invalid_auth") as told:
        await opened("slack", **by(slack, token="xoxb-canary-wrong")).send(message(), ACME)
    assert "canary" not in str(told.value)


@pytest.mark.parametrize("bad", ["", "acme", "@here", "C1", "#a b", "#a\nb", "http://127.0.0.2/x", "https://u:p@x/"])
async def test_what_is_no_channel(bad: str, slack: Slack, opened: Open) -> None:
    with pytest.raises(InvalidField):
        opened("slack", **by(slack)).check(bad, {})


@given(st.text(), st.text(), st.lists(st.text(), max_size=50))
def test_nothing_foreign_mentions_links_or_breaks_the_limits_of_slack(
    subject: str, text: str, lines: list[str]
) -> None:
    made = slack_card(message(subject=subject + HOSTILE, text=(text + HOSTILE + "\n") * 40, lines=tuple(lines)))
    sections = [b["text"]["text"] for b in blocks(made) if b["type"] == "section"]
    assert all(0 < len(section) <= 3_000 for section in sections)
    for shown in [made["text"], *sections]:
        assert "<" not in shown.replace("&lt;", "")
        assert not [c for c in shown if not c.isprintable() and c != "\n"]


# --- Teams -----------------------------------------------------------------------------------------------------


@pytest.fixture
def teams() -> Iterator[Teams]:
    with Teams() as made:
        yield made


INNER = {"webhooks": {"allow": "127.0.0.1"}}


async def test_a_card_goes_to_the_workflow(teams: Teams, opened: Open) -> None:
    channel = opened("teams", **INNER)
    address = channel.check(teams.url + "/workflows/1?sig=canary", {})
    accepted = await channel.send(bundle(3), Destination(address=address))
    assert accepted.message_id == "run-1"
    content = teams.taken[0].json["attachments"][0]["content"]
    assert content["body"][2]["text"] == r"1 INC\-41 CRITICAL: disk full on host\-01"
    assert [action["title"] for action in content["actions"]] == ["Acknowledge", "Resolve", "Open"]


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (Trouble(status=429), TryLater), (Trouble(status=502), TryLater), (Trouble(status=401), Refused),
        (Trouble(status=200, body="delivery failed: Microsoft Teams endpoint returned HTTP error 429"), TryLater),
        (Trouble(status=200, body="Microsoft Teams endpoint returned HTTP error 403 with ContextId"), Refused),
        (RESET, TryLater),
    ],
)  # fmt: skip
async def test_what_teams_answers(trouble: Trouble, kind: type[Exception], teams: Teams, opened: Open) -> None:
    teams.then(trouble)
    with pytest.raises(kind, match="Teams") as told:
        await opened("teams", **INNER).send(message(), Destination(address=teams.url + "/?sig=canary"))
    assert "canary" not in str(told.value)


async def test_however_much_is_told_the_card_is_small_enough(teams: Teams, opened: Open) -> None:
    huge = bundle(200, text=HOSTILE * 2_000, subject="€" * 10_000)
    await opened("teams", **INNER).send(huge, Destination(address=teams.url))
    assert len(teams.taken) == 1


def test_foreign_text_neither_links_nor_formats_in_a_card() -> None:
    shown = teams_card(message(subject="[click](https://evil.example) **b** <a>"))["body"][1]["text"]
    assert shown == r"\[click\]\(https://evil\.example\) \*\*b\*\* \<a\>"
