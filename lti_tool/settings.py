"""config.toml and secrets.toml become one typed, immutable object; a wrong key is an error that names it."""

import base64
import os
import tomllib
from email.utils import parseaddr
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretBytes,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

Network = IPv4Network | IPv6Network


class SettingsError(Exception):
    """The configuration cannot be used; the text says which key, which value, and what is allowed."""


def _network(value: object) -> Network:
    try:
        return ip_network(str(value))
    except ValueError as error:
        raise ValueError('an address range such as "10.0.0.0/8" or "127.0.0.1/32"') from error


def _key(value: object) -> object:
    if isinstance(value, SecretBytes):
        return value
    try:
        raw = base64.b64decode(str(value), validate=True)
    except ValueError as error:
        raise ValueError("32 random bytes in base64, as `meitheal init` writes them") from error
    if len(raw) != 32:
        raise ValueError("32 random bytes in base64, as `meitheal init` writes them")
    return raw


def _zone(value: object) -> str:
    if str(value) not in available_timezones():
        raise ValueError('the name of a time zone such as "Europe/Dublin"')
    return str(value)


ZoneName = Annotated[str, BeforeValidator(_zone)]
Networks = tuple[Annotated[Network, BeforeValidator(_network)], ...]
Key = Annotated[SecretBytes, BeforeValidator(_key)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Registration(_Section):
    mode: Literal["invite", "open"] = "invite"
    """`invite`: an LMS needs a one-time link from `meitheal platform invite`. `open`: any LMS may register, and
    waits for `meitheal platform approve`."""


class NetworkSettings(_Section):
    allow_private: Networks = ()
    """Private or loopback ranges in which a platform may live, over http too."""
    trusted_proxies: Networks = ()
    """Addresses whose X-Forwarded-* headers are believed."""
    metrics_from: Networks = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
    """Addresses that may read /metrics."""


class Limits(_Section):
    enabled: bool = True


class Lti(_Section):
    algorithms: tuple[Literal["RS256", "ES256"], ...] = ("RS256", "ES256")
    """Signatures accepted on a platform's tokens; never chosen by the token itself."""


class Rhythm(_Section):
    quiet_months: tuple[Annotated[int, Field(ge=1, le=12)], ...] = (7, 8)
    """Months (1 to 12) of school holidays, in which no pair gets a hint that it would be time for a cycle."""


def _category(value: object) -> str:
    name = " ".join(str(value).split())
    if not isinstance(value, str) or not 1 <= len(name) <= 60 or not name.isprintable():
        raise ValueError("names of up to 60 characters")
    return name


class Time(_Section):
    categories: Annotated[
        tuple[Annotated[str, BeforeValidator(_category)], ...], Field(min_length=1, max_length=20)
    ] = ("professional conversation", "observing", "planning", "Croke Park hours")
    """What teachers can put time under in the ledger that each keeps for themselves."""

    @field_validator("categories")
    @classmethod
    def _are_different(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len({name.casefold() for name in value}) < len(value):
            raise ValueError("names that differ from each other")
        return value


class Mail(_Section):
    host: str = ""
    """Of the mail server; empty: the tool sends no e-mail."""
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    tls: Literal["starttls", "tls", "none"] = "starttls"
    """`none` without a user only: a password never goes over an open line."""
    user: str = ""
    """Empty: without signing in. The password is mail_password of secrets.toml."""
    sender: Annotated[str, Field(alias="from")] = ""
    """Who the messages come from: coaching@example.ie or Coaching <coaching@example.ie>."""

    @model_validator(mode="after")
    def _is_whole(self) -> "Mail":
        name, address = parseaddr(self.sender)
        is_one_line = self.sender.isprintable() and "@" in address and "," not in name
        if self.host and not (is_one_line and address.isascii()):
            raise ValueError('with a host, from = "coaching@example.ie"')
        if self.tls == "none" and self.user:
            raise ValueError('tls = "none" without a user; with one, tls = "starttls" or "tls"')
        return self


class Log(_Section):
    level: Literal["debug", "info", "warning", "error"] = "info"


class Settings(BaseSettings):
    """All settings of one running tool."""

    model_config = SettingsConfigDict(env_prefix="MEITHEAL_", extra="forbid", frozen=True)

    public_url: str
    """Origin under which browsers and LMSs reach the tool, without a trailing slash: https://coaching.example.ie."""
    secret_key: Key
    master_key: Key
    next_master_key: Key | None = None
    """Opens already, so that every process knows it before `meitheal keys rotate --master` lets it seal."""
    old_master_keys: tuple[Key, ...] = ()
    """Open still, until `meitheal keys reseal` has sealed everything by master_key."""
    database_url: str = "sqlite:///var/meitheal.db"
    keyring_url: str = ""
    """Where the keys of content are; empty: beside the data, see `privacy.keyring_store.url_of`."""
    queue_url: str = "sqlite:///var/queue.db"
    time_zone: ZoneName = "Europe/Dublin"
    """Zone in which teachers enter and read times."""
    registration: Registration = Field(default_factory=Registration)
    network: NetworkSettings = Field(default_factory=NetworkSettings)
    limits: Limits = Field(default_factory=Limits)
    lti: Lti = Field(default_factory=Lti)
    rhythm: Rhythm = Field(default_factory=Rhythm)
    mail: Mail = Field(default_factory=Mail)
    mail_password: SecretStr = SecretStr("")
    """Of [mail] user; in secrets.toml or MEITHEAL_MAIL_PASSWORD."""
    time: Time = Field(default_factory=Time)
    log: Log = Field(default_factory=Log)

    @field_validator("public_url")
    @classmethod
    def _is_origin(cls, value: str) -> str:
        parts = urlsplit(value.rstrip("/"))
        local = parts.hostname in ("localhost", "127.0.0.1")
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.path or parts.query or parts.fragment:
            raise ValueError("an address such as https://coaching.example.ie, with no path")
        if parts.scheme == "http" and not local:
            # Browsers drop the Secure cookies of a page that came over plain http, except on this very machine.
            raise ValueError("an https address (http only for localhost)")
        return value.rstrip("/")

    @field_validator("database_url", "keyring_url")
    @classmethod
    def _is_database(cls, value: str, info: ValidationInfo) -> str:
        if info.field_name == "keyring_url":
            if not value:
                return value
            if value in (info.data.get("database_url"), str(info.data.get("database_url")).replace("+psycopg", "")):
                raise ValueError("another database than database_url, or empty")
        if value.startswith("postgresql://"):
            return "postgresql+psycopg://" + value.removeprefix("postgresql://")
        if not value.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("sqlite:///path/to/file.db or postgresql://user:password@host/name")
        return value

    @field_validator("queue_url")
    @classmethod
    def _is_queue(cls, value: str) -> str:
        if not value.startswith(("sqlite:///", "redis://", "rediss://")):
            raise ValueError("sqlite:///path/to/file.db or redis://host:6379/0")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # Files are read by load(), so that the keys can come from the environment and win; no other setting
        # is taken from it, for a forgotten variable must not silently change what the file says.
        return (init_settings,)


def load(config_file: Path) -> Settings:
    """Settings from `config_file`, the `secrets.toml` beside it and the key variables of the environment.

    Raises SettingsError with one line per wrong key.
    """
    values = _read(config_file)
    secrets_file = config_file.with_name("secrets.toml")
    if secrets_file.exists():
        values |= _read(secrets_file)
    return from_values(values | keys_from_environment())


def keys_from_environment() -> dict[str, Any]:
    """The keys that the environment gives: MEITHEAL_SECRET_KEY, MEITHEAL_MASTER_KEY, MEITHEAL_NEXT_MASTER_KEY, and
    MEITHEAL_OLD_MASTER_KEYS with spaces between them; and the password of the mail server, MEITHEAL_MAIL_PASSWORD."""
    names = ("secret_key", "master_key", "next_master_key", "old_master_keys", "mail_password")
    given = {name: value for name in names if (value := os.environ.get(f"MEITHEAL_{name.upper()}"))}
    return {name: value.split() if name == "old_master_keys" else value for name, value in given.items()}


def from_values(values: dict[str, Any]) -> Settings:
    """Checked settings from plain values, as a TOML file holds them; raises SettingsError."""
    try:
        return Settings(**values)
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(problem) for problem in error.errors())) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"There is no {path}. `meitheal init` writes one.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from None


def _explain(problem: Any) -> str:
    key = ".".join(str(part) for part in problem["loc"] if not str(part).startswith("function-"))
    if problem["type"] == "extra_forbidden":
        section = key.rpartition(".")[0]
        fields = getattr(Settings.model_fields.get(section), "annotation", Settings).model_fields
        allowed_here = sorted(field.alias or name for name, field in fields.items())
        return f"{key} is not a setting. Allowed here: {', '.join(allowed_here)}."
    if problem["type"] == "missing":
        hint = " (in secrets.toml or MEITHEAL_" + key.upper() + ")" if key.endswith("_key") else ""
        return f"{key} is missing{hint}. `meitheal init` writes it."
    allowed = str(problem["msg"]).removeprefix("Value error, ")
    shown = "a value that is not shown" if "_key" in key or "password" in key else repr(problem["input"])
    return f"{key} is {shown}. Allowed: {allowed}."
