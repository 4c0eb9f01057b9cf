"""System Center Operations Manager: an alert, by a PowerShell script of a command channel."""

from __future__ import annotations

from siems.errors import InvalidField
from siems.sources import Headers, Read, Remark, Setup, Tool
from siems.sources.reading import Doc, alert_of, document, text
from siems.sources.shapes import flat, is_over, some, whole_key, zoned
from siems.vocabulary import Severity

WORDS = {
    "2": Severity.CRITICAL, "error": Severity.CRITICAL, "critical": Severity.CRITICAL,
    "1": Severity.MEDIUM, "warning": Severity.MEDIUM, "0": Severity.LOW, "information": Severity.LOW,
}  # fmt: skip
_ABSENT = frozenset(["np", "notpresent", "not present"])


def read(body: bytes, headers: Headers) -> Read:
    doc = _present(flat(document(body, headers)))
    asset = _machine(doc)
    name = doc.first("alertname", "name", "title")
    if not (asset or name):
        raise InvalidField("this is no alert of SCOM: it names neither an alert nor what it is about")
    own = text(doc.at("alertid") or doc.at("id"), 255)  # in braces, which are no placeholder here
    key = whole_key(own.strip(" {}").lower())
    state = doc.first("resolutionstate", "resolutionstatename", "state")
    over = state in ("255", "254") or is_over(state)
    if state and not over and state.lower() not in ("0", "new", "open", "active") and key:
        return Read(remarks=(Remark(key, f"resolution state {state}{_by(doc)}"),))
    said = doc.first("alertdescription", "description")
    reading = alert_of(
        tool="scom",
        asset=asset,
        signature=name or "SCOM alert",
        word=doc.first("severity"),
        words=WORDS,
        message=f"{name}\n{said}".strip(),
        firing=not over,
        key=key,
        tags=some(doc, "category", "priority", "managedentitysource", "monitoringobjectdisplayname", "managementgroup",
                  "owner", "ticketid", "repeatcount"),
        urls=[doc.first("weburl"), doc.first("url"), doc.first("weblink")],
        starts=None if over else zoned(doc.at("timeraised")),
    )  # fmt: skip
    return Read((reading,))


def _present(doc: Doc) -> Doc:
    """The same without what the channel calls not present."""
    kept = {k: v for k, v in doc.value.items() if not (isinstance(v, str) and v.strip().lower() in _ABSENT)}
    return Doc(kept)


def _machine(doc: Doc) -> str:
    """The computer; the path of a part of one (`dc1.corp;C:`) begins with it."""
    path = doc.first("netbioscomputername", "principalname", "managedentitypath", "monitoringobjectpath")
    return path.partition(";")[0] or doc.first(
        "managedentitysource", "managedentitydisplayname", "monitoringobjectdisplayname", "monitoringobjectname",
        "computer", "host", "managedentity",
    )  # fmt: skip


def _by(doc: Doc) -> str:
    who = doc.first("resolvedby", "lastmodifiedby", "owner")
    return f", by {who}" if who else ""


tool = Tool(
    name="scom",
    title="System Center Operations Manager",
    read=read,
    setup=Setup(
        steps=(
            "Save the script below as C:\\scripts\\siems.ps1 on every management server.",
            "Administration → Notifications → Channels → New → Command. Full path of the command file: "
            "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe, Startup folder: C:\\scripts.",
            "Command line parameters:  -ExecutionPolicy Bypass -File C:\\scripts\\siems.ps1 "
            "$Data[Default='NotPresent']/Context/DataItem/AlertId$",
            "Notifications → Subscribers → New: siems, with this channel as its address. Then Subscriptions → New, "
            "with the alerts of resolution state New and Closed.",
        ),
        snippet_name="siems.ps1",
        snippet="""param([string]$AlertId)
Import-Module OperationsManager
[Net.ServicePointManager]::SecurityProtocol = [Net.SecurityProtocolType]::Tls12
$alert = Get-SCOMAlert -Id $AlertId.Trim('{', '}')
$body = @{
  alertId             = "$($alert.Id)"
  alertName           = $alert.Name
  alertDescription    = $alert.Description
  severity            = [int]$alert.Severity
  priority            = "$($alert.Priority)"
  resolutionState     = [int]$alert.ResolutionState
  netbiosComputerName = $alert.NetbiosComputerName
  principalName       = $alert.PrincipalName
  managedEntityPath   = $alert.MonitoringObjectPath
  managedEntitySource = $alert.MonitoringObjectDisplayName
  category            = "$($alert.Category)"
  owner               = $alert.Owner
  timeRaised          = $alert.TimeRaised.ToString('yyyy-MM-ddTHH:mm:ssZ')
} | ConvertTo-Json
Invoke-RestMethod -Method Post -Uri '{url}' -ContentType 'application/json; charset=utf-8' `
  -Body ([Text.Encoding]::UTF8.GetBytes($body))
""",
        docs="https://learn.microsoft.com/system-center/scom/manage-notifications-enable-command-channel",
    ),
)
