"""BugSnag (Insight Hub), its webhook: errors that are new, frequent or back, spikes, comments and changes of state."""

from __future__ import annotations

from siems.errors import InvalidField
from siems.sources import Headers, Read, Remark, Setup, Tool
from siems.sources.reading import Doc, alert_of, document
from siems.sources.shapes import some
from siems.vocabulary import Severity

_WORDS = {"error": Severity.HIGH, "warning": Severity.MEDIUM, "info": Severity.LOW}
_PROJECT = {
    "projectspiking": ("errors are spiking", Severity.HIGH),
    "projectsamplingstarted": ("events are rate-limited", Severity.LOW),
    "projectapproachingratelimit": ("events are close to the rate limit", Severity.LOW),
}
_ASIDE = ("comment", "errorstatemanualchange", "errorassigned", "errorunassigned", "linkedissuecreated")


def read(body: bytes, headers: Headers) -> Read:
    """One trigger."""
    doc = document(body, headers)
    kind, project, error = doc.first("trigger.type").lower(), doc.first("project.name"), doc.doc("error")
    why = doc.first("trigger.message")
    if not kind:
        raise InvalidField("it has no trigger with a type")
    if kind == "release":
        return Read(said=f"release {doc.first('release.version')} of {project}")
    if kind == "test":
        return Read(said="test message of BugSnag")
    key = error.first("errorId") or error.first("id")
    change = doc.first("trigger.stateChange", "error.status").lower() if kind == "errorstatemanualchange" else ""
    fixed = change in ("fixed", "resolved", "closed")
    if kind in _ASIDE and not fixed and change not in ("open", "opened", "reopened") and key:
        who, comment = (
            doc.first("user.name", "comment.user.name"),
            doc.first("comment.message", "comment.body", "comment"),
        )
        text = f"BugSnag: {change or why or kind}" + (f" by {who}" if who else "") + (f": {comment}" if comment else "")
        return Read(remarks=(Remark(key, text),))
    if kind in _PROJECT or not error.value:
        return _of_project(doc, kind, project, why)
    name, said = error.first("exceptionClass") or "error", error.first("message")
    return Read(
        (
            alert_of(
                tool="bugsnag",
                asset=project or error.first("device.hostname"),
                signature=name,
                word=error.first("severity"),
                words=_WORDS,
                message="\n".join(filter(None, [f"{name}: {said}" if said else name, error.first("context"), why])),
                firing=not fixed,
                key=key or None,
                tags=some(
                    error, "releaseStage", "app.releaseStage", "app.version", "app.type", "device.hostname", "severity",
                    "context", "status", "unhandled", project=project, account=doc.first("account.name"),
                ),
                urls=[error.first("url"), error.first("requestUrl"), doc.first("project.url")],
                starts=error.first("receivedAt") if kind == "firstexception" else None,
            ),
        )
    )  # fmt: skip


def _of_project(doc: Doc, kind: str, project: str, why: str) -> Read:
    if not project:
        raise InvalidField("it has neither an error nor a project")
    signature, severity = _PROJECT.get(kind, (kind, Severity.MEDIUM))
    key, rate = doc.first("project.id"), doc.first("trigger.rate")
    return Read(
        (
            alert_of(
                tool="bugsnag",
                asset=project,
                signature=signature,
                severity=severity,
                message=f"{project}: {why or signature}" + (f" ({rate} per minute)" if rate else ""),
                key=f"{key}:{kind}" if key else None,
                tags=some(doc, "trigger.releaseStage", account=doc.first("account.name")),
                urls=doc.first("project.url"),
            ),
        )
    )


tool = Tool(
    name="bugsnag",
    title="BugSnag",
    read=read,
    setup=Setup(
        steps=(
            "Open the project: Settings → Integrations → Data forwarding → Webhook.",
            "URL:  {url}",
            "Choose the events: new error, error reopened, spike in errors, change of state. Press Test, then Save.",
        ),
        docs="https://docs.bugsnag.com/product/integrations/data-forwarding/webhook/",
    ),
)
