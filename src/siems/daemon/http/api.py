"""The API under /api/v1: the table of its routes, and what concerns the whole."""

from __future__ import annotations

from functools import partial

from aiohttp import web
from sqlalchemy import Connection

from siems import wire
from siems.daemon.http import (
    assets,
    companies,
    heartbeats,
    incidents,
    integrations,
    sending,
    sessions,
    silences,
    templates,
    tickets,
)
from siems.daemon.http.call import Call, Route, encode, items_of
from siems.daemon.http.middleware import RUNTIME, answer, not_draining
from siems.domain.permissions import Permission, require_role
from siems.services import directory, overview, trail
from siems.storage.unit_of_work import UnitOfWork
from siems.vocabulary import MSP, Role


async def inbox(call: Call) -> web.Response:
    unread = call.word("unread") == "true"
    work = partial(overview.inbox, unread=unread, limit=call.limit() or 100)
    return items_of(await call.read(work, call.actor, call.runtime.clock.now()))


async def read_inbox(call: Call) -> web.Response:
    ask = await call.body(wire.ReadAsk)

    def verb(uow: UnitOfWork) -> bytes:
        return encode({"read": directory.mark_read(uow, call.actor, ask.ids)})

    return await call.write(verb, company=MSP)


async def list_audit(call: Call) -> web.Response:
    company = call.word("company")
    chain: str | None = None
    if company:
        chain = MSP if company == MSP else await call.read(directory.find_company, company, call.actor)
    work = partial(trail.list_entries, chain=chain, object=call.word("object"), limit=call.limit() or 100)
    return items_of(await call.read(work, call.actor))


async def verify_audit(call: Call) -> web.Response:
    return answer(await call.read(trail.verify_all, call.actor))


async def summary(call: Call) -> web.Response:
    return answer(await call.read(overview.summary, call.actor, call.runtime.clock.now()))


async def status(call: Call) -> web.Response:
    require_role(call.actor, Permission.SEE_AUDIT)
    runtime = call.runtime
    overdue = await runtime.scheduler.overdue()
    url = runtime.database.url.render_as_string(hide_password=True)
    shown = url if call.actor.role is Role.ADMIN else runtime.database.dialect.name
    checks = await call.read(partial(directory.checks, overdue=overdue, drift=runtime.clock.drift()))
    if runtime.mail is not None:
        checks.append(wire.Check(name="mail", ok=True, cause=f"listens on port {runtime.mail.port}", fix=""))
    return answer(
        wire.Status(
            version=runtime.version, pid=directory.process_id(), url=runtime.public_url, database=shown,
            started_at=runtime.started_at, server_time=runtime.clock.now(),
            queue=runtime.database.writer.lanes.length, overdue=overdue, subscribers=runtime.hub.subscribers,
            clock_drift_seconds=runtime.clock.drift().total_seconds(), checks=checks,
        )
    )  # fmt: skip


async def livez(request: web.Request) -> web.Response:
    """Whether this process works; never asks the database."""
    runtime = request.app[RUNTIME]
    alive = runtime.scheduler.alive() and runtime.database.writer.alive()
    return answer({"ok": alive}, status=200 if alive else 503)


async def readyz(request: web.Request) -> web.Response:
    """Whether it takes alerts: asks the database, and fails first when it drains."""
    runtime = request.app[RUNTIME]
    not_draining(runtime)
    await runtime.database.peek(_ping)
    return answer({"ok": True})


def _ping(connection: Connection) -> None:
    connection.exec_driver_sql("SELECT 1")


