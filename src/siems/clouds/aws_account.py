"""An account of AWS from outside: who we are, the link that lets us in, and what is missing once we are in.

Everything here blocks: call it on a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from siems.clouds import aws
from siems.clouds.aws_ssm import Manager
from siems.clouds.aws_template import STACK, console_link
from siems.domain.cloud import CloudAccount, Finding, access_of
from siems.errors import Conflict, SiemsError, Unavailable

if TYPE_CHECKING:
    from siems.config import Aws

LINK_SECONDS = 7 * 86_400
NOBODY = "i-00000000000000000"
"""An instance that there is nowhere: what is asked of it tells rights from wrongs and does nothing."""
NO_COMMAND = "00000000-0000-4000-8000-000000000000"


def caller(settings: Aws) -> str:
    """The ARN of whose credentials these are. Raises Conflict, Unavailable."""
    session = aws.open_session(settings, "")
    region = session.region_name or next(iter(settings.region_list), "us-east-1")

    def ask() -> list[Any]:
        return [aws.open_client(session, settings, "sts", region).get_caller_identity()["Arn"]]

    [arn] = aws.asked("sts:GetCallerIdentity", region, ask)
    return str(arn)


def principal(settings: Aws) -> str:
    """Who we are to AWS, as a role lets somebody in: a role itself, not its session. Raises as `caller`."""
    return principal_of(caller(settings))


def principal_of(arn: str) -> str:
    """`arn:aws:sts::1:assumed-role/NAME/SESSION` is the role NAME; a user stays as it is."""
    head, _, tail = arn.partition(":assumed-role/")
    if not tail:
        return arn
    partition, account = head.split(":")[1], head.split(":")[4]
    return f"arn:{partition}:iam::{account}:role/{tail.rsplit('/', 1)[0]}"


def quick_link(settings: Aws, account: CloudAccount, text: str, parameters: Mapping[str, str]) -> str:
    """A link that opens the console with the template in it; without `[aws] bucket` the page to upload it to."""
    region = next(iter(account.regions), "us-east-1")
    if not settings.bucket:
        return console_link(region, "", {})
    session = aws.open_session(settings, "")
    home = next(iter(settings.region_list), "") or session.region_name or "us-east-1"
    key = f"siems/{account.id}.template.json"

    def put() -> list[Any]:
        s3 = aws.open_client(session, settings, "s3", home)
        s3.put_object(Bucket=settings.bucket, Key=key, Body=text.encode(), ContentType="application/json")
        named = {"Bucket": settings.bucket, "Key": key}
        return [s3.generate_presigned_url("get_object", Params=named, ExpiresIn=LINK_SECONDS)]

    [url] = aws.asked("s3:PutObject", home, put)
    return console_link(region, url, parameters)


def deploy(settings: Aws, region: str, text: str) -> str:
    """Make the stack, or bring it up to date, with the credentials that are at hand; what became of it.

    Raises Refused, Unavailable; Conflict when CloudFormation could not do it.
    """
    session = aws.open_session(settings, "")
    made = "stack_create_complete"

    def start() -> list[Any]:
        nonlocal made
        cloud = aws.open_client(session, settings, "cloudformation", region)
        wanted = {"StackName": STACK, "TemplateBody": text, "Capabilities": ["CAPABILITY_NAMED_IAM"]}
        try:
            return [cloud.create_stack(**wanted)]
        except cloud.exceptions.AlreadyExistsException:
            made = "stack_update_complete"
            return [cloud.update_stack(**wanted)]

    def wait() -> list[Any]:
        waiter = aws.open_client(session, settings, "cloudformation", region).get_waiter(made)
        return [waiter.wait(StackName=STACK, WaiterConfig={"Delay": 2, "MaxAttempts": 150})]

    try:
        aws.asked("cloudformation:CreateStack", region, start)
        aws.asked("cloudformation:DescribeStacks", region, wait)
    except aws.Refused as why:
        if "No updates" in why.words:
            return "as before"
        raise Conflict(f"{why.message}: {why.words}"[:500], hint=why.hint) from why
    except Unavailable as why:
        if "Waiter" not in why.message:
            raise
        raise Conflict(
            f"the stack {STACK} failed: {why.message}"[:400], hint=f"its events in {region} say why"
        ) from why
    return "updated" if "update" in made else "created"


# --- what is missing --------------------------------------------------------------------------------------------


def check(settings: Aws, account: CloudAccount) -> tuple[Finding, ...]:
    """Take the role on and try every right with a question that changes nothing. Raises Unavailable, and Conflict
    where the daemon itself has no credentials.
    """
    manager = Manager(settings, access_of(account, ""))
    region = manager.regions[0]
    try:
        manager.client("ssm", region)
    except Unavailable:
        raise
    except aws.Refused as why:
        cause = f"the role {account.role_arn} does not let us in ({why.error})"
        fix = f"siems company aws setup {account.company_id.removeprefix('comp-')} --account {account.account}"
        return (Finding("sts:AssumeRole", False, cause, fix),)
    found = [Finding("sts:AssumeRole", True, account.role_arn)]
    for region in manager.regions:
        found += _in_region(manager, region)
    return tuple(found)


def _in_region(manager: Manager, region: str) -> Iterator[Finding]:
    many = len(manager.regions) > 1
    for right, ask in _questions(manager, region):
        shown = f"{right} in {region}" if many else right
        try:
            manager.asked(right, region, partial(_one, ask))
            yield Finding(shown, True)
        except aws.Refused as why:
            if not why.denied:  # it was let through, and there is no such thing: that is what was asked for
                yield Finding(shown, True)
            else:
                yield Finding(
                    shown, False, f"refused ({why.error})", "bring the stack up to date: --deploy, or the link"
                )
        except Unavailable:
            raise
        except SiemsError as why:
            yield Finding(shown, False, why.message, why.hint)


def _questions(manager: Manager, region: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Each right with a question that needs it and does nothing."""
    ssm, ec2 = manager.client("ssm", region), manager.client("ec2", region)
    yield "ec2:DescribeInstances", lambda: ec2.describe_instances(MaxResults=5)
    yield "ssm:DescribeInstanceInformation", lambda: ssm.describe_instance_information(MaxResults=5)
    yield "ssm:DescribeInstancePatchStates", lambda: ssm.describe_instance_patch_states(InstanceIds=[NOBODY])
    yield "ssm:ListCommands", lambda: ssm.list_commands(MaxResults=1)
    yield "ssm:ListCommandInvocations", lambda: ssm.list_command_invocations(CommandId=NO_COMMAND)
    yield (
        "ssm:GetCommandInvocation",
        lambda: ssm.get_command_invocation(CommandId=NO_COMMAND, InstanceId=NOBODY),
    )
    yield "ssm:CancelCommand", lambda: ssm.cancel_command(CommandId=NO_COMMAND)
    for document in ("AWS-RunShellScript", "AWS-RunPowerShellScript"):
        lines = {"commands": ["true"]}
        yield (
            f"ssm:SendCommand {document}",
            partial(ssm.send_command, InstanceIds=[NOBODY], DocumentName=document, Parameters=lines),
        )


def _one(ask: Callable[[], Any]) -> list[Any]:
    return [ask()]
