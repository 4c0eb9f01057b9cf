"""Centreon: a notification of a host or service, by a notification command or a stream connector."""

from __future__ import annotations

from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import document
from siems.sources.states import host_or_service


def read(body: bytes, headers: Headers) -> Read:
    return host_or_service("centreon", "Centreon", document(body, headers), "centreon", "nagios")


tool = Tool(
    name="centreon",
    title="Centreon",
    read=read,
    setup=Setup(
        steps=(
            "Configuration → Commands → Notifications → Add: siems-service, with the first line below.",
            "Add another, siems-host, with the second line.",
            "Configuration → Users → Contacts: a contact siems with these commands, Enable Notifications: Yes, "
            "periods 24x7, and all states but downtimes.",
            "Link it to your hosts and services, then Configuration → Pollers → Export configuration.",
        ),
        snippet_name="Command Line",
        snippet="""curl -fsS -m 20 "{url}" --data-urlencode "notification_type=$NOTIFICATIONTYPE$" --data-urlencode "host_name=$HOSTNAME$" --data-urlencode "host_address=$HOSTADDRESS$" --data-urlencode "service_description=$SERVICEDESC$" --data-urlencode "service_state=$SERVICESTATE$" --data-urlencode "service_output=$SERVICEOUTPUT$" --data-urlencode "last_service_state_change=$LASTSERVICESTATECHANGE$" --data-urlencode "notification_author=$NOTIFICATIONAUTHOR$" --data-urlencode "notification_comment=$NOTIFICATIONCOMMENT$"

curl -fsS -m 20 "{url}" --data-urlencode "notification_type=$NOTIFICATIONTYPE$" --data-urlencode "host_name=$HOSTNAME$" --data-urlencode "host_address=$HOSTADDRESS$" --data-urlencode "host_state=$HOSTSTATE$" --data-urlencode "host_output=$HOSTOUTPUT$" --data-urlencode "last_host_state_change=$LASTHOSTSTATECHANGE$" --data-urlencode "notification_author=$NOTIFICATIONAUTHOR$" --data-urlencode "notification_comment=$NOTIFICATIONCOMMENT$"
""",  # noqa: E501  a command is one line
        docs="https://docs.centreon.com/docs/alerts-notifications/notif-configuration/",
    ),
)
