"""Cloud accounts: who may set them up, whose machines they open, what is kept of them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from clouds.google import CANARY, KEY_FILE, PROJECT, ZONE
from siems.domain.asset import Asset, Facts
from siems.domain.cloud import CloudAccount, Finding
from siems.domain.permissions import Actor
from siems.errors import Conflict, Forbidden, InvalidField, NotFound
from siems.services import assets, cloud_accounts, run_access
from siems.storage import tables as t
from siems.vocabulary import Role
from siems.wire import CloudAccountAsk

from .world import ACME, BETA, VAULT, World

NUMBER, OTHER = "111122223333", "444455556666"
SUBSCRIPTION = "00000000-1111-4222-8333-444455556666"
INSTANCE = "i-0123456789abcdef0"


def set_up(world: World, company: str = ACME, who: Actor | None = None, **ask: Any) -> CloudAccount:
    given = CloudAccountAsk(**({"kind": "aws", "account": NUMBER, "regions": ["eu-west-1"]} | ask))
    made = world.do(
        lambda uow: cloud_accounts.set_up(uow, who or world.admin, company, given, VAULT), companies=(company,)
    )
    assert isinstance(made, CloudAccount)
    return made


def asset(world: World, name: str, company: str = ACME, **facts: Any) -> Asset:
    made = world.do(
        lambda uow: assets.create(uow, world.admin, company, name=name, facts=Facts(**facts), reason=""),
        companies=(company,),
    )
    assert isinstance(made, Asset)
    return made


def reached(world: World, what: Asset, executor: str = "") -> tuple[str, Any]:
    return world.database.read_now(run_access.access, what, executor, VAULT)


def audited(world: World, company: str = ACME) -> list[str]:
    e = t.audit_entry.c
    rows = world.database.read_now(
        lambda c: c.execute(select(e.action).where(e.chain == company).order_by(e.seq)).all()
    )
    return [row.action for row in rows if row.action.startswith("cloud_account.")]


def test_an_external_id_is_ours_random_and_stays(world: World) -> None:
    one, other = set_up(world), set_up(world, BETA, account=OTHER)
    assert (one.id, other.id) == ("acme-aws", "beta-aws")
    assert one.external_id.startswith("siems_")
    assert len(one.external_id) > 40
    assert one.external_id != other.external_id
    again = set_up(world, regions=["eu-west-1", "us-east-1"], role="entry")
    assert (again.id, again.external_id) == (one.id, one.external_id)
    assert again.role_arn == f"arn:aws:iam::{NUMBER}:role/entry"
    assert set_up(world, regions=["eu-west-1", "us-east-1"]) == again, "nothing new changes nothing"
    assert audited(world) == ["cloud_account.added", "cloud_account.edited"]
    assert set_up(world, account=OTHER[::-1]).id == "acme-aws-2"


def test_an_account_belongs_to_one_company(world: World) -> None:
    set_up(world)
    with pytest.raises(Conflict, match="comp-acme"):
        set_up(world, BETA)


@pytest.mark.parametrize("role", [Role.MANAGER, Role.TECHNICIAN, Role.CLIENT])
def test_only_admins_set_one_up_and_for_others_there_is_none_outside_their_scope(world: World, role: Role) -> None:
    made = set_up(world, BETA)
    who = world.hire("mia", role, ACME)
    with pytest.raises(Forbidden):
        set_up(world, who=who)
    with pytest.raises(NotFound):
        set_up(world, BETA, who=who)
    with pytest.raises(NotFound):
        world.database.read_now(cloud_accounts.find_account, made.id, who)


@pytest.mark.parametrize(
    ("ask", "word"),
    [
        ({"account": "1111"}, "no account of aws"),
        ({"kind": "oracle"}, "no cloud"),
        ({"regions": ["eu-west-1.attacker.example/"]}, "no region"),
        ({"role": "a role"}, "role"),
        ({"secret": "x"}, "no secret is kept"),
        ({"tenant": SUBSCRIPTION}, "has no tenant"),
        ({"kind": "azure", "account": SUBSCRIPTION, "regions": None, "login": "me"}, "login is a UUID"),
        ({"kind": "azure", "account": "acme", "regions": None}, "no account of azure"),
        ({"kind": "gcp", "account": "Acme Prod", "regions": None}, "no account of gcp"),
        ({"kind": "gcp", "account": PROJECT, "regions": None, "secret": "x"}, "no key file"),
        ({"kind": "gcp", "account": PROJECT, "regions": None, "login": SUBSCRIPTION}, "has no login"),
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_refused(world: World, ask: dict[str, Any], word: str) -> None:
    with pytest.raises(InvalidField, match=word):
        set_up(world, **ask)


def test_a_machine_is_reached_by_the_account_of_its_own_company_and_by_no_other(world: World) -> None:
    mine, theirs = set_up(world), set_up(world, BETA, account=OTHER)
    web = asset(world, "web-01", instance_id=INSTANCE, cloud_account=NUMBER)
    name, told = reached(world, web)
    assert name == "ssm"
    assert (told["role_arn"], told["external_id"]) == (mine.role_arn, mine.external_id)
    # B2: an asset that names another company's account is reached by nothing at all
    with pytest.raises(InvalidField, match="cannot be reached"):
        reached(world, replace(web, cloud_account=OTHER))
    with pytest.raises(InvalidField, match="cannot be reached"):
        reached(world, replace(web, cloud_account=OTHER), "ssm")
    stolen = asset(world, "web-01", BETA, instance_id=INSTANCE)
    assert reached(world, stolen)[1]["external_id"] == theirs.external_id, "their role, in which it is not"


def test_without_the_name_of_an_account_there_must_be_only_one(world: World) -> None:
    set_up(world)
    web = asset(world, "web-01", instance_id=INSTANCE)
    assert reached(world, web)[0] == "ssm"
    set_up(world, account=OTHER)
    with pytest.raises(InvalidField, match="cannot be reached"):
        reached(world, web)


def test_credentials_are_sealed_and_only_opened_for_an_executor(world: World) -> None:
    made = set_up(world, kind="azure", account=SUBSCRIPTION, regions=None)
    vm = asset(world, "vm-1", instance_id="rg/vm-1", cloud_account=SUBSCRIPTION)
    with pytest.raises(InvalidField, match="cannot be reached"):
        reached(world, vm)
    made = set_up(
        world, kind="azure", account=SUBSCRIPTION, regions=None, tenant=SUBSCRIPTION, login=SUBSCRIPTION,
        secret="canary-secret\n",
    )  # fmt: skip
    kept = world.database.read_now(lambda c: c.execute(select(t.cloud_account.c.secret)).scalar_one())
    details = world.database.read_now(lambda c: " ".join(map(str, c.execute(select(t.audit_detail)))))
    assert "canary" not in kept + details
    assert VAULT.unseal(kept) == "canary-secret"
    name, told = reached(world, vm)
    assert (name, told["secret"], told["subscription"]) == ("azure", "canary-secret", SUBSCRIPTION)
    _, shut = world.database.read_now(run_access.access, vm)
    assert shut["secret"] == ""
    [shown] = world.database.read_now(cloud_accounts.list_accounts, world.admin, ACME, "azure")
    assert shown.has_secret
    assert "canary" not in repr(shown) + repr(made.findings)


def test_a_check_is_kept_until_something_changes(world: World) -> None:
    made = set_up(world)
    found = [Finding("sts:AssumeRole", True), Finding("ssm:SendCommand", False, "refused", "--deploy")]
    after = world.do(lambda uow: cloud_accounts.note_check(uow, world.admin, made, found))
    assert after.ready is False
    [shown] = world.database.read_now(cloud_accounts.list_accounts, world.admin, None, "")
    assert [(f.right, f.ok) for f in shown.findings] == [("sts:AssumeRole", True), ("ssm:SendCommand", False)]
    assert shown.checked_at == world.clock.now()
    assert set_up(world, role="another").ready is None
    world.do(lambda uow: cloud_accounts.remove(uow, world.admin, made, "left us"))
    assert world.database.read_now(cloud_accounts.list_accounts, world.admin, None, "") == []
    assert audited(world)[1:] == ["cloud_account.checked", "cloud_account.edited", "cloud_account.removed"]
    with pytest.raises(NotFound):
        world.do(lambda uow: cloud_accounts.note_check(uow, world.admin, made, found))


def test_of_a_key_of_google_only_what_is_needed_is_kept_sealed(world: World) -> None:
    set_up(world, kind="gcp", account=PROJECT, regions=None, secret=KEY_FILE)
    vm = asset(world, "vm-1", instance_id=f"{ZONE}/vm-1", cloud_account=PROJECT)
    name, told = reached(world, vm)
    assert (name, told["project"]) == ("gcp", PROJECT)
    assert json.loads(told["secret"]).keys() == {"client_email", "private_key", "private_key_id"}
    [shown] = world.database.read_now(cloud_accounts.list_accounts, world.admin, ACME, "gcp")
    assert (shown.login, shown.has_secret) == (f"siems-acme@{PROJECT}", True)
    kept = world.database.read_now(lambda c: c.execute(select(t.cloud_account.c.secret)).scalar_one())
    details = world.database.read_now(lambda c: " ".join(map(str, c.execute(select(t.audit_detail)))))
    assert CANARY not in kept + details + repr(shown)
    group = asset(world, "vm-2", instance_id="rg-web/vm-2")
    with pytest.raises(InvalidField, match="cannot be reached"):
        reached(world, group)
