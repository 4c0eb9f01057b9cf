"""Settings: siems.toml and SIEMS_* variables, as one frozen object. An unknown key is an error that suggests one.

A variable's name is the key with `_` for the section: SIEMS_SERVER_PORT, SIEMS_DATABASE_URL. Order: variable >
file > default.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from siems import places
from siems.errors import UsageError


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Server(Section):
    host: str = Field("127.0.0.1", description="address the webhook and API listener binds to")
    port: int = Field(8717, ge=0, le=65535, description="its TCP port; 0 lets the system choose")
    public_url: str = Field("", description="how clients reach it, for webhook URLs; empty: http://host:port")
    max_body_kib: int = Field(1024, ge=1, le=65536, description="largest request body, in KiB")
    drain_seconds: int = Field(20, ge=0, le=600, description="how long a stop waits for requests in flight")
    trusted_proxies: str = Field(
        "", description="networks of our own proxies, with commas: X-Forwarded-For counts from there, and nowhere else"
    )

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, text: str) -> str:
        _networks_of(text)
        return text

    @cached_property
    def proxies(self) -> tuple[IPv4Network | IPv6Network, ...]:
        return _networks_of(self.trusted_proxies)


def _networks_of(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(word.strip(), strict=False) for word in text.split(",") if word.strip())


class DatabaseSection(Section):
    url: str = Field(
        "", description="postgresql://user@host/name, or a path for SQLite; empty: siems.db in the data folder"
    )


class Ingest(Section):
    rate_per_minute: int = Field(60, ge=1, description="alerts per minute and company, unless the company has its own")
    burst: int = Field(120, ge=1, description="how many may come at once")
    native_rate_per_minute: int = Field(600, ge=1, description="the same for tools that only repeat on errors of ours")
    timestamp_tolerance_seconds: int = Field(
        300, ge=1, le=3600, description="how far a signed timestamp may be off, either way"
    )


class Correlation(Section):
    strategy: str = Field("auto", description="auto, asset|signature, asset|signature|tool, signature or asset")
    window_minutes: int = Field(15, ge=5, le=60, description="how long after its last alert an incident takes more")
    min_alerts: int = Field(1, ge=1, le=1000, description="alerts before an incident opens; CRITICAL ignores it")
    quiet_minutes: int = Field(
        5, ge=0, le=1440, description="quiet time after the last recovery before the system resolves"
    )
    auto_resolve: bool = Field(True, description="whether the system resolves what has recovered")
    reopen_minutes: int = Field(30, ge=0, le=1440, description="within this time after the resolution a firing reopens")
    close_hours: int = Field(72, ge=1, le=8760, description="resolved incidents are closed after this")


class Auth(Section):
    min_password: int = Field(12, ge=8, le=128, description="shortest password that is taken")


class MailIngest(Section):
    enabled: bool = Field(False, description="whether the daemon takes mail for the addresses of integrations")
    host: str = Field("127.0.0.1", description="address that it listens on for SMTP")
    port: int = Field(8725, ge=0, le=65535, description="its TCP port; 0 lets the system choose")
    domain: str = Field("", description="what stands behind the @ of the addresses, such as alerts.msp.example")
    max_message_kib: int = Field(1024, ge=1, le=65536, description="largest message, in KiB")
    tls_certificate: str = Field("", description="file with the certificate for STARTTLS; empty: none is offered")
    tls_key: str = Field("", description="file with its key; empty: it is in the same file")


class Retention(Section):
    """For how long; the record of who did what is never removed."""

    raw_days: int = Field(30, ge=1, le=36500, description="bodies of alerts as they came")
    alerts_days: int = Field(365, ge=1, le=36500, description="alerts that are over, after they were resolved")
    incidents_days: int = Field(730, ge=1, le=36500, description="closed incidents with their timeline, once closed")
    events_days: int = Field(7, ge=1, le=3650, description="the live stream: how far back a reader can resume")
    deliveries_days: int = Field(7, ge=1, le=3650, description="delivery ids, which make sending twice safe")
    rejections_days: int = Field(30, ge=1, le=3650, description="refused deliveries and their causes")
    notifications_days: int = Field(90, ge=1, le=3650, description="messages that were sent, and inboxes")


class Metrics(Section):
    token: str = Field("", description="what a scraper sends as a bearer token; empty: only this machine may look")
    public: bool = Field(False, description="whether everybody may look without a token")
    companies: bool = Field(False, description="whether labels name companies")


class Health(Section):
    """How somebody outside hears that siems is well: by hearing nothing when it is not."""

    deadman_url: str = Field(
        "", pattern="^(https?://.+)?$", description="an address that is called while all is well; empty: none"
    )
    deadman_every_seconds: int = Field(60, ge=10, le=86400, description="how often it is called")


class Aws(Section):
    profile: str = Field("", description="a profile of the daemon's own AWS files; empty: what boto3 finds by itself")
    role: str = Field("", description="ARN of a role to take on")
    external_id: str = Field("", description="the external id that the role asks for")
    regions: str = Field("", description="regions that are looked at, with commas; empty: that of the profile")
    endpoint_url: str = Field("", description="another endpoint than Amazon's, for tests")
    bucket: str = Field("", description="a bucket of ours, for templates that clients open by a link")

    @property
    def region_list(self) -> tuple[str, ...]:
        return tuple(region.strip() for region in self.regions.split(",") if region.strip())


class Azure(Section):
    authority: str = Field("https://login.microsoftonline.com", description="who gives tokens; other in other clouds")
    endpoint: str = Field("https://management.azure.com", description="where its machines are managed")


class Gcp(Section):
    authority: str = Field("https://oauth2.googleapis.com/token", description="who gives tokens for service accounts")
    compute: str = Field("https://compute.googleapis.com/compute/v1", description="where machines are looked up")
    oslogin: str = Field("https://oslogin.googleapis.com/v1", description="where keys for logging in are made known")
    projects: str = Field("https://cloudresourcemanager.googleapis.com/v1", description="where rights are asked for")
    tunnel: str = Field("wss://tunnel.cloudproxy.app/v4", description="the way to port 22 (Identity-Aware Proxy)")


class Email(Section):
    provider: str = Field("smtp", pattern="^(smtp|ses)$", description="smtp, or ses for Amazon's (see [aws])")
    sender: str = Field("", description="what stands as From: siems@msp.example, or Siems <siems@msp.example>")
    host: str = Field("", description="the server that takes mail; empty: no mail is sent")
    port: int = Field(587, ge=1, le=65535, description="its TCP port: 587, 465 for implicit TLS, or 25")
    tls: str = Field("starttls", pattern="^(starttls|implicit|none)$", description="starttls, implicit or none")
    ca_file: str = Field("", description="file with the authority of its certificate; empty: those of the system")
    user: str = Field("", description="who logs in; empty: nobody does")
    password: SecretStr = Field(SecretStr(""), description="the password of that user")
    region: str = Field("", description="region of SES; empty: the first of [aws]")


class Sms(Section):
    provider: str = Field("", pattern="^(twilio|sns|)$", description="twilio or sns; empty: no text messages are sent")
    sender: str = Field(
        "", description="number or name that they come from; with Twilio also a messaging service (MG…)"
    )
    region: str = Field("", description="region of SNS; empty: the first of [aws]")
    topic: str = Field("", description="ARN of the SNS topic that answers come by; empty: none are taken from SNS")


class Voice(Section):
    sender: str = Field("", description="number that calls come from; empty: nobody is called")
    language: str = Field("en-US", pattern="^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", description="language of the voice")


class Twilio(Section):
    account: str = Field("", description="the account's SID (AC…), for text messages and calls")
    token: SecretStr = Field(SecretStr(""), description="its auth token; answers are checked with it, too")
    url: str = Field("https://api.twilio.com", description="another address than Twilio's, for tests")


class Slack(Section):
    token: SecretStr = Field(SecretStr(""), description="the bot's token (xoxb-…); channels by webhook need none")
    signing_secret: SecretStr = Field(SecretStr(""), description="what Slack signs pressed buttons with")
    url: str = Field("https://slack.com/api", description="another address than Slack's, for tests")


class Ntfy(Section):
    server: str = Field("https://ntfy.sh", description="the server of topics that are given without one")
    token: SecretStr = Field(SecretStr(""), description="the access token for that server; empty: none is sent")


class Pushover(Section):
    token: SecretStr = Field(SecretStr(""), description="the application's API token; empty: Pushover is not used")
    url: str = Field("https://api.pushover.net", description="another address than Pushover's, for tests")


class Webpush(Section):
    private_key: SecretStr = Field(
        SecretStr(""), description="VAPID key (base64url); empty: browsers are not pushed to"
    )
    contact: str = Field("", description="whom the browser's maker may ask: an address or URL of yours")


class Webhooks(Section):
    secret: SecretStr = Field(SecretStr(""), description="signs those without a secret of their own (whsec_…)")
    allow: str = Field(
        "", description="inner networks and hosts that addresses people give (ticket systems too) may lead to"
    )

    @property
    def allow_list(self) -> tuple[str, ...]:
        return tuple(one.strip().lower() for one in self.allow.split(",") if one.strip())


class Executors(Section):
    """How runbooks reach hosts. `local.enabled` in a file means the same as `local_enabled`."""

    local_enabled: bool = Field(False, description="whether shipped runbooks may run on the daemon's own machine")

    @model_validator(mode="before")
    @classmethod
    def _flat(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        nested = {name: value for name, value in given.items() if isinstance(value, dict)}
        flat = {name: value for name, value in given.items() if name not in nested}
        return flat | {f"{name}_{key}": value for name, found in nested.items() for key, value in found.items()}


class Advice(Section):
    providers: str = Field(
        "local", description="who is asked, in this order, with commas: local, bedrock, gemini; empty: nobody"
    )
    timeout_seconds: int = Field(10, ge=1, le=120, description="how long one of them may take before the next is asked")
    daily_calls: int = Field(
        500, ge=0, description="calls a day (UTC) to those outside of this machine, for all clients together"
    )
    company_daily_calls: int = Field(100, ge=0, description="the same for each client")
    daily_tokens: int = Field(1_000_000, ge=0, description="tokens a day, for all clients together")
    cache_hours: int = Field(24, ge=0, le=720, description="for so long the same question is answered without a call")
    hide_names: bool = Field(
        True, description="whether names of assets and clients stay here; secrets and addresses always do"
    )

    sentence_model: str = Field(
        "",
        description="folder with model.onnx and tokenizer.json, for texts of the same meaning; empty: none",
    )

    @property
    def order(self) -> tuple[str, ...]:
        names = (one.strip().lower() for one in self.providers.split(","))
        return tuple(dict.fromkeys(name for name in names if name))


class Bedrock(Section):
    model: str = Field("", description="id of the model, or of an inference profile; empty: Bedrock is not used")
    region: str = Field("", description="its region; empty: the first of [aws]")
    endpoint_url: str = Field("", description="another endpoint than Amazon's, for tests")


class Gemini(Section):
    key: SecretStr = Field(SecretStr(""), description="the API key; empty: Gemini is not used")
    model: str = Field("gemini-2.5-flash", description="name of the model")
    url: str = Field(
        "https://generativelanguage.googleapis.com", description="another address than Google's, for tests"
    )


class Audit(Section):
    """Signed statements about the audit log; the key lies in the folder of settings, see SIEMS_AUDIT_KEY_FILE."""

    checkpoints: str = Field(
        "", description="file outside the database for signed heads; empty: audit-checkpoints.jsonl in the state folder"
    )
    every_seconds: int = Field(60, ge=5, le=3600, description="how often what is new is signed")

    @property
    def file(self) -> Path:
        return (
            Path(self.checkpoints).expanduser() if self.checkpoints else places.state_dir() / "audit-checkpoints.jsonl"
        )


class Log(Section):
    level: str = Field("info", pattern="^(debug|info|warning|error)$", description="debug, info, warning or error")
    format: str = Field("text", pattern="^(text|json)$", description="text for people, json for collectors")
    max_mib: int = Field(20, ge=1, le=4096, description="how large daemon.log grows before a new one begins, in MiB")
    keep: int = Field(4, ge=0, le=100, description="how many older ones are kept")


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix="SIEMS_", env_nested_delimiter="_", env_nested_max_split=1
    )

    server: Server = Field(default_factory=lambda: Server(), description="the HTTP listener")
    database: DatabaseSection = Field(default_factory=lambda: DatabaseSection(), description="where everything is kept")
    ingest: Ingest = Field(default_factory=lambda: Ingest(), description="limits of the webhook")
    correlation: Correlation = Field(default_factory=lambda: Correlation(), description="defaults for new companies")
    mail_ingest: MailIngest = Field(default_factory=lambda: MailIngest(), description="alerts by e-mail")
    auth: Auth = Field(default_factory=lambda: Auth(), description="accounts")
    retention: Retention = Field(default_factory=lambda: Retention(), description="what is removed after how long")
    metrics: Metrics = Field(default_factory=lambda: Metrics(), description="who may read /metrics, and what it tells")
    health: Health = Field(default_factory=lambda: Health(), description="who outside is told that all is well")
    aws: Aws = Field(default_factory=lambda: Aws(), description="how AWS is reached: inventories, queues, messages")
    azure: Azure = Field(default_factory=lambda: Azure(), description="how Azure is reached")
    gcp: Gcp = Field(default_factory=lambda: Gcp(), description="how Google Cloud is reached")
    email: Email = Field(default_factory=lambda: Email(), description="messages by mail")
    sms: Sms = Field(default_factory=lambda: Sms(), description="text messages")
    voice: Voice = Field(default_factory=lambda: Voice(), description="calls, by Twilio")
    twilio: Twilio = Field(default_factory=lambda: Twilio(), description="the account at Twilio")
    slack: Slack = Field(default_factory=lambda: Slack(), description="messages in Slack")
    ntfy: Ntfy = Field(default_factory=lambda: Ntfy(), description="push to phones by ntfy")
    pushover: Pushover = Field(default_factory=lambda: Pushover(), description="push to phones by Pushover")
    webpush: Webpush = Field(default_factory=lambda: Webpush(), description="push to browsers")
    webhooks: Webhooks = Field(default_factory=lambda: Webhooks(), description="messages to addresses that people give")
    executors: Executors = Field(default_factory=lambda: Executors(), description="how runbooks reach hosts")
    advice: Advice = Field(default_factory=lambda: Advice(), description="advice on incidents, and who gives it")
    bedrock: Bedrock = Field(default_factory=lambda: Bedrock(), description="advice by a model on Amazon Bedrock")
    gemini: Gemini = Field(default_factory=lambda: Gemini(), description="advice by Google's Gemini")
    audit: Audit = Field(default_factory=lambda: Audit(), description="how the record of who did what is proved")
    log: Log = Field(default_factory=lambda: Log(), description="what the daemon writes down")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings

    @property
    def database_url(self) -> str:
        return self.database.url or str(places.data_dir() / "siems.db")

    @property
    def public_url(self) -> str:
        return (self.server.public_url or f"http://{self.server.host}:{self.server.port}").rstrip("/")


def load(path: Path | None = None) -> Settings:
    """The settings in force. Raises UsageError naming the key, the file and what would be right."""
    file = path or next((p for p in places.settings_files() if p.exists()), None)
    data: dict[str, Any] = {}
    if file is not None:
        try:
            data = tomllib.loads(file.read_text())
        except OSError as why:
            raise UsageError(f"{file} cannot be read ({why.strerror})", hint="siems init writes a new one") from why
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as why:
            raise UsageError(f"{file} is not valid TOML: {why}", hint="compare it with siems.toml.example") from why
    elif os.environ.get("SIEMS_CONFIG"):
        raise UsageError(f"there is no file {os.environ['SIEMS_CONFIG']}", hint="SIEMS_CONFIG names it")
    _refuse_unknown_variables()
    try:
        return Settings(**data)
    except ValidationError as why:
        raise _explained(why, file) from why


def keys() -> Iterator[tuple[str, str, Any, str]]:
    """(section, key, default, what it means) of every setting."""
    for section, outer in Settings.model_fields.items():
        kind = outer.annotation
        assert isinstance(kind, type)
        assert issubclass(kind, Section)
        for name, inner in kind.model_fields.items():
            yield section, name, inner.default, inner.description or ""


_OTHER_VARIABLES = frozenset({
    "SIEMS_HOME", "SIEMS_CONFIG", "SIEMS_URL", "SIEMS_TOKEN", "SIEMS_TOKEN_FILE", "SIEMS_CONTEXT", "SIEMS_OUTPUT",
    "SIEMS_NO_INPUT", "SIEMS_TIMEOUT", "SIEMS_DEBUG", "SIEMS_PAGER", "SIEMS_A11Y", "SIEMS_JSON_VERSION",
    "SIEMS_PASSWORD", "SIEMS_TEST_POSTGRES_URL", "SIEMS_PAYLOADS", "SIEMS_COMPANY", "SIEMS_WEBHOOK", "SIEMS_KEY",
    "SIEMS_HMAC", "SIEMS_SYSTEM_ROOT", "SIEMS_KEY_FILE", "SIEMS_AUDIT_KEY_FILE",
})  # fmt: skip
"""Variables that are no settings: they belong to the consoles, to files of secrets and to the tests."""


def _refuse_unknown_variables() -> None:
    """A variable that looks like a setting and is none is a mistake; others that begin with SIEMS_ are let be."""
    known = {f"SIEMS_{section}_{name}".upper() for section, name, _, _ in keys()}
    sections = tuple(f"SIEMS_{section.upper()}_" for section in Settings.model_fields)
    for variable in os.environ.keys() - known - _OTHER_VARIABLES:
        ours = variable.startswith(sections)
        near = get_close_matches(variable, known, n=1, cutoff=0.6 if ours else 0.8)
        if ours or (near and variable.startswith("SIEMS_")):
            hint = f"did you mean {near[0]}?" if near else "siems.toml.example names every key"
            raise UsageError(f"the variable {variable} is no setting", hint=hint)


def _explained(error: ValidationError, file: Path | None) -> UsageError:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    origin = f"in {file}" if file else "in the environment"
    if first["type"] == "extra_forbidden":
        known = [f"{section}.{name}" for section, name, _, _ in keys()] + list(Settings.model_fields)
        near = get_close_matches(where, known, n=1)
        hint = f"did you mean {near[0]}?" if near else "siems.toml.example names every key"
        return UsageError(f"there is no setting {where!r} ({origin})", hint=hint)
    return UsageError(f"{where} {origin}: {first['msg']}", hint="siems.toml.example tells what it takes")


def example() -> str:
    """siems.toml.example: every key, with what it means and its default."""
    lines = ["# siems: every setting with its default. Copy to siems.toml and keep what you change.",
             "# Each can also be given as a variable: server.port is SIEMS_SERVER_PORT."]  # fmt: skip
    current = ""
    for section, name, default, meaning in keys():
        if section != current:
            current = section
            lines += ["", f"[{section}]  # {Settings.model_fields[section].description}"]
        lines += [f"# {meaning}", f"{name} = {_toml(default)}"]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, SecretStr):  # a default is no secret
        value = value.get_secret_value()
    return str(value) if isinstance(value, int) else f'"{value}"'
