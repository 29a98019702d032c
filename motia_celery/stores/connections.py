"""What every connection to a server carries: how a certificate is checked, and a name.

The broker's connections follow the same rules, and take them from here.
"""

from __future__ import annotations

import multiprocessing
import os
import ssl
import sys
from typing import TYPE_CHECKING, Any

from motia_celery.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from motia_celery.settings import Settings

_ROLES = (
    "web",
    "worker",
    "beat",
    "release",
    "flower",
    "doctor",
    "dev",
    "dlq",
    "inspect",
    "control",
)


def connection_name(settings: Settings) -> str:
    """The name under which a server lists this process's connections: ``motia-web-1234``."""
    return f"{settings.prefix}-{_role()}-{os.getpid()}"


def _role() -> str:
    """The command that this process runs, whichever program started it."""
    # `dev` forks its children, which have its arguments, and names them.
    words = (multiprocessing.current_process().name, *sys.argv[1:])
    return next((word for word in words if word in _ROLES), "app")


def redis_tls(settings: Settings) -> dict[str, Any]:
    """How the certificate behind a ``rediss://`` URL is checked, in redis-py's words.

    Raises:
        SettingsError: ``tls_ca_file`` is no file.
    """
    if not settings.redis_tls_verify:
        return {"ssl_cert_reqs": ssl.CERT_NONE, "ssl_check_hostname": False}
    authority = authority_file(settings)
    return {
        "ssl_cert_reqs": ssl.CERT_REQUIRED,
        "ssl_check_hostname": True,
        **({"ssl_ca_certs": str(authority)} if authority else {}),
    }


def authority_file(settings: Settings) -> Path | None:
    """The private certificate authority; None where the system's own are used.

    Raises:
        SettingsError: it is no file.
    """
    if settings.tls_ca_file is None:
        return None
    file = settings.project_root / settings.tls_ca_file
    if not file.is_file():
        raise SettingsError(
            f"there is no file {file}.",
            f"tls_ca_file ({settings.origin('tls_ca_file')})",
            "Name the file with the certificate of your authority, as PEM.",
        )
    return file


def tls_fix(error: BaseException, verify_setting: str) -> str | None:
    """What to do about a TLS handshake that failed; None for any other error.

    ``verify_setting`` is the setting that switches the check of this server's certificate off.
    """
    fault = next((cause for cause in _causes(error) if isinstance(cause, ssl.SSLError)), None)
    if fault is None:
        return None
    if not isinstance(fault, ssl.SSLCertVerificationError):
        return "Does this port speak TLS, and is tls_ca_file a certificate as PEM?"
    return (
        "Use the host's name that the certificate holds, and set tls_ca_file to the authority that "
        f"signed it. {verify_setting}=false would accept any certificate, an attacker's too."
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and those that led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
