"""`siems help`: what does not belong to one command."""

from __future__ import annotations

from typing import Annotated

import typer

from siems import errors
from siems.cli.context import Door, leaf, new_app

app = new_app("Help on topics.")
COMMANDS = ("help",)

TOPICS = {
    "exit-codes": """\
0   ok            done, or it was so already
1   internal      a bug; the details are in the state folder
2   usage         a bad flag or value, or a prompt that nobody can answer
3   not_found     no such id or name, or none that you may know of
4   auth          not logged in, or no longer
5   forbidden     your role does not allow it
6   conflict      the state does not allow it, or somebody was faster
7   partial       of several, some failed
8   pending       not yet: a wait ended without its condition
9   negative      the check ran, and the answer is no
10  unavailable   no daemon answers, or it is too busy: try again
130 interrupted   ctrl+c""",
    "environment": """\
SIEMS_URL           the daemon, instead of the one on this machine
SIEMS_TOKEN         who you are; SIEMS_TOKEN_FILE names a file with it
SIEMS_HOME          one folder for everything, instead of the XDG folders
SIEMS_CONFIG        the settings file
SIEMS_OUTPUT        like -o
SIEMS_TIMEOUT       like --timeout
SIEMS_NO_INPUT      never prompt
SIEMS_PASSWORD      for init, login and user create
SIEMS_DEBUG         tell on standard error what is sent
SIEMS_A11Y          a plain, numbered board instead of the screen
NO_COLOR, FORCE_COLOR
SIEMS_<SECTION>_<KEY>   any setting: SIEMS_SERVER_PORT""",
    "time": """\
90s 30m 2h 1d12h 2w      from now, or a length
14:00                    the next time this clock shows it
'tomorrow 9am' 'sat 03:00'
2026-03-10T14:00Z        RFC 3339; without a zone it is this machine's
a bare number is refused: it has no unit""",
    "query": """\
severity:>=HIGH state:OPEN,ASSIGNED #acme -flapping:true "disk full"

terms side by side    all of them       OR, ( )    alternatives
-term                 not               "a b"      text with spaces
@me #acme             assignee and company
field:value  field:a,b  field:>=value
sla:<1h sla:breached sla:paused sla:met
created:<24h          within the last day; created:>2h is older than that

fields: id company title severity state category assignee asset source signature
  priority_score escalation_level alert_count on_hold flapping acknowledged
  merged_into recurrence_of created resolved resolved_by cause sla
of assets: name company critical address platform category instance_id
  cloud_account source notes first_seen last_seen""",
}


@app.command("help")
@leaf
def help_(door: Door, topic: Annotated[str, typer.Argument(help=", ".join(TOPICS))] = "") -> int:
    """Help on a topic."""
    if not topic:
        from siems.cli import run

        code = run([])
        print(f"\ntopics: siems help {'|'.join(TOPICS)}")
        return code
    if topic not in TOPICS:
        raise errors.NotFound(f"there is no topic {topic!r}", hint=f"one of: {', '.join(TOPICS)}")
    print(TOPICS[topic])
    return 0
