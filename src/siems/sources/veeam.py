"""Veeam: results of backup jobs and alarms, posted by a script; also alarms of the Service Provider Console."""

from __future__ import annotations

import re

from siems.domain.alert import SEVERITY_WORDS
from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import alert_of, document
from siems.sources.shapes import fields, is_over, some
from siems.vocabulary import Severity

_WORDS = SEVERITY_WORDS | {"failed": Severity.HIGH, "failure": Severity.HIGH, "success": Severity.LOW}
_SESSION = re.compile(r"Session result:[ *_]{0,4}(\w{3,16})", re.IGNORECASE)
"""How VeeamNotify says it in a message for a chat, which the job's name is the title of."""


def read(body: bytes, headers: Headers) -> Read:
    doc = fields(document(body, headers))
    job = doc.first("jobname", "job", "backupjob", "policyname", "policy")
    alarm = doc.first("alarmname", "alarm", "alarmtemplatename", "rulename", "alarmtemplateuid",
                      "alarmtemplateid")  # fmt: skip
    title = doc.first("title", "text", "content", "message", "summary", "subject")
    session = _SESSION.search("\n".join(filter(None, [doc.first("description", "text"), title])))
    job = job or (doc.first("title") if session else "")
    if not (job or alarm) and not doc.first("result", "status"):
        raise InvalidField("this names neither a job nor an alarm of Veeam", hint="use the script of the setup steps")
    result = doc.first("result", "jobresult", "sessionresult", "status", "alarmstatus", "severity", "state", "newstate",
                       "newstatus")  # fmt: skip
    result = result or (session[1] if session else "")
    running = result.lower() in ("none", "running", "working", "pending", "starting", "inprogress")
    if job and (running or not result):
        return Read(said=f"Veeam job {job} without a result yet")
    machine = doc.first("vmname", "objectname", "computername", "machinename", "nodename", "affectedobject", "object")
    server = doc.first("server", "backupserver", "vbrserver", "hostname", "host", "servername")
    reason = doc.first("reason", "details", "description", "failurereason", "remark", "errormessage", "error")
    named = f"backup job {job}" if job else f"Veeam alarm {alarm}" if alarm else "Veeam notification"
    return Read((alert_of(
        tool="veeam",
        asset=machine or server or job,
        signature=named,
        word=result,
        words=_WORDS,
        message="\n".join(filter(None, [f"{named}: {result}", title if title != reason else "", reason])),
        firing=not is_over(result),
        key=f"{server}/{doc.first('jobid') or job}/{machine}" if job else doc.first("alarmid", "instanceuid") or None,
        tags=some(doc, "jobtype", "type", "platform", "repository", "tenant", "company", "companyname", "location",
                  "duration", "jobid", "sessionid", server=server),
        urls=[doc.first("url", "link")],
        starts=doc.first("creationtime", "starttime", "started", "time", "timestamp") or None,
    ),))  # fmt: skip


tool = Tool(
    name="veeam",
    title="Veeam Backup & Replication",
    read=read,
    setup=Setup(
        steps=(
            "Save the script below on the backup server, for example as C:\\Scripts\\siems.ps1; it posts to {url}",
            "Task Scheduler > Create Task: run  powershell.exe -File C:\\Scripts\\siems.ps1  every 15 minutes, as a"
            " user who may read the jobs of Veeam.",
            "Veeam ONE: the same URL serves an alarm's action  Run script  that posts alarm, object, status and"
            " summary as JSON.",
        ),
        snippet_name="siems.ps1",
        snippet="""Import-Module Veeam.Backup.PowerShell
Get-VBRBackupSession | Where-Object { $_.State -eq 'Stopped' -and $_.EndTime -gt (Get-Date).AddMinutes(-16) } |
  ForEach-Object {
    $body = @{
      job = $_.JobName; jobId = "$($_.JobId)"; jobType = "$($_.JobType)"; result = "$($_.Result)"
      server = $env:COMPUTERNAME; startTime = $_.CreationTime.ToUniversalTime().ToString('o')
      reason = "$($_.GetDetails())"; sessionId = "$($_.Id)"
    } | ConvertTo-Json
    Invoke-RestMethod -Method Post -Uri '{url}' -ContentType 'application/json; charset=utf-8' -Body $body
  }
""",
        docs="https://helpcenter.veeam.com/docs/vbr/powershell/get-vbrbackupsession.html",
    ),
)
