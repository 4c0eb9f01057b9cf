"""Asking clouds: what takes seconds and more, before and after the verbs; each account by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from siems.clouds import aws_account, aws_agents, aws_template, azure, gcp
from siems.clouds.aws_ssm import Manager
from siems.config import Settings
from siems.domain.agents import Look, Machine, Patches
from siems.domain.cloud import CloudAccount, CloudKind, Finding, access_of
from siems.errors import Conflict, SiemsError
from siems.services import cloud_accounts
from siems.storage.vault import Vault
from siems.wire import CloudAccountView, CloudSetup

T = TypeVar("T")


class Clouds:
    """The clouds of a daemon's settings."""

    def __init__(self, settings: Settings, vault: Vault) -> None:
        self._settings = settings
        self._vault = vault

    async def check(self, account: CloudAccount) -> tuple[Finding, ...]:
        """What is missing there, right by right. Raises Conflict, Unavailable."""
        if account.kind is CloudKind.AZURE:
            async with self._subscription(account) as subscription:
                return await subscription.check()
        if account.kind is CloudKind.GCP:
            async with self._project(account) as project:
                return await project.check()
        return await asyncio.to_thread(aws_account.check, self._settings.aws, account)

    async def setup(self, account: CloudAccount, shown: CloudAccountView, principal: str) -> CloudSetup:
        """What is to be done over there. Raises Conflict when nobody says who we are."""
        if account.kind is CloudKind.AZURE:
            return _azure_setup(account, shown)
        if account.kind is CloudKind.GCP:
            return _gcp_setup(account, shown)
        return await asyncio.to_thread(self._aws_setup, account, shown, principal)

    def _aws_setup(self, account: CloudAccount, shown: CloudAccountView, principal: str) -> CloudSetup:
        settings = self._settings.aws
        try:
            who = principal or aws_account.principal(settings)
        except SiemsError as why:
            raise Conflict(
                f"whom should the role let in? {why.message}",
                hint="--principal arn:aws:iam::OURS:role/siems, or give the daemon credentials",
            ) from why
        text = aws_template.template(account, who)
        slug, file = account.company_id.removeprefix("comp-"), f"{account.id}.template.json"
        parameters = {"ExternalId": account.external_id, "Principal": who, "RoleName": account.role or "siems-access"}
        warnings = []
        try:
            link = aws_account.quick_link(settings, account, text, parameters)
        except SiemsError as why:
            link = aws_template.console_link(next(iter(account.regions), "us-east-1"), "", {})
            warnings.append(f"the link does not hold the template: {why.message}")
        again = f"siems company aws setup {slug} --account {account.account}"
        steps = [
            "In the client's account, open the link above"
            + ("." if "quickcreate" in link else " and upload the file:"),
            f"{again} --template > {file}",
            "Or, with credentials for that account at hand:",
            f"{again} --deploy",
            "Then see what is missing:",
            f"siems company aws check {slug}",
        ]
        return CloudSetup(
            account=shown, template=text, file=file, link=link, steps=steps, principal=who, warnings=warnings
        )  # fmt: skip

    # --- machines ----------------------------------------------------------------------------------------------

    async def look(self, accounts: Sequence[CloudAccount]) -> Look:
        """The machines of all these accounts; one that fails does not hide the others."""
        found, failed = await _each(accounts, self._machines)
        return Look(
            {(account.id, m.id): m for account, machines in found for m in machines},
            {account.id: why for account, why in failed},
        )

    async def _machines(self, account: CloudAccount) -> list[Machine]:
        if account.kind is CloudKind.AZURE:
            async with self._subscription(account) as subscription:
                return await subscription.machines()
        if account.kind is CloudKind.GCP:
            async with self._project(account) as project:
                return await project.machines()
        manager = self.manager(account)
        return await asyncio.to_thread(aws_agents.machines, manager, account.account)

    async def patches(self, accounts: Sequence[CloudAccount]) -> tuple[list[Patches], dict[str, str]]:
        """How the machines of accounts of AWS are patched, and which account could not say."""

        async def ask(account: CloudAccount) -> list[Patches]:
            return await asyncio.to_thread(aws_agents.patches, self.manager(account), account.account)

        found, failed = await _each([a for a in accounts if a.kind is CloudKind.AWS], ask)
        return [p for _, patches in found for p in patches], {account.id: why for account, why in failed}

    def manager(self, account: CloudAccount) -> Manager:
        return Manager(self._settings.aws, access_of(account, ""))

    @asynccontextmanager
    async def _subscription(self, account: CloudAccount) -> AsyncIterator[azure.Subscription]:
        """Raises Conflict while nobody has said how to come in."""
        found = azure.Subscription(self._settings.azure, cloud_accounts.opened(account, self._vault))
        try:
            yield found
        finally:
            await found.close()

    @asynccontextmanager
    async def _project(self, account: CloudAccount) -> AsyncIterator[gcp.Project]:
        """Raises Conflict while nobody has said how to come in."""
        found = gcp.Project(self._settings.gcp, cloud_accounts.opened(account, self._vault))
        try:
            yield found
        finally:
            await found.close()


