"""Whether a message of Amazon SNS was signed by Amazon. Whoever asks fetches the certificate and keeps it."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from siems.domain.signature import Cause

# The host is followed by "/", so no user, port or longer name can pretend to be it.
_URL = re.compile(r"https://sns\.([a-z0-9-]{1,40})(\.amazonaws\.com(?:\.cn)?)(/[\x21-\x7e]{0,2000})", re.ASCII)

_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": _CONFIRMATION,
    "UnsubscribeConfirmation": _CONFIRMATION,
}
"""The kinds of messages, and what is signed of each."""
_DIGESTS: dict[str, hashes.HashAlgorithm] = {
    "1": hashes.SHA1(),  # noqa: S303 (what Amazon signs with unless a topic asks for version 2)
    "2": hashes.SHA256(),
}


def confirmable(url: str) -> bool:
    """Whether an address that wants to be called is one of SNS itself."""
    found = _URL.fullmatch(url)
    return found is not None and found[3].startswith("/?")


def certificate_url(message: Mapping[str, object]) -> str:
    """Where the certificate of a message is; "" when that is no place of Amazon's."""
    url = message.get("SigningCertURL")
    found = _URL.fullmatch(url) if isinstance(url, str) else None
    path = found[3] if found else ""
    return str(url) if path.endswith(".pem") and "?" not in path and "#" not in path else ""


def verify(message: Mapping[str, object], certificate: bytes, *, now: datetime) -> str | None:
    """None when the message was signed with the certificate and that is one of SNS, else why not.

    Of a message only the fields are signed that say something: `UnsubscribeURL` is not, and is not to be called.
    """
    signature, version = message.get("Signature"), message.get("SignatureVersion")
    if not isinstance(signature, str) or not signature:
        return Cause.UNSIGNED
    digest = _DIGESTS.get(version) if isinstance(version, str) else None
    signed = _canonical(message)
    if digest is None or signed is None:
        return Cause.MALFORMED
    url = certificate_url(message)
    if not url:
        return "certificate of another host"
    try:
        given = b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return Cause.MALFORMED
    try:
        cert = x509.load_pem_x509_certificate(certificate)
        key, hosts = cert.public_key(), _hosts(cert)
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension):
        return "unreadable certificate"
    found = _URL.fullmatch(url)
    if found is None or hosts.isdisjoint({f"sns.{found[1]}{found[2]}", f"sns{found[2]}"}):
        return "certificate of another subject"
    if not cert.not_valid_before_utc <= now <= cert.not_valid_after_utc:
        return "certificate out of date"
    if not isinstance(key, rsa.RSAPublicKey):
        return "unreadable certificate"
    try:
        key.verify(given, signed, padding.PKCS1v15(), digest)
    except InvalidSignature:
        return Cause.MISMATCH
    return None


def _canonical(message: Mapping[str, object]) -> bytes | None:
    """What Amazon signs: names and values, one a line, in the order of the names; None when one is missing."""
    kind = message.get("Type")
    names = SIGNED.get(kind) if isinstance(kind, str) else None
    if names is None:
        return None
    lines = []
    for name in names:
        value = message.get(name)
        if value is None and name == "Subject":
            continue
        if not isinstance(value, str):
            return None
        lines.append(f"{name}\n{value}\n")
    return "".join(lines).encode("utf-8", "surrogatepass")


def _hosts(cert: x509.Certificate) -> set[str]:
    """The names a certificate stands for."""
    named = {str(name.value) for name in cert.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)}
    with suppress(x509.ExtensionNotFound):
        other = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        named.update(other.value.get_values_for_type(x509.DNSName))
    return {name.lower() for name in named}
