"""Whether a request comes from Twilio: X-Twilio-Signature over the URL and the form, with the account's token."""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Iterable


def signature(token: str, url: str, form: Iterable[tuple[str, str]]) -> str:
    """What Twilio says of a POST to `url` (as it was called from outside, with its query) with these fields."""
    pairs = "".join(name + value for name, value in sorted(set(form)))
    mac = hmac.digest(token.encode(), (url + pairs).encode("utf-8", "surrogateescape"), "sha1")
    return b64encode(mac).decode()


def right(token: str, url: str, form: Iterable[tuple[str, str]], given: str) -> bool:
    """Whether it is so; in constant time. Never without a token."""
    fields = list(form)
    offered = given.encode("utf-8", "surrogateescape")
    matches = [hmac.compare_digest(signature(token, one, fields).encode(), offered) for one in _ways(url)]
    return any(matches) and bool(token)


def _ways(url: str) -> list[str]:
    """The URL with and without the port that its scheme has anyway: Twilio signs either."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    port = {"https": ":443", "http": ":80"}.get(scheme, "")
    if port and host.endswith(port):
        return [url, f"{scheme}://{host.removesuffix(port)}{slash}{path}"]
    return [url, f"{scheme}://{host}{port}{slash}{path}"] if port and ":" not in host.rpartition("]")[2] else [url]
