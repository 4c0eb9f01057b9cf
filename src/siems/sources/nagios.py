"""Nagios: a notification of a host or service, by a command that an operator wrote."""

from __future__ import annotations

from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import document
from siems.sources.states import host_or_service


def read(body: bytes, headers: Headers) -> Read:
    return host_or_service("nagios", "Nagios", document(body, headers), "nagios")


tool = Tool(
    name="nagios",
    title="Nagios",
    read=read,
    setup=Setup(
        steps=(
            "Put the commands and the contact below into commands.cfg.",
            "Add siems to the contact group that your hosts and services notify.",
            "Check and reload:  nagios -v /usr/local/nagios/etc/nagios.cfg && systemctl reload nagios",
            "Use Send custom service notification on a service that has a problem to try it.",
        ),
        snippet_name="commands.cfg",
        snippet="""define command {
  command_name  notify-service-by-siems
  command_line  /usr/bin/curl -fsS -m 20 "{url}" --data-urlencode "notification_type=$NOTIFICATIONTYPE$" --data-urlencode "host_name=$HOSTNAME$" --data-urlencode "host_address=$HOSTADDRESS$" --data-urlencode "host_groups=$HOSTGROUPNAMES$" --data-urlencode "service_description=$SERVICEDESC$" --data-urlencode "service_state=$SERVICESTATE$" --data-urlencode "service_output=$SERVICEOUTPUT$" --data-urlencode "long_service_output=$LONGSERVICEOUTPUT$" --data-urlencode "last_service_state_change=$LASTSERVICESTATECHANGE$" --data-urlencode "notification_author=$NOTIFICATIONAUTHOR$" --data-urlencode "notification_comment=$NOTIFICATIONCOMMENT$"
}

define command {
  command_name  notify-host-by-siems
  command_line  /usr/bin/curl -fsS -m 20 "{url}" --data-urlencode "notification_type=$NOTIFICATIONTYPE$" --data-urlencode "host_name=$HOSTNAME$" --data-urlencode "host_address=$HOSTADDRESS$" --data-urlencode "host_groups=$HOSTGROUPNAMES$" --data-urlencode "host_state=$HOSTSTATE$" --data-urlencode "host_output=$HOSTOUTPUT$" --data-urlencode "last_host_state_change=$LASTHOSTSTATECHANGE$" --data-urlencode "notification_author=$NOTIFICATIONAUTHOR$" --data-urlencode "notification_comment=$NOTIFICATIONCOMMENT$"
}

define contact {
  contact_name                   siems
  alias                          siems
  service_notification_period    24x7
  host_notification_period       24x7
  service_notification_options   w,u,c,r,f
  host_notification_options      d,u,r,f
  service_notification_commands  notify-service-by-siems
  host_notification_commands     notify-host-by-siems
}
""",  # noqa: E501  a command of Nagios is one line
        docs="https://assets.nagios.com/downloads/nagioscore/docs/nagioscore/4/en/notifications.html",
    ),
)
