"""Where settings come from: files in ``config/``, then the environment.

What ``motia.config.ts`` names comes first, then ``config/default.toml``, then
``config/<environment>.toml``, then the variables that hosting platforms set (``PORT``,
``REDIS_URL``, …), then ``MOTIA_<NAME>``.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from pydantic import ValidationError

from motia_celery.errors import SettingsError
from motia_celery.settings.fields import PREFIX, Settings, platform_variables


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
        for name in (PREFIX + field.upper(), *platform_variables(info)):
            if env.get(name):
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
