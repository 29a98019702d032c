"""What the image's HEALTHCHECK runs: exit code 0 where the container's process is well."""

import os
import sys
import urllib.request
from pathlib import Path

URL = f"http://127.0.0.1:{os.environ.get('PORT', '3000')}/health/ready"


def serves() -> bool:
    """Whether the container's first process is `web`, which alone answers requests."""
    process = Path(os.environ.get("HEALTHCHECK_PROCESS", "/proc/1/cmdline"))
    return b"web" in process.read_bytes().split(b"\0")


def is_ready() -> bool:
    """Whether it takes requests."""
    try:
        return urllib.request.urlopen(URL, timeout=5).status == 200
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(0 if not serves() or is_ready() else 1)
