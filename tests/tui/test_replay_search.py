"""Looking for something in a played hour: filters, views, incidents and times, and that nobody is asked for it."""

from __future__ import annotations

from played import END, at, replayed


async def test_a_filter_is_asked_of_the_played_board_and_of_nobody() -> None:
    async with replayed() as it:
        asked = len(it.client.queries)
        await it.press("slash")
        await it.write("severity:>=HIGH")
        await it.press("enter")
        assert "filter: severity:>=HIGH  1 of 2" in it.screen
        assert "UPS" not in it.screen.partition("what happened")[0]
        await it.plays(6)
        assert "severity:>=HIGH  2 of 3" in it.screen
        assert "VPN tunnel down" in it.screen
        await it.press("f", "j", "j", "enter")
        assert "nobody's: assignee:none" in it.screen
        await it.press("full_stop")
        assert "INC-7    gone" in it.screen
        await it.press("comma")
        assert "INC-7    OPEN" in it.screen.partition("what happened")[0]
        await it.press("escape")
        assert "[Incidents, as they were]  " in it.screen
        assert "filter:" not in it.screen
        assert len(it.client.queries) == asked


async def test_what_a_past_board_cannot_tell_is_said_and_changes_nothing() -> None:
    async with replayed() as it:
        for text, why in (
            ("signature:disk", "signature: is not told by a past board"),
            ("severty:HIGH", "there is no field 'severty'"), ("state:WILD", "state: does not take 'WILD'"),
        ):  # fmt: skip
            await it.press("slash", "ctrl+u")
            await it.write(text)
            await it.press("enter")
            assert why in it.screen
            assert it.app.saved.filter == ""


async def test_what_is_due_within_an_hour_is_due_at_the_played_time() -> None:
    async with replayed() as it:
        it.app.set_filter("created:<33m")
        assert sorted(it.app.model.views) == ["INC-7"]
        await it.plays(4)
        assert [ref for ref in it.app.model.views if ref != it.app.model.tombstone] == []
        await it.plays(1)
        assert "INC-9" in it.app.model.views


async def test_a_command_goes_to_an_incident_a_time_or_a_view() -> None:
    async with replayed() as it:
        for typed, moment, cursor in (("INC-9", at(5), "INC-9"), ("8", at(5), "INC-8"), ("11:20", END, "")):
            await it.press("colon")
            await it.write(typed)
            await it.press("enter")
            if cursor:
                assert (it.app.tape.at, it.cursor) == (moment, cursor)
        assert f"{it.app.tape.at:%H:%M}" == "11:20"
        for typed, said in (
            ("INC-44", "INC-44 is on no board of this hour"), ("15:00", "is not in what is played"),
            ("ack 9", "REPLAY takes no ack"), ("dance", "there is no command"), ("view late", "late: sla:breached"),
            ("INC-8", "INC-8"), ("co evergreen", "filter: #evergreen"), ("INC-9", "INC-9 does not match the filter"),
            ("sort score", ""), ("view none such", "there is no such view"),
        ):  # fmt: skip
            await it.press("colon")
            await it.write(typed)
            await it.press("enter")
            assert said in it.screen
        assert it.app.model.sort == "-priority_score"
        assert it.acts == []


async def test_it_begins_with_a_view_and_an_incident() -> None:
    async with replayed(wanted="INC-9", begin_filter="severity:CRITICAL") as it:
        assert (it.app.tape.at, it.cursor, list(it.app.model.views)) == (at(5), "INC-9", ["INC-9"])
