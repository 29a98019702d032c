"""Settings: files in ``config/``, then the environment.

What ``motia.config.ts`` names comes first, then ``config/default.toml``, then
``config/<environment>.toml``, then the variables that hosting platforms set (``PORT``,
``REDIS_URL``, …), then ``MOTIA_<NAME>``.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import AliasChoices, Field, PrivateAttr, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from motia_celery.errors import SettingsError

PREFIX = "MOTIA_"
_BROKER_SCHEMES = ("amqp://", "amqps://", "pyamqp://", "redis://", "rediss://", "memory://")
Pool = Literal["async", "threads", "prefork"]
#: Visible ASCII, as a header can carry it; long enough that nobody can try them all.
_TOKEN = re.compile(r"[!-~]{32,}")


def _from_environment(name: str, *platform_names: str) -> AliasChoices:
    """``MOTIA_<NAME>`` first, then the names that platforms set."""
    return AliasChoices(name, PREFIX + name.upper(), *platform_names)


class Settings(BaseSettings):
    """Every setting of one process; frozen once read. Times are seconds, sizes bytes."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", validate_default=False, hide_input_in_errors=True
    )

    environment: Literal["development", "production", "test"] = Field(
        "development", validation_alias=_from_environment("environment", "MOTIA_ENV")
    )
    root: Path = Field(Path(), validation_alias=_from_environment("root"))
    prefix: str = Field(
        "motia", pattern=r"^[A-Za-z0-9_.-]{1,40}$", validation_alias=_from_environment("prefix")
    )

    broker_url: SecretStr | None = Field(
        None,
        validation_alias=_from_environment(
            "broker_url", "AMQP_URL", "CLOUDAMQP_URL", "RABBITMQ_URL"
        ),
    )
    redis_url: SecretStr | None = Field(
        None, validation_alias=_from_environment("redis_url", "REDIS_TLS_URL", "REDIS_URL")
    )
    tls_ca_file: Path | None = Field(None, validation_alias=_from_environment("tls_ca_file"))
    broker_tls_verify: bool = Field(True, validation_alias=_from_environment("broker_tls_verify"))
    redis_tls_verify: bool = Field(True, validation_alias=_from_environment("redis_tls_verify"))
    redis_max_connections: int = Field(
        10, ge=2, validation_alias=_from_environment("redis_max_connections")
    )

    host: str = Field("0.0.0.0", validation_alias=_from_environment("host"))  # noqa: S104 - a server's default; dev binds 127.0.0.1
    port: int = Field(3000, ge=0, le=65535, validation_alias=_from_environment("port", "PORT"))
    web_concurrency: int = Field(
        1, ge=1, validation_alias=_from_environment("web_concurrency", "WEB_CONCURRENCY")
    )
    forwarded_allow_ips: str = Field(
        "127.0.0.1",
        validation_alias=_from_environment("forwarded_allow_ips", "FORWARDED_ALLOW_IPS"),
    )
    body_limit_bytes: int = Field(
        10 * 1024 * 1024, ge=0, validation_alias=_from_environment("body_limit_bytes")
    )
    head_limit_bytes: int = Field(
        32 * 1024, ge=1024, validation_alias=_from_environment("head_limit_bytes")
    )
    head_timeout_seconds: float = Field(
        30, gt=0, validation_alias=_from_environment("head_timeout_seconds")
    )
    body_timeout_seconds: float = Field(
        300, gt=0, validation_alias=_from_environment("body_timeout_seconds")
    )
    write_timeout_seconds: float = Field(
        60, gt=0, validation_alias=_from_environment("write_timeout_seconds")
    )
    request_timeout_seconds: float = Field(
        30, gt=0, validation_alias=_from_environment("request_timeout_seconds")
    )
    validate_body: bool = Field(False, validation_alias=_from_environment("validate_body"))
    emit_route: bool = Field(False, validation_alias=_from_environment("emit_route"))
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        ("*",), validation_alias=_from_environment("cors_origins")
    )
    cors_credentials: bool = Field(False, validation_alias=_from_environment("cors_credentials"))
    own_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), validation_alias=_from_environment("own_hosts")
    )
    admin_token: SecretStr | None = Field(None, validation_alias=_from_environment("admin_token"))
    admin_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), validation_alias=_from_environment("admin_hosts")
    )

    stream_sockets_per_ip: int = Field(
        10_000, ge=1, validation_alias=_from_environment("stream_sockets_per_ip")
    )
    stream_subscriptions_per_socket: int = Field(
        1000, ge=1, validation_alias=_from_environment("stream_subscriptions_per_socket")
    )
    stream_queue_messages: int = Field(
        1000, ge=1, validation_alias=_from_environment("stream_queue_messages")
    )
    stream_message_bytes: int = Field(
        64 * 1024, ge=1024, validation_alias=_from_environment("stream_message_bytes")
    )
    stream_ping_seconds: float = Field(
        20, gt=0, validation_alias=_from_environment("stream_ping_seconds")
    )

    pool: Pool = Field("async", validation_alias=_from_environment("pool"))
    concurrency: int = Field(100, ge=1, validation_alias=_from_environment("concurrency"))
    prefetch: int | None = Field(None, ge=1, validation_alias=_from_environment("prefetch"))
    task_events: bool = Field(True, validation_alias=_from_environment("task_events"))
    direct: bool = Field(True, validation_alias=_from_environment("direct"))
    strict_emits: bool = Field(False, validation_alias=_from_environment("strict_emits"))
    emit_timeout_seconds: float = Field(
        10, gt=0, validation_alias=_from_environment("emit_timeout_seconds")
    )
    emit_dedupe_seconds: float = Field(
        86400, gt=0, validation_alias=_from_environment("emit_dedupe_seconds")
    )
    once_seconds: float = Field(7 * 86400, gt=0, validation_alias=_from_environment("once_seconds"))
    event_schema: Literal["warn", "reject", "refuse"] = Field(
        "warn", validation_alias=_from_environment("event_schema")
    )
    event_limit_bytes: int = Field(
        10 * 1024 * 1024, ge=1024, validation_alias=_from_environment("event_limit_bytes")
    )
    soft_shutdown_seconds: float = Field(
        20, ge=0, validation_alias=_from_environment("soft_shutdown_seconds")
    )
    state_wrap: Literal["both", "motia", "plain"] = Field(
        "both", validation_alias=_from_environment("state_wrap")
    )

    node_memory_mb: int | None = Field(
        None, ge=64, validation_alias=_from_environment("node_memory_mb")
    )

    isolated_steps: bool = Field(False, validation_alias=_from_environment("isolated_steps"))
    isolated_processes: int | None = Field(
        None, ge=1, validation_alias=_from_environment("isolated_processes")
    )

    timezone: str = Field("UTC", validation_alias=_from_environment("timezone"))
    beat_lock_seconds: float = Field(
        10, ge=1, validation_alias=_from_environment("beat_lock_seconds")
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", validation_alias=_from_environment("log_level", "LOG_LEVEL")
    )
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", validation_alias=_from_environment("log_format")
    )

    records: bool = Field(True, validation_alias=_from_environment("records"))
    record_successes: float = Field(
        1.0, ge=0, le=1, validation_alias=_from_environment("record_successes")
    )
    record_value_bytes: int = Field(
        8192, ge=256, le=1024 * 1024, validation_alias=_from_environment("record_value_bytes")
    )
    records_kept: int = Field(20_000, ge=1, validation_alias=_from_environment("records_kept"))
    records_kept_days: float = Field(
        3.0, gt=0, validation_alias=_from_environment("records_kept_days")
    )
    records_kept_bytes: int = Field(
        128 * 1024 * 1024, ge=65536, validation_alias=_from_environment("records_kept_bytes")
    )
    log_lines_kept: int = Field(10_000, ge=0, validation_alias=_from_environment("log_lines_kept"))
    redact_keys: Annotated[tuple[str, ...], NoDecode] = Field(
        (), validation_alias=_from_environment("redact_keys")
    )

    _origins: dict[str, str] = PrivateAttr(default_factory=dict)

    @field_validator("log_level", mode="before")
    @classmethod
    def _motia_level(cls, value: Any) -> Any:
        level = str(value).lower()
        return "warning" if level == "warn" else level

    @field_validator("cors_origins", "own_hosts", "admin_hosts", "redact_keys", mode="before")
    @classmethod
    def _comma_list(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("broker_url", "redis_url", "admin_token", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: Any) -> Any:
        return value or None

    @field_validator("admin_token")
    @classmethod
    def _strong_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not _TOKEN.fullmatch(value.get_secret_value()):
            raise ValueError(
                "needs 32 characters or more, without spaces; `openssl rand -hex 32` makes one"
            )
        return value

    @field_validator("broker_url")
    @classmethod
    def _known_broker(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not value.get_secret_value().startswith(_BROKER_SCHEMES):
            raise ValueError("is no URL of a broker: it starts with amqp://, amqps:// or redis://")
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
        """:func:`load_settings` reads every source itself, so that each value's origin is known."""
        return (init_settings,)

    def origin(self, field: str) -> str:
        """Where the value of ``field`` came from: a variable, a file, or ``default``."""
        return self._origins.get(field, "default")

    @property
    def project_root(self) -> Path:
        """The project's root, absolute."""
        return self.root.resolve()

    @property
    def broker(self) -> str:
        """The broker's URL: RabbitMQ's where one is set, else Redis's.

        Raises:
            SettingsError: neither is set.
        """
        url = self.broker_url or self.redis_url
        if url is None:
            raise SettingsError(
                "no broker is set.",
                "settings",
                "Set AMQP_URL (RabbitMQ) and REDIS_URL, or use `motia-celery dev`, "
                "which starts its own.",
            )
        return url.get_secret_value()

    @property
    def redis(self) -> str:
        """Redis's URL.

        Raises:
            SettingsError: it is not set.
        """
        if self.redis_url is None:
            raise SettingsError(
                "no Redis is set; state, streams and schedules live there.",
                "settings",
                "Set REDIS_URL, or use `motia-celery dev`, which starts its own.",
            )
        return self.redis_url.get_secret_value()

    @property
    def uses_rabbitmq(self) -> bool:
        """Whether the broker speaks AMQP."""
        url = self.broker_url
        return url is not None and url.get_secret_value().startswith(
            ("amqp://", "amqps://", "pyamqp")
        )

    @property
    def slots(self) -> int | None:
        """Runs at once in one worker process; None, where nobody chose it, for one a processor."""
        if self.pool == "prefork" and self.origin("concurrency") == "default":
            return None
        return self.concurrency

    @property
    def isolated_limit(self) -> int:
        """Isolated runs at once in one process: one a processor, but two at least."""
        return self.isolated_processes or max(2, os.cpu_count() or 1)

    @property
    def prefetch_count(self) -> int:
        """How many unacknowledged deliveries one Step queue may hold in one worker process."""
        return self.prefetch or self.concurrency


def load_settings(
    root: Path | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    project: Mapping[str, str] = MappingProxyType({}),
    project_file: str = "",
    **overrides: Any,
) -> Settings:
    """The settings of a project, with where each came from.

    ``overrides`` (command-line options) win over everything; those that are None are dropped.
    ``project``, what the file of that name sets, counts where nothing else does.

    Raises:
        SettingsError: a file or a variable holds something that can not be used.
    """
    env = dict(os.environ if environ is None else environ)
    given = {name: value for name, value in overrides.items() if value is not None}
    directory = (root or Path(env.get("MOTIA_ROOT", "."))).resolve()
    environment = given.get("environment") or env.get("MOTIA_ENVIRONMENT") or env.get("MOTIA_ENV")
    values: dict[str, Any] = {"root": directory, **project}
    origins: dict[str, str] = dict.fromkeys(project, project_file)
    for name in ("default", environment or "development"):
        file = directory / "config" / f"{name}.toml"
        for key, value in _read_toml(file).items():
            _require_known(key, f"config/{name}.toml")
            values[key] = value
            origins[key] = f"config/{name}.toml"
    _add_environment(env, values, origins)
    for key, value in given.items():
        values[key] = value
        origins[key] = "command line"
    return _validated(values, origins)


def _require_known(key: str, place: str) -> None:
    known = sorted(Settings.model_fields.keys() - {"root"})
    if key not in known:
        near = get_close_matches(key, known, n=1)
        fix = f"Did you mean {near[0]!r}?" if near else "`motia-celery doctor` lists them all."
        raise SettingsError(f"{key!r} is no setting.", place, fix)


def _read_toml(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"is not valid TOML ({error}).", str(file), "Correct the file."
        ) from error


def _add_environment(
    env: Mapping[str, str], values: dict[str, Any], origins: dict[str, str]
) -> None:
    for field, info in Settings.model_fields.items():
        if field == "root":
            continue
        choices = info.validation_alias
        names = choices.choices[1:] if isinstance(choices, AliasChoices) else []
        for name in names:
            if isinstance(name, str) and env.get(name):
                values[field] = env[name]
                origins[field] = name
                break
    from_file = origins.get("redis_url", "config/").startswith(("config/", "motia.config."))
    is_disabled = env.get("MOTIA_DISABLE_MEMORY_SERVER") == "true" and "redis_url" not in origins
    if from_file and (env.get("MOTIA_REDIS_HOST") or is_disabled):
        name = "MOTIA_DISABLE_MEMORY_SERVER" if is_disabled else "MOTIA_REDIS_HOST"
        values["redis_url"], origins["redis_url"] = _motia_redis_url(env), name


def _motia_redis_url(env: Mapping[str, str]) -> str:
    """The URL that Motia's own ``MOTIA_REDIS_*`` variables describe."""
    user = quote(env.get("MOTIA_REDIS_USERNAME", ""), safe="")
    password = env.get("MOTIA_REDIS_PASSWORD", "")
    secret = f"{user}:{quote(password, safe='')}@" if password else ""
    port = env.get("MOTIA_REDIS_PORT", "6379")
    host = env.get("MOTIA_REDIS_HOST") or "localhost"
    return f"redis://{secret}{host}:{port}/{env.get('MOTIA_REDIS_DB', '0')}"


def _validated(values: dict[str, Any], origins: dict[str, str]) -> Settings:
    try:
        settings = Settings(**values)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        field = str(fault["loc"][0]) if fault["loc"] else "settings"
        message = fault["msg"].removeprefix("Value error, ")
        raise SettingsError(
            f"{message}.", f"{field} ({origins.get(field, 'settings')})", "Correct its value."
        ) from error
    settings._origins.update(origins)
    return settings


def masked_url(url: str) -> str:
    """The URL without its password and query, fit for a terminal or a log.

    Passwords are often written without escapes, so all before the last ``@`` is taken for one.
    """
    scheme, mark, rest = url.partition("://")
    if not mark:
        return "***"
    credentials, at, address = rest.rpartition("@")
    user, colon, _ = credentials.partition(":")
    shown = f"{user}:***@" if colon and re.fullmatch(r"[\w.%-]*", user) else "***@" if at else ""
    return f"{scheme}://{shown}{re.split('[?#]', address)[0]}"
