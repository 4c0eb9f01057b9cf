"""Cloud accounts of companies: how siems comes into them, and what is missing there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from siems.errors import Conflict, InvalidField


class CloudKind(StrEnum):
    AWS = "aws"
    AZURE = "azure"
    GCP = "gcp"


OUR_EXTERNAL_ID = "siems_"
"""How every external id begins that siems has made."""
_EXTERNAL_ID = re.compile(r"siems_[0-9A-Za-z]{24,64}")
ROLE_NAME = "siems-access"
_ROLE = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+){1,3}-[0-9]{1,2}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SERVICE = re.compile(r"[a-z0-9][a-z0-9-]{0,62}@[a-z0-9.-]{1,80}\.gserviceaccount\.com")
_ACCOUNTS = {
    CloudKind.AWS: (re.compile(r"[0-9]{12}"), "an account of AWS is 12 digits: --account 111122223333"),
    CloudKind.GCP: (re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]"), "a project is named by its id: --account acme-prod-1"),
    CloudKind.AZURE: (_UUID, "a subscription is a UUID: --account 00000000-0000-0000-0000-000000000000"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One right that is needed there, or one thing that must be so."""

    right: str
    ok: bool
    cause: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudAccount:
    """One account of a company. `account` is a number, a subscription or a project; `secret` is sealed.

    AWS is entered by `role` and our `external_id`, Azure by the application `login` of the directory `tenant`,
    Google Cloud by the service account `login`, whose key is the secret.
    """

    id: str
    company_id: str
    kind: CloudKind
    account: str
    external_id: str = ""
    role: str = ""
    regions: tuple[str, ...] = ()
    tenant: str = ""
    login: str = ""
    secret: str = ""
    bucket: str = ""
    hybrid: bool = False
    """Whether machines outside of the cloud may be taken in there, too."""
    created_by: str = ""
    created_at: datetime
    checked_at: datetime | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def ready(self) -> bool | None:
        """Whether the last check found nothing missing; None when there was none."""
        return None if self.checked_at is None else all(f.ok for f in self.findings)

    @property
    def role_arn(self) -> str:
        return f"arn:aws:iam::{self.account}:role/{self.role or ROLE_NAME}" if self.kind is CloudKind.AWS else ""


def checked_account(kind: CloudKind, text: str) -> str:
    """Raises InvalidField saying what an account looks like there."""
    word = text.strip().lower()
    pattern, hint = _ACCOUNTS[kind]
    if not pattern.fullmatch(word):
        raise InvalidField(f"{text[:60]!r} is no account of {kind.value}", hint=hint)
    return word


def checked_regions(kind: CloudKind, given: Iterable[str]) -> tuple[str, ...]:
    """Raises InvalidField. Only AWS is asked region by region."""
    found = tuple(dict.fromkeys(word.strip() for text in given for word in text.split(",") if word.strip()))
    if kind is not CloudKind.AWS:
        if found:
            raise InvalidField(f"{kind.value} needs no regions", hint="leave --region out")
        return ()
    for word in found:
        if not _REGION.fullmatch(word):
            raise InvalidField(f"{word[:40]!r} is no region of AWS", hint="--region eu-west-1")
    return found[:40]


def checked_word(name: str, text: str) -> str:
    """A role's name, a bucket, a tenant or a login. Raises InvalidField."""
    word = text.strip()
    patterns: Mapping[str, re.Pattern[str]] = {"role": _ROLE, "bucket": _BUCKET, "tenant": _UUID, "login": _UUID}
    if word and not patterns[name].fullmatch(word.lower() if name in ("tenant", "login") else word):
        shape = "a UUID" if name in ("tenant", "login") else "a name as its cloud allows it"
        raise InvalidField(f"{name} is {shape}, not {word[:60]!r}", hint=f"--{name}")
    return word


def access_of(account: CloudAccount, secret: str) -> Mapping[str, str]:
    """What an executor is told of how to reach the machines of an account; `secret` is in clear.

    Raises Conflict for a role without an external id of ours: it could be entered for anybody.
    """
    match account.kind:
        case CloudKind.AWS:
            if not _EXTERNAL_ID.fullmatch(account.external_id):
                raise Conflict(
                    f"{account.id} has no external id of ours", hint="siems company aws setup makes one"
                )  # fmt: skip
            found = {
                "role_arn": account.role_arn, "external_id": account.external_id,
                "regions": ",".join(account.regions), "bucket": account.bucket, "account": account.account,
            }  # fmt: skip
        case CloudKind.AZURE:
            found = {
                "subscription": account.account, "tenant": account.tenant, "login": account.login, "secret": secret,
            }  # fmt: skip
        case CloudKind.GCP:
            found = {"project": account.account, "login": account.login, "secret": secret}
    return MappingProxyType(found)


EXECUTORS: Mapping[CloudKind, str] = MappingProxyType(
    {CloudKind.AWS: "ssm", CloudKind.AZURE: "azure", CloudKind.GCP: "gcp"}
)
"""The executor that reaches the machines of a cloud."""
_EC2 = re.compile(r"(i|mi)-[0-9a-f]{8,17}")
_GCE = re.compile(r"(projects/[a-z0-9-]+/zones/[a-z0-9-]+/instances|[a-z]+-[a-z]+[0-9]{1,2}-[a-z])/[a-z0-9-]+")


def kind_of_instance(instance_id: str) -> CloudKind:
    """Whose instance an id looks like: `i-…` and `mi-…` are Amazon's, `zone/name` Google's, `group/name` Azure's."""
    if _EC2.fullmatch(instance_id):
        return CloudKind.AWS
    return CloudKind.GCP if _GCE.fullmatch(instance_id) else CloudKind.AZURE


_MAILED = ".iam.gserviceaccount.com"


def service_account(text: str, project: str) -> tuple[str, str]:
    """(its name, what is kept of its key as JSON) of the key file of a service account. Raises InvalidField.

    Of the file only the name and the key are believed: where tokens come from is for the settings to say.
    """
    hint = "gcloud iam service-accounts keys create key.json --iam-account NAME@PROJECT.iam.gserviceaccount.com"
    try:
        told = json.loads(text)
        kind, mail, key = (told.get(name) for name in ("type", "client_email", "private_key"))
    except (ValueError, AttributeError) as why:
        raise InvalidField("this is no key file of a service account (JSON)", hint=hint) from why
    if kind != "service_account" or not all(isinstance(one, str) for one in (mail, key)):
        raise InvalidField("this is no key file of a service account", hint=hint)
    if not _SERVICE.fullmatch(mail) or "PRIVATE KEY-----" not in key:
        raise InvalidField("this key file names no service account, or holds no private key", hint=hint)
    name = mail.removesuffix(_MAILED)
    if len(name) > 64:
        raise InvalidField(f"{mail[:80]} is longer than a service account of {project} is", hint=hint)
    kept = {"client_email": mail, "private_key": key, "private_key_id": str(told.get("private_key_id", ""))[:80]}
    return name, json.dumps(kept)


def serving(accounts: Iterable[CloudAccount], instance_id: str, cloud_account: str) -> CloudAccount | None:
    """The account that an instance runs in: the one that is named, else the only one there can be."""
    kind = kind_of_instance(instance_id)
    fits = [a for a in accounts if instance_id and a.kind is kind]
    if cloud_account:
        return next((a for a in fits if a.account == cloud_account.lower()), None)
    return fits[0] if len(fits) == 1 else None