ROUTES: tuple[tuple[str, str, Route], ...] = (
    ("GET", "/incidents", incidents.list_incidents),
    ("GET", "/incidents/{ref}", incidents.show_incident),
    ("GET", "/incidents/{ref}/timeline", incidents.incident_timeline),
    ("GET", "/incidents/{ref}/alerts", incidents.incident_alerts),
    ("POST", "/incidents/{ref}/actions/{action}", incidents.act),
    ("POST", "/incidents/{ref}/updates", templates.update_incident),
    ("POST", "/incidents/{ref}/tickets", tickets.give_ticket),
    ("GET", "/tickets", tickets.list_tickets),
    ("GET", "/tickets/{ref}", tickets.show_ticket),
    ("DELETE", "/tickets/{ref}", tickets.unlink_ticket),
    ("POST", "/tickets/{ref}/sync", tickets.sync_ticket),
    ("POST", "/tickets/{ref}/retry", tickets.retry_ticket),
    ("GET", "/ticket-accounts", tickets.list_accounts),
    ("POST", "/ticket-accounts", tickets.add_account),
    ("GET", "/ticket-accounts/{ref}", tickets.show_account),
    ("PATCH", "/ticket-accounts/{ref}", tickets.edit_account),
    ("DELETE", "/ticket-accounts/{ref}", tickets.remove_account),
    ("POST", "/ticket-accounts/{ref}/test", tickets.test_account),
    ("POST", "/ticket-accounts/{ref}/sync", tickets.sync_account),
    ("GET", "/templates", templates.list_templates),
    ("GET", "/templates/{name}", templates.show_template),
    ("PUT", "/templates/{name}", templates.edit_template),
    ("DELETE", "/templates/{name}", templates.reset_template),
    ("POST", "/templates/{name}/render", templates.render_template),
    ("GET", "/idempotency/{key}", incidents.look_up_write),
    ("GET", "/alerts", incidents.list_alerts),
    ("POST", "/alerts", sending.send_alert),
    ("GET", "/alerts/{ref}", incidents.show_alert),
    ("GET", "/arrivals", incidents.list_arrivals),
    ("GET", "/rejections", incidents.list_rejections),
    ("GET", "/silences", silences.list_silences),
    ("POST", "/silences", silences.create_silence),
    ("POST", "/silences/preview", silences.preview_silence),
    ("GET", "/silences/{ref}", silences.show_silence),
    ("POST", "/silences/{ref}/actions/extend", silences.extend_silence),
    ("POST", "/silences/{ref}/actions/end", silences.end_silence),
    ("GET", "/companies", companies.list_companies),
    ("POST", "/companies", companies.onboard),
    ("GET", "/companies/{ref}", companies.show_company),
    ("PATCH", "/companies/{ref}", companies.edit_company),
    ("POST", "/companies/{ref}/sla", companies.set_sla),
    ("GET", "/assets", assets.list_assets),
    ("GET", "/companies/{ref}/assets", assets.assets_of_company),
    ("POST", "/companies/{ref}/assets", assets.create_asset),
    ("POST", "/companies/{ref}/assets/import", assets.import_assets),
    ("POST", "/companies/{ref}/assets/import/aws", assets.import_from_aws),
    ("GET", "/companies/{ref}/assets/{name}", assets.show_asset),
    ("PATCH", "/companies/{ref}/assets/{name}", assets.edit_asset),
    ("DELETE", "/companies/{ref}/assets/{name}", assets.delete_asset),
    ("POST", "/companies/{ref}/assets/{name}/merge", assets.merge_asset),
    ("GET", "/companies/{ref}/bodies", sending.list_bodies),
    ("GET", "/integrations", integrations.list_integrations),
    ("POST", "/integrations", integrations.add_integration),
    ("GET", "/integrations/{ref}", integrations.show_integration),
    ("PATCH", "/integrations/{ref}", integrations.edit_integration),
    ("GET", "/integrations/{ref}/setup", integrations.integration_setup),
    ("POST", "/integrations/{ref}/rotate", integrations.rotate_integration),
    ("POST", "/integrations/{ref}/revoke", integrations.revoke_integration),
    ("POST", "/integrations/{ref}/tenants", integrations.map_tenant),
    ("GET", "/tools", integrations.list_tools),
    ("GET", "/tools/{ref}", integrations.show_tool),
    ("GET", "/heartbeats", heartbeats.list_heartbeats),
    ("POST", "/heartbeats", heartbeats.create_heartbeat),
    ("GET", "/heartbeats/{ref}", heartbeats.show_heartbeat),
    ("PATCH", "/heartbeats/{ref}", heartbeats.edit_heartbeat),
    ("DELETE", "/heartbeats/{ref}", heartbeats.delete_heartbeat),
    ("POST", "/heartbeats/{ref}/beat", heartbeats.beat_heartbeat),
    ("POST", "/heartbeats/{ref}/pause", heartbeats.pause_heartbeat),
    ("POST", "/heartbeats/{ref}/resume", heartbeats.resume_heartbeat),
    ("POST", "/heartbeats/{ref}/rotate", heartbeats.rotate_heartbeat),
    ("GET", "/users", companies.list_users),
    ("POST", "/users", companies.create_user),
    ("GET", "/me", sessions.me),
    ("GET", "/inbox", inbox),
    ("POST", "/inbox/read", read_inbox),
    ("GET", "/audit", list_audit),
    ("POST", "/audit/verify", verify_audit),
    ("GET", "/summary", summary),
    ("GET", "/status", status),
)
"""Every route for people who are logged in: the permission tests read this table."""
