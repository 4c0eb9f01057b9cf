"""NetBox: changes of the inventory; what is set to failed or offline is an alert, other changes are not."""

from __future__ import annotations

from siems.domain.signature import Scheme
from siems.errors import InvalidField
from siems.sources import Headers, Read, Setup, Tool
from siems.sources.reading import alert_of, document
from siems.sources.shapes import some
from siems.vocabulary import Severity

_ILL = {"failed": Severity.HIGH, "offline": Severity.MEDIUM}


def read(body: bytes, headers: Headers) -> Read:
    doc = document(body, headers)
    event = doc.first("event").removeprefix("object_")
    data = doc.doc("data")
    model = doc.first("model", "data.object_type", "object_type")
    if not event or not (model or data.value):
        raise InvalidField("this is no NetBox webhook: it has no event and no model", hint="leave the body template"
                           " of the webhook empty")  # fmt: skip
    name = data.first("name", "display", "cid", "address", "prefix", "slug")
    if event.startswith("job_"):
        return _job(event, name or model)
    before = doc.first("snapshots.prechange.status").lower()
    now = data.first("status.value", "status").lower()
    over = before in _ILL and now not in _ILL
    if event == "deleted" or before == now or not (over or now in _ILL):
        return Read(said=f"NetBox: {model} {name} {event}".strip())
    who = doc.first("username", "user")
    return Read((alert_of(
        tool="netbox",
        asset=name,
        signature=f"{model.rpartition('.')[2]} not active",
        word=before if over else now,
        words=_ILL,
        message=f"{model} {name}: status {before or 'new'} -> {now}{f', set by {who}' if who else ''}\n"
        + data.first("comments", "description"),
        firing=not over,
        key=f"{model}/{data.first('id') or name}/status",
        tags=some(data, "site.name", "tenant.name", "role.name", "primary_ip.address", model=model, status=now),
        urls=[data.first("display_url", "url")],
        starts=doc.first("timestamp") or None,
    ),))  # fmt: skip


def _job(event: str, name: str) -> Read:
    """A script or report: its failure is over when it runs through again."""
    how = event.removeprefix("job_")
    if how in ("start", "started"):
        return Read(said=f"NetBox: job {name} started")
    return Read((alert_of(
        tool="netbox", asset="NetBox", signature=f"job {name}", severity=Severity.MEDIUM,
        message=f"job {name} {how}", firing=how in ("failed", "errored"),
    ),))  # fmt: skip


tool = Tool(
    name="netbox",
    title="NetBox",
    read=read,
    signing=Scheme(header="X-Hook-Signature", hash="sha512"),
    setup=Setup(
        steps=(
            "Operations > Integrations > Webhooks > Add: name siems, URL {url}, method POST, content type"
            " application/json, an empty body template, secret {secret}",
            "Operations > Integrations > Event Rules > Add: the object types Device and Virtual Machine, the event"
            " Object updated, the action Webhook: siems.",
            "siems makes an alert of a status that becomes failed or offline, and ends it with the next status.",
        ),
        docs="https://netboxlabs.com/docs/netbox/integrations/webhooks/",
    ),
)
