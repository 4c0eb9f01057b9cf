"""Cloud accounts, whether their machines answer, and how they are patched."""

from __future__ import annotations

from datetime import datetime

import msgspec

from siems.wire.shapes import Ask, Wire


class CloudFinding(Wire):
    """One right that is needed, and whether it is there."""

    right: str
    ok: bool
    cause: str = ""
    fix: str = ""


class CloudAccountView(Wire):
    """How siems comes into an account of a client; secrets are never shown. `ready`: null until it was checked."""

    id: str
    company_id: str
    company: str
    kind: str
    account: str
    role_arn: str
    external_id: str
    regions: list[str]
    tenant: str
    login: str
    bucket: str
    hybrid: bool
    has_secret: bool
    created_by: str
    created_at: datetime
    checked_at: datetime | None
    ready: bool | None
    findings: list[CloudFinding] = msgspec.field(default_factory=list)


class CloudAccountAsk(Ask):
    """`kind`: aws, azure or gcp. `account`: number, subscription or project. What is not given stays as it is."""

    kind: str
    account: str
    regions: list[str] | None = None
    role: str | None = None
    bucket: str | None = None
    hybrid: bool | None = None
    tenant: str | None = None
    login: str | None = None
    secret: str | None = None
    reason: str = ""


class CloudSetup(Wire):
    """What is to be done over there: a template or the definition of a role, a link that opens it, steps to type."""

    account: CloudAccountView
    template: str
    file: str
    link: str
    steps: list[str]
    principal: str = ""
    warnings: list[str] = msgspec.field(default_factory=list)


class CloudSetupAsk(Ask):
    """`principal`: whom the role over there lets in, an ARN; without it, who the daemon is."""

    principal: str = ""


class CloudChangeAsk(Ask):
    reason: str = ""


class AgentView(Wire):
    """One asset and whether its agent answers. `answers`: yes, silent, no agent, stopped or unknown."""

    company_id: str
    asset: str
    instance_id: str
    account: str
    account_id: str
    region: str
    platform: str
    state: str
    answers: str
    why: str
    fix: str
    version: str
    seen_at: datetime | None


class AgentsView(Wire):
    items: list[AgentView]
    unlisted: int
    """Machines of its accounts that are no assets yet."""
    warnings: list[str]


class InstallAsk(Ask):
    """Put the agent on these assets, or on all that have none."""

    hosts: list[str] = msgspec.field(default_factory=list)
    reason: str = ""


class InstallStep(Wire):
    """One asset: how an agent comes to it, or why none does. `done`: null where nothing was tried."""

    asset: str
    path: str
    why: str
    platform: str
    hybrid: bool
    done: bool | None = None
    output: str = ""


class Installed(Wire):
    """`scripts` is what is run on such machines, `user_data` the same for the first start of new ones: by platform."""

    items: list[InstallStep]
    scripts: dict[str, str]
    user_data: dict[str, str]
    warnings: list[str] = msgspec.field(default_factory=list)


class PatchView(Wire):
    """How far one machine is patched. `compliant`: null when its patches were never looked at."""

    company_id: str
    asset: str
    instance_id: str
    account: str
    region: str
    compliant: bool | None
    missing: int
    failed: int
    installed: int
    pending_reboot: int
    critical_missing: int
    security_missing: int
    baseline: str
    scanned_at: datetime | None


class PatchesView(Wire):
    items: list[PatchView]
    compliant: int
    unknown: int
    warnings: list[str]