def _gcp_setup(account: CloudAccount, shown: CloudAccountView) -> CloudSetup:
    slug, project = account.company_id.removeprefix("comp-"), account.account
    file = f"{account.id}.key.json"
    again = f"siems company gcp setup {slug} --account {project}"
    typed = gcp.commands(project, f"siems-{slug}"[:30].rstrip("-"), file)
    steps = [
        "Over there, as somebody who may: what siems uses, who it is, what it may do, and how machines are reached:",
        *typed,
        "Where machines run as a service account of their own, siems has to be allowed to act as it:",
        f"gcloud iam service-accounts add-iam-policy-binding THEIRS --role roles/iam.serviceAccountUser"
        f" --member serviceAccount:{typed[-1].rsplit(' ', 1)[-1]}",
        "Tell siems the key, and delete the file:",
        f"{again} --secret-file {file} && rm {file}",
        "Then see what is missing:",
        f"siems company gcp check {slug}",
    ]
    link = f"https://console.cloud.google.com/iam-admin/iam?project={project}"
    script = "#!/bin/sh\nset -e\n" + "".join(f"{line}\n" for line in typed)
    return CloudSetup(account=shown, template=script, file=f"{account.id}.sh", link=link, steps=steps)


def _azure_setup(account: CloudAccount, shown: CloudAccountView) -> CloudSetup:
    slug, file, scope = account.company_id.removeprefix("comp-"), f"{account.id}.role.json", account.account
    again = f"siems company azure setup {slug} --account {scope}"
    steps = [
        "Define the role there, as somebody who may (or by the link above, Access control, Add custom role):",
        f"{again} --template > {file}",
        f"az role definition create --role-definition {file}",
        "Make an application that has it; this shows its appId, password and tenant, once:",
        f"az ad sp create-for-rbac --name siems-{slug} --role '{azure.role_name(scope)}'"
        f" --scopes /subscriptions/{scope}",
        "Tell siems; the password is read from standard input:",
        f"{again} --tenant TENANT --login APPID --secret-file -",
        "Then see what is missing:",
        f"siems company azure check {slug}",
    ]
    link = f"https://portal.azure.com/#@/resource/subscriptions/{scope}/users"
    return CloudSetup(account=shown, template=azure.role_definition(scope), file=file, link=link, steps=steps)


async def _each(
    accounts: Sequence[CloudAccount], ask: Callable[[CloudAccount], Awaitable[T]]
) -> tuple[list[tuple[CloudAccount, T]], list[tuple[CloudAccount, str]]]:
    """Ask all at once: (what they answered, why some did not)."""

    async def one(account: CloudAccount) -> T | SiemsError:
        try:
            return await ask(account)
        except SiemsError as why:
            return why

    answers = await asyncio.gather(*(one(account) for account in accounts))
    pairs = list(zip(accounts, answers, strict=True))
    return (
        [(account, found) for account, found in pairs if not isinstance(found, SiemsError)],
        [(account, found.message) for account, found in pairs if isinstance(found, SiemsError)],
    )
