"""Templates that operators write, updates that clients read, and the reminder when none was written."""

from __future__ import annotations

from typing import Any

import pytest

from siems.domain.permissions import Actor
from siems.errors import Forbidden, InvalidField, NotFound
from siems.services import queries, rendering, status_updates, templates
from siems.services.templates import SAMPLE
from siems.vocabulary import MSP, Role
from siems.wire import TemplateEdit, UpdateAsk

from .world import ACME, BETA, World


def edit(world: World, name: str, body: str, who: Actor | None = None, company: str = ACME, **more: Any) -> Any:
    ask = TemplateEdit(company=company, body=body, **more)
    return world.do(templates.edit, who or world.admin, company, name, ask, companies=(company,))


def update(world: World, who: Actor, template: str, text: str = "", ref: int = 1) -> Any:
    ask = UpdateAsk(template=template, text=text)
    return world.do(status_updates.update, who, ACME, ref, ask)


def public_notes(world: World, client: Actor) -> list[str]:
    lines = world.database.read_now(queries.incident_timeline, "INC-1", client, 100)
    return [line.text for line in lines if line.kind == "note"]


# --- updates ---------------------------------------------------------------------------------------------------


def test_an_update_is_a_public_note_that_its_client_reads(world: World) -> None:
    tess, client = world.hire("tess", Role.TECHNICIAN, ACME), world.hire("carol", Role.CLIENT, ACME)
    world.fires(severity="CRITICAL")
    done = update(world, tess, "identified", "A failed disk.")
    assert done.note == (
        "We have identified the cause of: High CPU on web-1. A failed disk. A fix is under way. (reference INC-1)"
    )
    assert public_notes(world, client) == [done.note]
    with pytest.raises(Forbidden):
        update(world, client, "identified")
    with pytest.raises(NotFound, match="identfied"):
        update(world, tess, "identfied")


def test_a_company_may_have_its_own_words_over_those_of_the_msp_over_those_that_ship(world: World) -> None:
    tess = world.hire("tess", Role.TECHNICIAN, ACME)
    world.fires()
    edit(world, "identified", "MSP: {{ incident.title }}", company=MSP)
    assert update(world, tess, "identified").note == "MSP: High CPU on web-1"
    edit(world, "identified", "Acme: {{ incident.id }}")
    assert update(world, tess, "identified").note == "Acme: INC-1"
    assert world.do(templates.reset, world.admin, ACME, "identified", "") is True
    assert update(world, tess, "identified").note == "MSP: High CPU on web-1"
    assert world.do(templates.reset, world.admin, ACME, "identified", "") is False
    with pytest.raises(Forbidden):
        edit(world, "identified", "x", tess)
    listed = world.database.read_now(templates.list_templates, world.admin, BETA)
    assert {k.name: k.origin for k in listed}["identified"] == "msp"


def test_a_template_for_a_message_is_found_by_event_and_channel_and_is_no_update(world: World) -> None:
    edit(world, "resolve-mail", "{{ incident.id }} is over", event="incident.resolved", channel="email")
    found = world.database.read_now(templates.for_message, ACME, "incident.resolved", "email")
    assert found is not None
    assert (found.name, found.body) == ("resolve-mail", "{{ incident.id }} is over")
    assert world.database.read_now(templates.for_message, BETA, "incident.resolved", "email") is None
    world.fires()
    with pytest.raises(InvalidField, match="for email"):
        update(world, world.admin, "resolve-mail")


