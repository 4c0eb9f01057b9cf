"""The CloudFormation template by which a client lets us into an account: one role, least privilege, our external id."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from siems.domain.cloud import ROLE_NAME, CloudAccount

STACK = "siems-access"
DOCUMENTS = ("AWS-RunShellScript", "AWS-RunPowerShellScript")
ACTIVATION_ROLE = "siems-hybrid"

LOOK = (
    "ec2:DescribeInstances", "ssm:DescribeInstanceInformation", "ssm:DescribeInstancePatchStates",
    "ssm:ListCommands", "ssm:ListCommandInvocations", "ssm:GetCommandInvocation",
)  # fmt: skip
"""What has no resource to be limited to."""


def template(account: CloudAccount, principal: str) -> str:
    """The template as JSON, with every value filled in. `principal`: whom the role lets in, an ARN."""
    return json.dumps(document(account, principal), indent=2) + "\n"


def document(account: CloudAccount, principal: str) -> dict[str, Any]:
    resources: dict[str, Any] = {"Role": _role(account)}
    if account.hybrid:
        resources["Hybrid"] = _hybrid()
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Lets siems look at machines and run approved runbooks by Systems Manager ({account.id})",
        "Parameters": {
            "RoleName": {"Type": "String", "Default": account.role or ROLE_NAME},
            "ExternalId": {"Type": "String", "Default": account.external_id, "MinLength": 24},
            "Principal": {"Type": "String", "Default": principal, "Description": "who takes the role on"},
        },
        "Resources": resources,
        "Outputs": {"RoleArn": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}},
    }


def _role(account: CloudAccount) -> dict[str, Any]:
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": {"Ref": "RoleName"},
            "MaxSessionDuration": 3600,
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": {"Ref": "Principal"}},
                        "Action": "sts:AssumeRole",
                        "Condition": {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}},
                    }
                ],
            },
            "Policies": [
                {"PolicyName": "siems", "PolicyDocument": {"Version": "2012-10-17", "Statement": statements(account)}}
            ],
        },
    }


def statements(account: CloudAccount) -> list[dict[str, Any]]:
    """What the role may do: looking, two documents on instances, cancelling; and what the account was set up for."""
    found: list[dict[str, Any]] = [
        {"Sid": "Look", "Effect": "Allow", "Action": list(LOOK), "Resource": "*"},
        {
            "Sid": "Run", "Effect": "Allow", "Action": "ssm:SendCommand",
            "Resource": [
                *({"Fn::Sub": f"arn:${{AWS::Partition}}:ssm:*::document/{name}"} for name in DOCUMENTS),
                {"Fn::Sub": "arn:${AWS::Partition}:ec2:*:${AWS::AccountId}:instance/*"},
                {"Fn::Sub": "arn:${AWS::Partition}:ssm:*:${AWS::AccountId}:managed-instance/*"},
            ],
        },
        {"Sid": "Cancel", "Effect": "Allow", "Action": "ssm:CancelCommand", "Resource": "*"},
    ]  # fmt: skip
    if account.bucket:
        resource = {"Fn::Sub": f"arn:${{AWS::Partition}}:s3:::{account.bucket}/siems/*"}
        found.append({"Sid": "Output", "Effect": "Allow", "Action": "s3:GetObject", "Resource": resource})
    if account.hybrid:
        role = {"Fn::GetAtt": ["Hybrid", "Arn"]}
        found += [
            {"Sid": "Activate", "Effect": "Allow", "Action": "ssm:CreateActivation", "Resource": "*"},
            {
                "Sid": "PassHybrid", "Effect": "Allow", "Action": "iam:PassRole", "Resource": role,
                "Condition": {"StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}},
            },
        ]  # fmt: skip
    return found


def _hybrid() -> dict[str, Any]:
    """The role that machines outside of AWS have."""
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": ACTIVATION_ROLE,
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Principal": {"Service": "ssm.amazonaws.com"}, "Action": "sts:AssumeRole",
                     "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}}
                ],
            },
            "ManagedPolicyArns": [{"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"}],
        },
    }  # fmt: skip


def console_link(region: str, template_url: str, parameters: Mapping[str, str]) -> str:
    """A link that opens the console with everything filled in; without an address of the template, its upload page."""
    console = f"https://{region}.console.aws.amazon.com/cloudformation/home?region={region}#/stacks"
    if not template_url:
        return f"{console}/create"
    words = {"templateURL": template_url, "stackName": STACK, **{f"param_{k}": v for k, v in parameters.items()}}
    return f"{console}/quickcreate?{urlencode(words, quote_via=quote)}"
