"""The night of whoever is on call: a page by text message, an answer by text message, and quiet."""

from __future__ import annotations

import http.client
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from house import House, until
from providers.phones import ACCOUNT, NUMBER, TOKEN, Twilio
from siems.channels import twilio_signature

from .test_people import hire

JON = "+4930123456"


def post(house: House, path: str, fields: dict[str, str]) -> tuple[int, str]:
    """As Twilio posts it: signed over the address that it was told."""
    public = f"http://127.0.0.1:{house.env['SIEMS_SERVER_PORT']}"
    url, signature = urlsplit(public), twilio_signature.signature(TOKEN, public + path, fields.items())
    link = http.client.HTTPConnection(url.hostname or "", url.port, timeout=30)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature}
    link.request("POST", path, urlencode(fields), headers)
    answer = link.getresponse()
    said = answer.read().decode()
    link.close()
    return answer.status, said


def test_a_page_by_text_message_is_answered_by_text_message(prepared: Callable[..., House], tmp_path: Path) -> None:
    with Twilio() as twilio:
        house = prepared(
            SIEMS_SMS_PROVIDER="twilio", SIEMS_SMS_SENDER=NUMBER,
            SIEMS_TWILIO_ACCOUNT=ACCOUNT, SIEMS_TWILIO_TOKEN=TOKEN, SIEMS_TWILIO_URL=twilio.url,
        ).up()  # fmt: skip
        acme = house.onboard("Acme")
        jon = hire(house, tmp_path, "jon", "technician", "acme")
        jon.run("notify", "rules", "add", "--channel", "sms", "--to", JON)
        ref = acme.alert()["incident_id"]

        # the telephone rings
        [(number, text)] = until(lambda: twilio.texts)
        assert number == JON
        [code] = re.findall(r"Reply (\d+)a to ack", text)
        assert f"INC-{code}" == ref

        # jon answers half asleep; Twilio tries twice
        fields = {"From": JON, "To": NUMBER, "Body": f" {code}A ", "MessageSid": "SM1"}
        answers = {post(house, "/api/twilio/sms", fields) for _ in range(2)}
        [(status, said)] = answers
        assert (status, f"{ref} acknowledged" in said) == (200, True)

        # it is his, the chain stands still, and the record says how
        shown = house.json("incident", "show", ref)
        assert (shown["assignee"], shown["state"]) == ("user-jon", "ASSIGNED")
        assert shown["sla"]["response"]["met_at"] is not None
        waiting = [m for m in house.json("notify", "list") if m["state"] in ("pending", "failed", "sending")]
        assert waiting == []
        acts = [line for line in house.json("audit", "list", "--object", ref) if "acknowledged" in line["action"]]
        assert [(line["actor"], line["reason"]) for line in acts] == [("user-jon", "answered by sms")]

        # whoever is not known gets nothing out of it
        status, said = post(house, "/api/twilio/sms", fields | {"From": "+4930999999", "MessageSid": "SM2"})
        assert (status, ref in said) == (200, False)