# --- what a template may say -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "{{ incident.titel }}", "{{ nothing }}", "{{ incident.title", "{% for a in incident.assets %}",
        "{{ ''.__class__ }}", "{{ incident.__init__ }}", "{{ incident.title.upper() }}", "{{ range(10) }}",
        "{% for a in 'x' * 99999999 %}y{% endfor %}", "{{ 'x' * 99999999 }}", "{{ 9 ** 9 ** 9 }}",
        "{% for a in incident.assets %}{% for b in incident.assets %}x{% endfor %}{% endfor %}",
        "{% include '/etc/passwd' %}", "{% import 'x' as y %}", "{% extends 'x' %}", "{% macro m() %}{% endmacro %}",
        "{% set x = 1 %}", "{{ incident['title'] }}", "{{ incident.title | attr('upper') }}", "{{ now | pprint }}",
        "{{ incident | tojson }}", "{{ lipsum }}", "{{ cycler }}", "{% filter upper %}x{% endfilter %}", "", "  \n ",
        "x" * 8_001, "{{ incident.title | center(999999999) }}", "{{ self }}", "{% call x() %}{% endcall %}",
    ],
)  # fmt: skip
def test_what_a_template_may_not_say_is_refused_when_it_is_written(body: str) -> None:
    with pytest.raises(InvalidField):
        rendering.check(body, SAMPLE)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{{ incident.id }}", "INC-42"),
        ("{% if text %}{{ text | upper }}{% else %}nothing{% endif %}", "MORE IN HALF AN HOUR"),
        ("{% for a in incident.assets %}[{{ a }}]{% endfor %}", "[web-1][web-2]"),
        ("{{ incident.assets | join(', ') }} ({{ incident.asset_count }})", "web-1, web-2 (2)"),
        ("{{ incident.resolved_at or 'not yet' }}", "not yet"),
        ("<b>{{ company.name }}</b> & co", "<b>Acme</b> & co"),
        ("{{ 'critical!' if incident.severity == 'CRITICAL' else 'minor' }}", "critical!"),
    ],
)
def test_what_it_may_say(body: str, said: str) -> None:
    assert rendering.check(body, SAMPLE) == said


def test_what_an_alert_says_is_text_and_never_a_template(world: World) -> None:
    world.fires(asset="{{ 7 * 7 }}", signature="{% raw %}")
    assert "{{ 7 * 7 }}" in update(world, world.admin, "investigating").note


def test_a_text_that_grows_too_long_is_refused() -> None:
    facts = {**SAMPLE, "incident": SAMPLE["incident"] | {"assets": ["x" * 300] * 100}}
    with pytest.raises(InvalidField, match="longer than"):
        rendering.fill("{% for a in incident.assets %}{{ a }}{% endfor %}", facts)


# --- reminders -------------------------------------------------------------------------------------------------


def reminders(world: World) -> int:
    return world.count("notification", "event = 'incident.update_due'")


def busy(world: World, who: Actor, minutes: int) -> None:
    """Time passes in which somebody works on it, and says so among colleagues: nobody asks whether they are there."""
    while minutes > 0:
        world.passes(minutes=min(20, minutes))
        minutes -= 20
        world.act(who, "note", note="still at it")


def test_the_owner_is_reminded_while_it_is_critical_and_the_client_hears_nothing(world: World) -> None:
    tess = world.hire("tess", Role.TECHNICIAN, ACME)
    world.fires(severity="CRITICAL")
    world.act(tess, "start")
    busy(world, tess, 59)
    assert reminders(world) == 0
    busy(world, tess, 2)
    assert world.notices("incident.update_due") == {"user-tess"}
    update(world, tess, "investigating")
    busy(world, tess, 58)
    assert reminders(world) == 1
    busy(world, tess, 3)
    assert reminders(world) == 2
    world.act(tess, "resolve", note="done")
    world.passes(hours=5)
    assert reminders(world) == 2


def test_an_internal_note_is_no_update(world: World) -> None:
    tess = world.hire("tess", Role.TECHNICIAN, ACME)
    world.fires(severity="CRITICAL")
    world.act(tess, "start")
    world.passes(minutes=50)
    world.act(tess, "note", note="among ourselves")
    world.passes(minutes=11)
    assert reminders(world) == 1


def test_the_company_says_after_how_long_or_never(world: World) -> None:
    tess = world.hire("tess", Role.TECHNICIAN, ACME)
    world.settings(update_minutes=10)
    world.fires(severity="CRITICAL")
    world.act(tess, "start")
    world.passes(minutes=11)
    assert reminders(world) == 1
    world.settings(update_minutes=0)
    world.passes(hours=3)
    assert reminders(world) == 1


def test_what_is_not_critical_reminds_nobody_until_it_becomes_so(world: World) -> None:
    tess = world.hire("tess", Role.TECHNICIAN, ACME)
    world.fires(severity="HIGH")
    world.act(tess, "start")
    world.passes(hours=2)
    assert reminders(world) == 0
    world.fires(severity="CRITICAL", dedup_key="x")
    world.passes(minutes=61)
    assert reminders(world) == 1
