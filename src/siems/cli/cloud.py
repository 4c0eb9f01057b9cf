"""`siems company aws|azure|gcp`: how siems comes into the cloud accounts of clients, and what is missing there."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from siems import errors
from siems.cli.context import Door, leaf, new_app
from siems.cli.secrets import SecretFile, read_secret
from siems.cli.show import Column, Item, field, show_list, show_one, when

aws = new_app("AWS accounts: setup, check, list, remove, patches.")
azure = new_app("Azure subscriptions: setup, check, list, remove.")
gcp = new_app("Google Cloud projects: setup, check, list, remove.")
GROUPS = {"aws": aws, "azure": azure, "gcp": gcp}

Company = Annotated[str, typer.Argument(help="acme, comp-acme or the name")]
Ref = Annotated[str, typer.Argument(help="acme-aws, as `list` shows it")]
Template = Annotated[bool, typer.Option("--template", help="print the definition alone, for a file or a pipe")]
OfCompany = Annotated[str, typer.Option("--company", help="only this client's")]

COLUMNS = (
    field("ID", "id"),
    Column("COMPANY", lambda a: a["company_id"], lambda a: str(a["company"]), grows=True, drop=2),
    field("ACCOUNT", "account"),
    Column("REGIONS", lambda a: a["regions"], drop=1),
    Column("STANDING", lambda a: _standing(a), grows=True),
    when("CHECKED", "checked_at", drop=3),
    field("ROLE", "role_arn", wide=True),
    field("KIND", "kind", wide=True),
)
SLOW = 180.0


def _standing(a: Item) -> str:
    if a["ready"] is None:
        return "not checked yet"
    lacking = [f["right"] for f in a["findings"] if not f["ok"]]
    return f"MISSING: {', '.join(lacking)}" if lacking else "ok"


def patient(door: Door) -> Any:
    """The client, with the time that a cloud takes."""
    if door.flags["timeout"] == "10s":
        door.client.timeout = SLOW
    return door.client


def _known(door: Door, kind: str, company: str, account: str) -> list[Item]:
    found = door.client.cloud_accounts(company=company, kind=kind)
    return [a for a in found if not account or a["account"] == account.lower()]


# --- AWS -------------------------------------------------------------------------------------------------------


@aws.command("setup")
@leaf
def setup_aws(
    door: Door,
    company: Company,
    account: Annotated[str, typer.Option("--account", help="its number: 111122223333")] = "",
    region: Annotated[list[str], typer.Option("--region", help="where its machines are; repeat it")] = [],  # noqa: B006
    role: Annotated[str | None, typer.Option("--role-name", help="another name than siems-access")] = None,
    bucket: Annotated[
        str | None, typer.Option("--bucket", help="a bucket over there, for output longer than 24,000 characters")
    ] = None,
    hybrid: Annotated[
        bool | None, typer.Option("--hybrid/--no-hybrid", help="take in machines outside of AWS, too")
    ] = None,
    principal: Annotated[str, typer.Option("--principal", help="ARN of whom the role lets in; else the daemon")] = "",
    template: Template = False,
    deploy: Annotated[bool, typer.Option("--deploy", help="deploy it with the AWS credentials of this shell")] = False,
) -> None:
    """A role in the client's account, by a template with least privilege and an external id of ours.

    siems company aws setup acme --account 111122223333 --region eu-west-1
    AWS_PROFILE=acme siems company aws setup acme --account 111122223333 --region eu-west-1 --deploy

    Typed again it shows the same, or changes what is given. Credentials for --deploy stay in this shell.
    """
    if template and deploy:
        raise errors.UsageError("--template prints, --deploy deploys: which?", hint="leave one out")
    ask = {"regions": region or None, "role": role, "bucket": bucket, "hybrid": hybrid}
    made = _set_up(door, "aws", company, account, ask)
    if door.dry_run and not _known(door, "aws", company, account):
        show_one(door, made, lambda a: [f"{a['id']}: would be set up for {a['account']}; nothing was changed"])
        return
    told = patient(door).cloud_setup(made["id"], principal=principal)
    if template:
        print(told["template"], end="")
    elif deploy:
        _deploy(door, told)
    else:
        show_one(door, told, _todo, id="file")


def _set_up(door: Door, kind: str, company: str, account: str, ask: dict[str, Any]) -> Item:
    """The account as it is now, new or not."""
    if not account:
        found = _known(door, kind, company, "")
        if len(found) != 1:
            many = f"{company} has {len(found)}" if found else f"{company} has none yet"
            raise errors.UsageError(f"which account? {many}", hint="add  --account NUMBER")
        account = found[0]["account"]
    made: Item = door.client.set_up_cloud_account(company, kind=kind, account=account, **ask, reason=door.reason)
    return made


def _todo(told: Item) -> list[str]:
    from siems.present import safe

    a = told["account"]
    lines = [f"{a['id']}  {safe(a['company'])} ({a['company_id']})  {a['account']}  {_standing(a)}"]
    if a["kind"] == "aws":
        lines += [f"  role         {a['role_arn']}", f"  external id  {a['external_id']}"]
        lines += [f"  lets in      {told['principal']}", f"  regions      {', '.join(a['regions']) or 'the daemon’s'}"]
    if told["link"]:
        lines += ["", told["link"]]
    lines += ["", *(f"  {step}" if step.startswith(("siems ", "az ", "gcloud ")) else step for step in told["steps"])]
    return [*lines, *(f"warning: {safe(warning)}" for warning in told["warnings"])]


def _deploy(door: Door, told: Item) -> None:
    """With the credentials of whoever types it: a process of our own that inherits them, so the daemon sees none."""
    import json
    import subprocess
    import sys

    from siems.cli.process import reported

    account = told["account"]
    region = next(iter(account["regions"]), "us-east-1")
    door.ask(f"deploy the stack siems-access into {account['account']} in {region}?", flag="--yes")
    if door.dry_run:
        show_one(door, told, lambda t: [f"would deploy this into {account['account']} in {region}:", t["template"]])
        return
    ask = json.dumps({"account": account["account"], "region": region, "template": told["template"]})
    done = subprocess.run(
        [sys.executable, "-m", "siems.clouds.aws_deploy"], input=ask, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise reported(done.stderr, done.returncode)
    said = json.loads(done.stdout.splitlines()[-1]) | {"id": account["id"], "account": account["account"]}
    slug = account["company_id"].removeprefix("comp-")
    show_one(
        door, said,
        lambda s: [f"{s['account']}: the stack siems-access is {s['stack']}", f"  siems company aws check {slug}"],
    )  # fmt: skip


@aws.command()
@leaf
def patches(door: Door, company: Company) -> int:
    """How far the machines of a client are patched, the worst first: siems company aws patches acme

    Exit 9 when one of them lacks a patch. What Patch Manager has never looked at is shown as unknown.
    """
    found = patient(door).patches(company)
    for warning in found["warnings"]:
        door.note(f"warning: {warning}")
    show_list(door, found["items"], PATCHES, id="instance_id")
    lacking = sum(item["compliant"] is False for item in found["items"])
    door.note(f"{found['compliant']} compliant, {lacking} not, {found['unknown']} never looked at")
    return 9 if lacking else 0


PATCHES = (
    Column("ASSET", lambda p: p["asset"] or p["instance_id"], grows=True),
    Column("COMPLIANT", lambda p: {True: "yes", False: "NO", None: "unknown"}[p["compliant"]]),
    field("MISSING", "missing"),
    field("CRITICAL", "critical_missing"),
    field("SECURITY", "security_missing", drop=2),
    field("FAILED", "failed", drop=3),
    field("REBOOT", "pending_reboot", drop=4),
    field("INSTALLED", "installed", drop=5),
    when("LOOKED AT", "scanned_at", drop=1),
    field("INSTANCE", "instance_id", wide=True),
    field("REGION", "region", wide=True),
)


# --- Azure ------------------------------------------------------------------------------------------


@azure.command("setup")
@leaf
def setup_azure(
    door: Door,
    company: Company,
    account: Annotated[str, typer.Option("--account", help="the subscription's UUID")] = "",
    tenant: Annotated[str | None, typer.Option("--tenant", help="UUID of its directory")] = None,
    login: Annotated[str | None, typer.Option("--login", help="UUID of the application that siems comes in by")] = None,
    secret_file: SecretFile = "",
    template: Template = False,
) -> None:
    """A subscription: the role to define there, the commands to type, and the application that siems comes in by.

    siems company azure setup acme --account SUBSCRIPTION
    siems company azure setup acme --account SUBSCRIPTION --tenant T --login APP --secret-file -
    """
    secret = read_secret(secret_file) if secret_file else None
    made = _set_up(door, "azure", company, account, {"tenant": tenant, "login": login, "secret": secret})
    _told(door, made, template=template)


# --- Google Cloud -----------------------------------------------------------------------------------


@gcp.command("setup")
@leaf
def setup_gcp(
    door: Door,
    company: Company,
    account: Annotated[str, typer.Option("--account", help="the project's id: acme-prod-1")] = "",
    secret_file: SecretFile = "",
    template: Template = False,
) -> None:
    """A project: the commands to type there, and the key of the service account that siems comes in by.

    siems company gcp setup acme --account acme-prod-1
    siems company gcp setup acme --account acme-prod-1 --secret-file key.json

    --template prints the commands alone, as a script. The key is kept encrypted and never shown.
    """
    secret = read_secret(secret_file) if secret_file else None
    _told(door, _set_up(door, "gcp", company, account, {"secret": secret}), template=template)


def _told(door: Door, made: Item, *, template: bool) -> None:
    if door.dry_run:
        show_one(door, made, lambda a: [f"{a['id']}: would be set up for {a['account']}; nothing was changed"])
        return
    told = door.client.cloud_setup(made["id"])
    if template:
        print(told["template"], end="")
        return
    show_one(door, told, _todo, id="file")


# --- for all of them -------------------------------------------------------------------------------------------


def _checks(kind: str) -> Any:
    def check(
        door: Door, company: Company, account: Annotated[str, typer.Option("--account", help="only this one")] = ""
    ) -> int:
        found = _known(door, kind, company, account)
        if not found:
            hint = f"siems company {kind} setup {company} --account ..."
            raise errors.NotFound(f"{company} has no account of {kind}", hint=hint)
        checked = [patient(door).check_cloud_account(a["id"]) for a in found]
        rights = [f | {"account": a["account"], "id": a["id"]} for a in checked for f in a["findings"]]
        show_list(door, checked if door.json else rights, FINDINGS)
        return 0 if all(a["ready"] for a in checked) else 9

    check.__doc__ = f"""Come in and try every right, changing nothing: siems company {kind} check acme

    One line for each right. Exit 9 when one is missing; the last column says what to do.
    """
    return check


FINDINGS = (
    field("ACCOUNT", "account"),
    Column("OK", lambda f: "yes" if f["ok"] else "MISSING"),
    field("RIGHT", "right", grows=True),
    field("CAUSE", "cause", grows=True, drop=1),
    field("DO", "fix", grows=True, drop=2),
)


def _lists(kind: str) -> Any:
    def list_(door: Door, company: OfCompany = "") -> None:
        show_list(door, door.client.cloud_accounts(company=company, kind=kind), COLUMNS)

    list_.__doc__ = f"""Every account that is set up, and how its last check went: siems company {kind} list"""
    return list_


def _removes(kind: str) -> Any:
    def remove(door: Door, ref: Ref) -> None:
        door.ask(f"remove {ref}? siems can reach its machines no more", flag="--yes")
        gone = door.client.remove_cloud_account(ref, reason=door.reason)
        again = " (dry run, nothing is written)" if door.dry_run else ""
        show_one(
            door, gone, lambda a: [f"{a['id']}: removed{again}; what was made over there stays until you delete it"]
        )

    remove.__doc__ = f"""siems comes in there no more: siems company {kind} remove acme-{kind}"""
    return remove


for _kind, _app in GROUPS.items():
    _app.command("check")(leaf(_checks(_kind)))
    _app.command("list")(leaf(_lists(_kind)))
    _app.command("remove")(leaf(_removes(_kind)))
