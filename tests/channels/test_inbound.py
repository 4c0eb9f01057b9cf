"""Who answers: requests of Twilio and Slack are theirs, or are not taken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siems.channels import slack_signature, twilio_signature

# the example of Twilio's own documentation
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
FORM = {"CallSid": "CA1234567890ABCDE", "Caller": "+14158675310", "Digits": "1234", "From": "+14158675310",
        "To": "+18005551212"}  # fmt: skip
TOKEN, SIGNED = "12345", "GvWf1cFY/Q7PnoempGyD5oXAezc="

# the example of Slack's own documentation
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
STAMP = "1531420618"
BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&"
    b"channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&"
    b"response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&"
    b"trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
V0 = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
AT = datetime.fromtimestamp(int(STAMP), UTC)


def test_twilio_is_known_by_its_own_example() -> None:
    assert twilio_signature.signature(TOKEN, URL, FORM.items()) == SIGNED
    assert twilio_signature.right(TOKEN, URL, FORM.items(), SIGNED)


@pytest.mark.parametrize(
    ("token", "url", "form", "given"),
    [
        ("12346", URL, FORM, SIGNED), (TOKEN, URL + "3", FORM, SIGNED), (TOKEN, URL, FORM | {"Digits": "4"}, SIGNED),
        (TOKEN, URL, FORM | {"More": ""}, SIGNED), (TOKEN, URL, FORM, ""), (TOKEN, URL, FORM, "\udcffé"),
        ("", URL, FORM, twilio_signature.signature("", URL, FORM.items())),
    ],
)  # fmt: skip
def test_anything_else_is_not_twilio(token: str, url: str, form: dict[str, str], given: str) -> None:
    assert not twilio_signature.right(token, url, form.items(), given)


@pytest.mark.parametrize(
    ("signed", "called", "same"),
    [
        ("https://s.example:443/a", "https://s.example/a", True),
        ("https://s.example/a", "https://s.example:443/a", True),
        ("http://s.example:80/a", "http://s.example/a", True),
        ("https://s.example:8443/a", "https://s.example/a", False),
        ("https://s.example/a", "http://s.example/a", False),
    ],
)  # fmt: skip
def test_a_port_that_goes_without_saying_makes_no_difference(signed: str, called: str, same: bool) -> None:
    given = twilio_signature.signature(TOKEN, signed, FORM.items())
    assert twilio_signature.right(TOKEN, called, FORM.items(), given) is same


def test_slack_is_known_by_its_own_example() -> None:
    assert slack_signature.right(SECRET, STAMP, BODY, V0, now=AT)
    assert slack_signature.right(SECRET, STAMP, BODY, V0, now=AT + timedelta(seconds=300))


@pytest.mark.parametrize(
    ("secret", "stamp", "body", "given", "late"),
    [
        (SECRET, STAMP, BODY, V0, 301), (SECRET, STAMP, BODY, V0, -301), (SECRET, STAMP, BODY + b"&", V0, 0),
        (SECRET, "1531420619", BODY, V0, 0), ("other", STAMP, BODY, V0, 0), (SECRET, STAMP, BODY, V0[3:], 0),
        (SECRET, "soon", BODY, V0, 0), (SECRET, "", BODY, V0, 0), (SECRET, "１５３１４２０６１８", BODY, V0, 0),
        (SECRET, STAMP, BODY, "v0=\udcff", 0), ("", STAMP, BODY, slack_signature.signature("", STAMP, BODY), 0),
    ],
)  # fmt: skip
def test_anything_else_is_not_slack(secret: str, stamp: str, body: bytes, given: str, late: int) -> None:
    assert not slack_signature.right(secret, stamp, body, given, now=AT + timedelta(seconds=late))


@given(st.text(), st.text(), st.binary())
def test_no_header_breaks_it(given: str, stamp: str, body: bytes) -> None:
    assert not slack_signature.right(SECRET, stamp, body, given, now=AT)
    assert not twilio_signature.right(TOKEN, URL, FORM.items(), given)
