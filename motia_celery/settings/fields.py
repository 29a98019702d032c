"""The settings, each with its default and its meaning."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, SecretStr, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from motia_celery.errors import SettingsError

PREFIX = "MOTIA_"
_BROKER_SCHEMES = ("amqp://", "amqps://", "pyamqp://", "redis://", "rediss://", "memory://")
Pool = Literal["async", "threads", "prefork"]
#: Visible ASCII, as a header can carry it; long enough that nobody can try them all.
_TOKEN = re.compile(r"[!-~]{32,}")


def _setting(default: Any, meaning: str, *variables: str, unset: str = "", **limits: Any) -> Any:
    """A field, and its row in the reference: the variables that set it beside ``MOTIA_<NAME>``,
    and what counts where it is not set."""
    row: dict[str, Any] = {"variables": list(variables), "unset": unset}
    return Field(default, description=meaning, json_schema_extra=row, **limits)


class Settings(BaseSettings):
    """Every setting of one process; frozen once read. Times are seconds, sizes bytes."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", validate_default=False, hide_input_in_errors=True
    )

    environment: Literal["development", "production", "test"] = _setting(
        "development",
        "which file in `config/` is read; `production` and `test` are the others",
        "MOTIA_ENV",
    )
    root: Path = _setting(Path(), "the project's folder")
    prefix: str = _setting(
        "motia",
        "starts the name of every exchange, queue and key",
        pattern=r"^[A-Za-z0-9_.-]{1,40}$",
    )

    broker_url: SecretStr | None = _setting(
        None,
        "RabbitMQ; without it Redis is the broker",
        "AMQP_URL",
        "CLOUDAMQP_URL",
        "RABBITMQ_URL",
    )
    redis_url: SecretStr | None = _setting(
        None,
        "Redis or Valkey; Motia's `MOTIA_REDIS_HOST` and the like count as well",
        "REDIS_TLS_URL",
        "REDIS_URL",
    )
    tls_ca_file: Path | None = _setting(
        None, "a private certificate authority (a PEM file), for both"
    )
    broker_tls_verify: bool = _setting(True, "check RabbitMQ's certificate (`amqps://`)")
    redis_tls_verify: bool = _setting(True, "check Redis's certificate (`rediss://`)")
    redis_max_connections: int = _setting(
        10,
        "the most connections to Redis of one process, for state and streams; see "
        "[deploying](deploy.md#connections)",
        ge=2,
    )

    host: str = _setting("0.0.0.0", "where `web` listens; `dev` uses `127.0.0.1`")  # noqa: S104
    port: int = _setting(3000, "where it listens", "PORT", ge=0, le=65535)
    web_concurrency: int = _setting(1, "processes of one `web`", "WEB_CONCURRENCY", ge=1)
    forwarded_allow_ips: str = _setting(
        "127.0.0.1", "routers whose `X-Forwarded-For` is believed", "FORWARDED_ALLOW_IPS"
    )
    body_limit_bytes: int = _setting(10 * 1024 * 1024, "the largest request body, inflated", ge=0)
    head_limit_bytes: int = _setting(
        32 * 1024, "the largest request line and headers together; 431 past it", ge=1024
    )
    head_timeout_seconds: float = _setting(
        30, "how long a client may take for them; 408 then", gt=0
    )
    body_timeout_seconds: float = _setting(300, "how long it may take for a body; 408 then", gt=0)
    write_timeout_seconds: float = _setting(
        60, "how long it may take nothing of its answer before it is cut off", gt=0
    )
    request_timeout_seconds: float = _setting(
        30, "how long a route's handler may take before a 504", gt=0
    )
    validate_body: bool = _setting(False, "answer 400 to bodies that do not fit `bodySchema`")
    emit_route: bool = _setting(False, "answer `POST /emit`")
    cors_origins: Annotated[tuple[str, ...], NoDecode] = _setting(
        ("*",), "origins whose pages may call the routes, comma-separated"
    )
    cors_credentials: bool = _setting(False, "let them send cookies; not together with `*`")
    own_hosts: Annotated[tuple[str, ...], NoDecode] = _setting(
        (), "further names under which our own paths answer, comma-separated"
    )
    admin_token: SecretStr | None = _setting(
        None,
        "opens the [admin paths](security.md#admin-paths), 32 characters or more; without it "
        "they are not there",
    )
    admin_hosts: Annotated[tuple[str, ...], NoDecode] = _setting(
        (), "names under which they answer, comma-separated", unset="as `own_hosts`"
    )

    stream_sockets_per_ip: int = _setting(
        10_000,
        "clients of [streams](streams.md#limits) that one address may have in one web process",
        ge=1,
    )
    stream_subscriptions_per_socket: int = _setting(1000, "what one of them may follow", ge=1)
    stream_queue_messages: int = _setting(
        1000, "messages that may wait for one of them, before it is closed as too slow", ge=1
    )
    stream_message_bytes: int = _setting(64 * 1024, "the largest message of a client", ge=1024)
    stream_ping_seconds: float = _setting(
        20, "how often a socket is pinged, and how long it may take to answer", gt=0
    )

    pool: Pool = _setting("async", "`async`, `threads` or `prefork`")
    concurrency: int = _setting(
        100,
        "runs at once in one worker process; where it is not set, `prefork` runs one a processor",
        ge=1,
    )

    node_memory_mb: int | None = _setting(
        None,
        "MB of memory that JavaScript may use in the Node process; past it Node ends and is "
        "started again",
        unset="Node's own",
        ge=64,
    )
    isolated_steps: bool = _setting(
        False,
        "run each Step in [a process of its own](steps.md#isolated-steps); a Step's own word "
        "counts before this",
    )
    isolated_processes: int | None = _setting(
        None,
        "isolated runs at once in one process; others wait",
        unset="one a processor, 2 at least",
        ge=1,
    )
    task_events: bool = _setting(True, "workers send task events, which Flower shows")
    direct: bool = _setting(
        True,
        "on RabbitMQ, with the pool `async`: events go straight to their handlers, past Celery's "
        "own request and tracer, which [costs much less](decisions/0014-direct-path.md); and "
        "values of state are read and stored [past redis-py's "
        "pool](decisions/0017-direct-state.md). `false` has all of it take the usual path",
    )
    prefetch: int | None = _setting(
        None,
        "deliveries that one Step's queue may hold in one worker",
        unset="as `concurrency`",
        ge=1,
    )
    strict_emits: bool = _setting(False, "an emit of an undeclared topic raises")
    emit_timeout_seconds: float = _setting(
        10,
        "how long a route's emit waits for the broker's confirm; see [outages](events.md#outages)",
        gt=0,
    )
    emit_dedupe_seconds: float = _setting(
        86400, "how long an emit with the same `id` is dropped", gt=0
    )
    event_schema: Literal["warn", "reject", "refuse"] = _setting(
        "warn",
        "what becomes of an event that does not fit `input`: `warn`, `reject`, `refuse`; see "
        "[schemas](events.md#schemas)",
    )
    once_seconds: float = _setting(
        7 * 86400, "how long a run of a Step with `once` is known to have finished", gt=0
    )
    event_limit_bytes: int = _setting(10 * 1024 * 1024, "the largest event", ge=1024)
    soft_shutdown_seconds: float = _setting(
        20, "how long a stopping process lets its runs end", ge=0
    )
    state_wrap: Literal["both", "motia", "plain"] = _setting(
        "both", "how `state.get` gives dicts: `both`, `motia`, `plain`"
    )

    timezone: str = _setting("UTC", "for cron Steps that name none")
    beat_lock_seconds: float = _setting(
        10, "how long a beat that vanished keeps others waiting", ge=1
    )

    log_level: Literal["debug", "info", "warning", "error"] = _setting(
        "info", "`debug`, `info`, `warning`, `error`", "LOG_LEVEL"
    )
    log_format: Literal["auto", "json", "console"] = _setting(
        "auto", "`json`, `console`, or by whether there is a terminal"
    )

    records: bool = _setting(True, "record [runs](observe.md)")
    record_successes: float = _setting(
        1.0,
        "the share of traces whose successful runs are recorded; failures always are",
        ge=0,
        le=1,
    )
    record_value_bytes: int = _setting(
        8192, "the most of one value in a record; what is larger is cut", ge=256, le=1024 * 1024
    )
    records_kept: int = _setting(20_000, "runs that are kept; the oldest go first", ge=1)
    records_kept_days: float = _setting(3.0, "for how many days", gt=0)
    records_kept_bytes: int = _setting(
        128 * 1024 * 1024,
        "and how many bytes of them; a quarter of Redis's `maxmemory` at most",
        ge=65536,
    )
    log_lines_kept: int = _setting(10_000, "lines of runs that `motia-celery logs` can show", ge=0)
    redact_keys: Annotated[tuple[str, ...], NoDecode] = _setting(
        (),
        "further keys whose values are [masked](observe.md#secrets), comma-separated; `-token` "
        "takes one of the default ones away",
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


def platform_variables(info: FieldInfo) -> tuple[str, ...]:
    """The variables that set a field beside ``MOTIA_<NAME>``, the first of them first."""
    row = info.json_schema_extra
    assert isinstance(row, dict)
    names = row["variables"]
    return tuple(map(str, names)) if isinstance(names, list) else ()
