"""Signatures of SNS, with a certificate of our own: whatever is changed, it no longer fits."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from siems.domain.signature import Cause
from siems.domain.sns import certificate_url, confirmable, verify

NOW = datetime(2031, 3, 4, 5, 6, 7, tzinfo=UTC)
HOST = "sns.eu-north-1.amazonaws.com"
TOPIC = "arn:aws:sns:eu-north-1:210987654321:night-watch"

Message = dict[str, object]


@cache
def key(which: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


@cache
def certificate(
    subject: str = "sns.amazonaws.com", *names: str, which: str = "ours", begins: int = -1, elliptic: bool = False
) -> bytes:
    """A certificate signed by itself: what is asked of it is whom it names, since it comes over TLS from Amazon."""
    private = ec.generate_private_key(ec.SECP256R1()) if elliptic else key(which)
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)])
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(private.public_key())
        .serial_number(7)
        .not_valid_before(NOW + timedelta(days=begins))
        .not_valid_after(NOW + timedelta(days=begins + 30))
    )
    if names:
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), critical=False)
    return made.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def message(kind: str = "Notification", version: str = "2", **other: object) -> Message:
    fields: Message = {
        "Type": kind,
        "MessageId": "0b1c2d3e-1111-5222-9333-444455556666",
        "TopicArn": TOPIC,
        "Message": '{"disk": "voll"}\nzweite Zeile',
        "Timestamp": "2031-03-04T05:06:00.123Z",
        "SignatureVersion": version,
        "SigningCertURL": f"https://{HOST}/SimpleNotificationService-0011aabb.pem",
    }
    if kind == "Notification":
        fields |= {"Subject": "Plattenplatz", "UnsubscribeURL": f"https://{HOST}/?Action=Unsubscribe"}
    else:
        fields |= {"Token": "t0k3n", "SubscribeURL": f"https://{HOST}/?Action=ConfirmSubscription&Token=t0k3n"}
    return signed(fields | other)


def signed(fields: Message) -> Message:
    """The message with its signature, by the documented rule and not by the code under test."""
    names = ["Message", "MessageId"]
    if fields["Type"] == "Notification":
        names += ["Subject"] if "Subject" in fields else []
    else:
        names += ["SubscribeURL"]
    names += ["Timestamp"]
    names += ["Token"] if fields["Type"] != "Notification" else []
    names += ["TopicArn", "Type"]
    text = "".join(f"{name}\n{fields[name]}\n" for name in names)
    digest = hashes.SHA1() if fields["SignatureVersion"] == "1" else hashes.SHA256()
    return fields | {"Signature": b64encode(key("ours").sign(text.encode(), padding.PKCS1v15(), digest)).decode()}


KINDS = ("Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation")


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_amazon_signed_is_let_in(kind: str, version: str) -> None:
    assert verify(message(kind, version), certificate(), now=NOW) is None


def test_a_notification_without_subject_is_let_in() -> None:
    fields = {name: value for name, value in message().items() if name != "Subject"}
    assert verify(signed(fields), certificate(), now=NOW) is None


@pytest.mark.parametrize(
    "names", [(HOST,), ("sns.amazonaws.com", HOST), ("SNS.eu-north-1.amazonaws.com",)], ids=lambda names: names[0]
)
def test_the_certificate_may_name_the_region(names: tuple[str, ...]) -> None:
    assert verify(message(), certificate(names[0], *names), now=NOW) is None


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_single_changed_field_fails(kind: str, version: str) -> None:
    whole = message(kind, version)
    for name, value in whole.items():
        if name == "UnsubscribeURL":  # not signed; nobody calls it
            continue
        for other in (f"{value}x", str(value)[:-1], f"x{value}", "", None, 7, [value]):
            assert verify(whole | {name: other}, certificate(), now=NOW), (name, other)
        assert verify({k: v for k, v in whole.items() if k != name}, certificate(), now=NOW), name
    for other in (*KINDS, "1", "2"):
        name = "SignatureVersion" if other.isdigit() else "Type"
        if whole[name] != other:
            assert verify(whole | {name: other}, certificate(), now=NOW), other


def test_a_subject_that_was_put_in_fails() -> None:
    fields = {name: value for name, value in message().items() if name != "Subject"}
    assert verify(signed(fields) | {"Subject": "anders"}, certificate(), now=NOW) == Cause.MISMATCH


def test_the_same_words_in_other_fields_fail() -> None:
    whole = message(Subject="a\nTimestamp\nb")
    assert verify(whole | {"Subject": "a", "Timestamp": "b"}, certificate(), now=NOW) == Cause.MISMATCH


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-north-1.amazonaws.com/a.pem",
        "https://sns.eu-north-1.amazonaws.com.evil.example/a.pem",
        "https://evil.example/sns.eu-north-1.amazonaws.com/a.pem",
        "https://sns.eu-north-1.amazonaws.com@evil.example/a.pem",
        "https://sns.eu-north-1.amazonaws.com:8443/a.pem",
        "https://sns.eu-north-1.amazonaws.com\\@evil.example/a.pem",
        "https://sns.eu-north-1.evil.example/a.pem",
        "https://sns.a.b.amazonaws.com/a.pem",
        "https://bucket.s3.amazonaws.com/a.pem",
        "https://sns.amazonaws.com/a.pem",
        "https://sns.eu-north-1.amazonaws.com/a.pem\n",
        "https://sns.eu-north-1.amazonaws.com/a.pem?x",
        "https://sns.eu-north-1.amazonaws.com/?x=a.pem",
        "https://sns.eu-north-1.amazonaws.com/a.crt",
        "https://SNS.eu-north-1.amazonaws.com/a.pem",
        "",
    ],
)
def test_a_certificate_comes_from_amazon_or_not_at_all(url: str) -> None:
    whole = message(SigningCertURL=url)
    assert certificate_url(whole) == ""
    assert verify(whole, certificate(), now=NOW) == "certificate of another host"


def test_a_certificate_may_come_from_china() -> None:
    url = "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-1.pem"
    whole = message(SigningCertURL=url)
    assert certificate_url(whole) == url
    assert verify(whole, certificate("sns.cn-north-1.amazonaws.com.cn"), now=NOW) is None
    assert verify(whole, certificate("sns.amazonaws.com"), now=NOW) == "certificate of another subject"


@pytest.mark.parametrize(
    "subject", ["evil.example", "sns.us-east-1.amazonaws.com", "amazonaws.com", "*.amazonaws.com", "xsns.amazonaws.com"]
)
def test_the_certificate_is_one_of_sns(subject: str) -> None:
    assert verify(message(), certificate(subject), now=NOW) == "certificate of another subject"


def test_a_certificate_has_its_time() -> None:
    assert verify(message(), certificate(begins=1), now=NOW) == "certificate out of date"
    assert verify(message(), certificate(begins=-31), now=NOW) == "certificate out of date"


def test_another_key_fails() -> None:
    assert verify(message(), certificate(which="theirs"), now=NOW) == Cause.MISMATCH
    assert verify(message(), certificate(elliptic=True), now=NOW) == "unreadable certificate"


@pytest.mark.parametrize("pem", [b"", b"nothing", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate_fails(pem: bytes) -> None:
    assert verify(message(), pem, now=NOW) == "unreadable certificate"


@pytest.mark.parametrize("whole", [{}, {"Signature": "AA=="}, {"Signature": 1}, {"Signature": "AA==", "Type": []}])
def test_nothing_is_not_signed(whole: Message) -> None:
    assert verify(whole, certificate(), now=NOW) in (Cause.UNSIGNED, Cause.MALFORMED)


def test_only_addresses_of_sns_are_called() -> None:
    assert confirmable(f"https://{HOST}/?Action=ConfirmSubscription&Token=1")
    assert confirmable("https://sns.cn-northwest-1.amazonaws.com.cn/?Action=ConfirmSubscription")
    for url in (
        f"http://{HOST}/?Action=ConfirmSubscription",
        f"https://{HOST}.evil.example/?Action=ConfirmSubscription",
        f"https://{HOST}@evil.example/?Action=ConfirmSubscription",
        f"https://{HOST}:443/?Action=ConfirmSubscription",
        f"https://{HOST}/other?Action=ConfirmSubscription",
        f"https://{HOST}/?Action=Confirm Subscription",
        "https://sqs.eu-north-1.amazonaws.com/?Action=ConfirmSubscription",
        "",
    ):
        assert not confirmable(url), url
