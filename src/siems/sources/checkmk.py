"""Checkmk: a notification of a host or service, by a notification script."""

from __future__ import annotations

from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import document
from siems.sources.states import host_or_service


def read(body: bytes, headers: Headers) -> Read:
    return host_or_service("checkmk", "Checkmk", document(body, headers), "notify")


tool = Tool(
    name="checkmk",
    title="Checkmk",
    read=read,
    setup=Setup(
        steps=(
            "As the site's user, save the script below as ~/local/share/check_mk/notifications/siems "
            "and make it executable:  chmod +x ~/local/share/check_mk/notifications/siems",
            "Setup → Events → Notifications → Add rule. Notification method: siems (it lists itself by the script's "
            "second line).",
            "Contact selection: one user is enough, since siems does its own routing. Save and activate the changes.",
            "Test notifications → a host or service → Send out the notification.",
        ),
        snippet_name="~/local/share/check_mk/notifications/siems",
        snippet="""#!/usr/bin/env python3
# siems
import json, os, urllib.request

told = dict((name, value) for name, value in os.environ.items()
            if name.startswith("NOTIFY_") and not name.startswith(("NOTIFY_PARAMETER", "NOTIFY_CONTACT")))
told["OMD_SITE"] = os.environ.get("OMD_SITE", "")
urllib.request.urlopen(urllib.request.Request(
    "{url}", json.dumps(told).encode(), dict([("Content-Type", "application/json")])), timeout=20)
""",
        docs="https://docs.checkmk.com/latest/en/notifications.html#scripts",
    ),
)
