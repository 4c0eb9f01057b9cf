"""The API under /api/v1: the table of its routes, and what concerns the whole."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from aiohttp import web
from sqlalchemy import Connection

from siems import wire
from siems.daemon.http import (
    advice,
    assets,
    audit,
    browsers,
    calendars,
    clouds,
    companies,
    correlation,
    handoffs,
    heartbeats,
    incidents,
    integrations,
    oncall,
    paging,
    parents,
    people,
    playback,
    policies,
    reach,
    reports,
    run_settings,
    runbooks,
    runs,
    search,
    sending,
    sessions,
    silences,
    sla,
    templates,
    tickets,
)
from siems.daemon.http.call import Call, Route, encode, items_of
from siems.daemon.http.middleware import RUNTIME, answer, not_draining
from siems.domain.permissions import Permission, require_role
from siems.services import directory, overview, pausing
from siems.services.pausing import pause_check
from siems.services.reach_views import message_check
from siems.services.way_checks import channel_checks, ticket_check
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


async def summary(call: Call) -> web.Response:
    return answer(await call.read(overview.summary, call.actor, call.runtime.clock.now()))


async def status(call: Call) -> web.Response:
    require_role(call.actor, Permission.SEE_AUDIT)
    runtime = call.runtime
    overdue = await runtime.scheduler.overdue()
    url = runtime.database.url.render_as_string(hide_password=True)
    shown = url if call.actor.role is Role.ADMIN else runtime.database.dialect.name
    checks = await call.read(partial(directory.checks, overdue=overdue, drift=runtime.clock.drift()))
    checks.append(await call.read(partial(message_check, now=runtime.clock.now(), channels=runtime.delivering.names)))
    checks += await call.read(ticket_check, call.actor)
    checks += channel_checks(runtime.delivering.unopened())
    found = [*runtime.watch.checks(), *runtime.checkpoints.checks(), *runtime.reading.checks()]
    checks += [wire.Check(name=name, ok=ok, cause=cause, fix=fix) for name, ok, cause, fix in found]
    checks += await call.read(pause_check)
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


async def resume(call: Call) -> web.Response:
    """A copy that was put back goes to work."""
    ask = await call.body(wire.ResumeAsk)
    require_role(call.actor, Permission.ADMINISTER)

    def verb(uow: UnitOfWork) -> bytes:
        return encode({"changed": pausing.resume(uow, call.actor, ask.reason)})

    response = await call.write(verb, company=MSP)
    call.runtime.running.wake()
    call.runtime.ticketing.wake(accounts=True)
    return response


async def livez(request: web.Request) -> web.Response:
    """Whether this process works; never asks the database."""
    runtime = request.app[RUNTIME]
    alive = runtime.working() and not runtime.watch.stuck
    return answer({"ok": alive}, status=200 if alive else 503)


async def openapi(request: web.Request) -> web.StreamResponse:
    """This API for programs: the document that scripts/reference.py makes from the table below."""
    return web.Response(body=OPENAPI.read_bytes(), content_type="application/json")


async def readyz(request: web.Request) -> web.Response:
    """Whether it takes alerts: asks the database, and fails first when it drains."""
    runtime = request.app[RUNTIME]
    not_draining(runtime)
    await runtime.database.peek(_ping)
    return answer({"ok": True})


def _ping(connection: Connection) -> None:
    connection.exec_driver_sql("SELECT 1")


OPENAPI = Path(__file__).with_name("openapi.json")
ROUTES: tuple[tuple[str, str, Route], ...] = (
    ("GET", "/incidents", incidents.list_incidents),
    ("GET", "/incidents/{ref}", incidents.show_incident),
    ("GET", "/incidents/{ref}/timeline", incidents.incident_timeline),
    ("GET", "/incidents/{ref}/alerts", incidents.incident_alerts),
    ("GET", "/incidents/{ref}/sla", sla.explain_deadlines),
    ("GET", "/incidents/{ref}/candidates", incidents.list_candidates),
    ("GET", "/incidents/{ref}/explain", incidents.explain_incident),
    ("GET", "/incidents/{ref}/runbooks", runbooks.suggest_runbooks),
    ("POST", "/incidents/{ref}/actions/{action}", incidents.act),
    ("POST", "/whatif/page", policies.what_if),
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
    ("GET", "/runs", runs.list_runs),
    ("POST", "/runs", runs.ask_for_run),
    ("GET", "/runs/{ref}", runs.show_run),
    ("GET", "/runs/{ref}/output", runs.run_output),
    ("GET", "/runs/{ref}/commands", runs.run_commands),
    ("POST", "/runs/{ref}/actions/approve", runs.approve_run),
    ("POST", "/runs/{ref}/actions/reject", runs.reject_run),
    ("POST", "/runs/{ref}/actions/cancel", runs.cancel_run),
    ("POST", "/runs/{ref}/actions/answer", runs.answer_run),
    ("POST", "/runs/{ref}/actions/rollback", runs.roll_back_run),
    ("GET", "/standing-approvals", run_settings.list_standing),
    ("POST", "/standing-approvals", run_settings.grant_standing),
    ("DELETE", "/standing-approvals/{ref}", run_settings.revoke_standing),
    ("GET", "/self-healing", run_settings.list_heals),
    ("PUT", "/companies/{ref}/self-healing/{name}", run_settings.set_heal),
    ("DELETE", "/companies/{ref}/self-healing/{name}", run_settings.remove_heal),
    ("GET", "/companies/{ref}/run-rule", run_settings.show_rule),
    ("PUT", "/companies/{ref}/run-rule", run_settings.set_rule),
    ("GET", "/host-logins", run_settings.list_logins),
    ("PUT", "/companies/{ref}/logins/{executor}", run_settings.set_login),
    ("DELETE", "/companies/{ref}/logins/{executor}", run_settings.remove_login),
    ("GET", "/silences", silences.list_silences),
    ("POST", "/silences", silences.create_silence),
    ("POST", "/silences/preview", silences.preview_silence),
    ("GET", "/silences/{ref}", silences.show_silence),
    ("POST", "/silences/{ref}/actions/extend", silences.extend_silence),
    ("POST", "/silences/{ref}/actions/end", silences.end_silence),
    ("GET", "/sla/board", sla.show_board),
    ("POST", "/sla/check", sla.check_deadlines),
    ("GET", "/sla/report", sla.report_deadlines),
    ("GET", "/sla/tiers", sla.list_tiers),
    ("GET", "/reports/{ref}", reports.make_report),
    ("GET", "/reports/{ref}/incidents", reports.list_behind),
    ("GET", "/pages", paging.list_pages),
    ("POST", "/pages", paging.open_page),
    ("GET", "/pages/{ref}", paging.show_page),
    ("POST", "/pages/{ref}/actions/ack", paging.acknowledge_page),
    ("POST", "/pages/{ref}/actions/end", paging.end_page),
    ("GET", "/companies", companies.list_companies),
    ("POST", "/companies", companies.onboard),
    ("GET", "/companies/{ref}", companies.show_company),
    ("PATCH", "/companies/{ref}", companies.edit_company),
    ("POST", "/companies/{ref}/sla", companies.set_sla),
    ("GET", "/correlation", correlation.list_correlation),
    ("GET", "/companies/{ref}/correlation", correlation.show_correlation),
    ("PATCH", "/companies/{ref}/correlation", correlation.edit_correlation),
    ("POST", "/companies/{ref}/correlation/preview", correlation.preview_correlation),
    ("GET", "/assets", assets.list_assets),
    ("GET", "/companies/{ref}/assets", assets.assets_of_company),
    ("POST", "/companies/{ref}/assets", assets.create_asset),
    ("POST", "/companies/{ref}/assets/import", assets.import_assets),
    ("POST", "/companies/{ref}/assets/import/aws", assets.import_from_aws),
    ("GET", "/companies/{ref}/agents", clouds.list_agents),
    ("POST", "/companies/{ref}/agents", clouds.install_agents),
    ("GET", "/companies/{ref}/patches", clouds.list_patches),
    ("POST", "/companies/{ref}/cloud-accounts", clouds.set_up_cloud_account),
    ("GET", "/cloud-accounts", clouds.list_cloud_accounts),
    ("GET", "/cloud-accounts/{ref}", clouds.show_cloud_account),
    ("POST", "/cloud-accounts/{ref}/setup", clouds.tell_cloud_setup),
    ("POST", "/cloud-accounts/{ref}/check", clouds.check_cloud_account),
    ("DELETE", "/cloud-accounts/{ref}", clouds.remove_cloud_account),
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
    ("GET", "/policies", policies.list_policies),
    ("POST", "/policies", policies.create_policy),
    ("POST", "/policies/preview", policies.preview_policy),
    ("GET", "/policies/{ref}", policies.show_policy),
    ("PATCH", "/policies/{ref}", policies.edit_policy),
    ("DELETE", "/policies/{ref}", policies.delete_policy),
    ("POST", "/policies/{ref}/test", policies.try_policy),
    ("GET", "/runbooks", runbooks.list_runbooks),
    ("POST", "/runbooks", runbooks.create_runbook),
    ("GET", "/runbooks/{name}", runbooks.show_runbook),
    ("PATCH", "/runbooks/{name}", runbooks.edit_runbook),
    ("DELETE", "/runbooks/{name}", runbooks.delete_runbook),
    ("GET", "/runbooks/{name}/text", runbooks.runbook_text),
    ("POST", "/runbooks/{name}/approve-content", runbooks.approve_content),
    ("GET", "/oncall", oncall.who),
    ("GET", "/oncall/ready", oncall.ready),
    ("GET", "/schedules", oncall.list_schedules),
    ("POST", "/schedules", oncall.create_schedule),
    ("GET", "/schedules/{ref}", oncall.show_schedule),
    ("PATCH", "/schedules/{ref}", oncall.edit_schedule),
    ("DELETE", "/schedules/{ref}", oncall.delete_schedule),
    ("GET", "/schedules/{ref}/fairness", oncall.schedule_fairness),
    ("POST", "/schedules/{ref}/import", calendars.import_calendar),
    ("GET", "/overrides", oncall.list_overrides),
    ("POST", "/overrides", oncall.add_override),
    ("DELETE", "/overrides/{ref}", oncall.remove_override),
    ("GET", "/swaps", oncall.list_swaps),
    ("POST", "/swaps", oncall.ask_swap),
    ("POST", "/swaps/{ref}/accept", oncall.accept_swap),
    ("POST", "/swaps/{ref}/decline", oncall.decline_swap),
    ("GET", "/calendar", calendars.show_calendar),
    ("GET", "/calendar/feeds", calendars.list_feeds),
    ("POST", "/calendar/feeds", calendars.make_feed),
    ("DELETE", "/calendar/feeds/{ref}", calendars.revoke_feed),
    ("GET", "/handoff", handoffs.show_handoff),
    ("POST", "/handoff/note", handoffs.note_handoff),
    ("POST", "/handoff/give", handoffs.give_handoff),
    ("POST", "/handoff/accept", handoffs.accept_handoff),
    ("GET", "/users", companies.list_users),
    ("POST", "/users", companies.create_user),
    ("GET", "/users/{ref}", people.show_user),
    ("PATCH", "/users/{ref}", people.edit_user),
    ("POST", "/users/{ref}/availability", people.set_availability),
    ("POST", "/users/{ref}/password", people.reset_password),
    ("GET", "/me", sessions.me),
    ("GET", "/inbox", inbox),
    ("GET", "/channels", reach.list_channels),
    ("GET", "/contacts", reach.list_contacts),
    ("POST", "/contacts", reach.add_contact),
    ("DELETE", "/contacts/{ref}", reach.delete_contact),
    ("POST", "/contacts/{ref}/code", reach.send_code),
    ("POST", "/contacts/{ref}/verify", reach.verify_contact),
    ("POST", "/notify/browsers", browsers.invite_browser),
    ("GET", "/notify/rules", reach.list_rules),
    ("POST", "/notify/rules", reach.add_rule),
    ("PATCH", "/notify/rules/{ref}", reach.edit_rule),
    ("DELETE", "/notify/rules/{ref}", reach.delete_rule),
    ("GET", "/notify/preferences", reach.list_preferences),
    ("POST", "/notify/preferences", reach.set_preferences),
    ("GET", "/notify/follows", reach.list_follows),
    ("POST", "/notify/follows", reach.follow),
    ("GET", "/notify/why/{ref}", reach.why),
    ("GET", "/notify/shadow", reach.would_have),
    ("POST", "/notify/test", reach.try_channel),
    ("GET", "/messages", reach.list_messages),
    ("GET", "/messages/{ref}", reach.show_message),
    ("POST", "/messages/{ref}/retry", reach.retry_message),
    ("POST", "/inbox/read", read_inbox),
    ("GET", "/playback/board", playback.show_past_board),
    ("GET", "/playback/steps", playback.list_steps),
    ("GET", "/playback/incidents/{ref}", playback.show_past_story),
    ("POST", "/resume", resume),
    ("GET", "/audit", audit.list_audit),
    ("GET", "/audit/chains", audit.list_chains),
    ("GET", "/audit/witness", audit.show_witness),
    ("POST", "/audit/verify", audit.verify_audit),
    ("POST", "/audit/export", audit.export_audit),
    ("POST", "/incidents", incidents.create_incident),
    ("GET", "/undo", incidents.show_last_act),
    ("PUT", "/incidents/{ref}/watch", incidents.watch_incident),
    ("DELETE", "/incidents/{ref}/watch", incidents.unwatch_incident),
    ("GET", "/parents", parents.list_parents),
    ("POST", "/parents", parents.create_parent),
    ("GET", "/parents/{ref}", parents.show_parent),
    ("POST", "/parents/{ref}/actions/ack", parents.ack_parent),
    ("POST", "/parents/{ref}/actions/hold", parents.hold_parent),
    ("POST", "/parents/{ref}/actions/resume", parents.resume_parent),
    ("POST", "/parents/{ref}/actions/note", parents.note_parent),
    ("POST", "/parents/{ref}/actions/update", parents.update_parent),
    ("POST", "/parents/{ref}/actions/add", parents.add_children),
    ("POST", "/parents/{ref}/actions/remove", parents.remove_children),
    ("POST", "/parents/{ref}/actions/resolve", parents.resolve_parent),
    ("POST", "/parents/{ref}/actions/close", parents.close_parent),
    ("GET", "/search", search.search_all),
    ("GET", "/summary", summary),
    ("GET", "/status", status),
    ("GET", "/incidents/{ref}/advice", advice.show_advice),
    ("POST", "/incidents/{ref}/advice", advice.judge_advice),
    ("POST", "/incidents/{ref}/advice/feedback", advice.rate_advice),
    ("GET", "/incidents/{ref}/similar", advice.list_similar),
    ("GET", "/advice/stats", advice.advice_stats),
)
"""Every route for people who are logged in: the permission tests read this table."""
