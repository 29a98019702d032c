"""What the figures were taken on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any

import psutil

from tests.benchmarks.arena import Arena

OWN = ("celery", "kombu", "redis", "uvloop", "uvicorn", "fastapi")


def describe(arena: Arena) -> dict[str, Any]:
    """The machine, and how busy it was when the run began."""
    return {
        "processor": _processor(),
        "cores": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "load_before": round(os.getloadavg()[0], 2),
    }


def versions(arena: Arena) -> dict[str, str]:
    """The versions of the servers and of what we stand on."""
    overview = arena.rabbitmq.api("GET", "/overview")
    own = {f"ours: {name}": importlib.metadata.version(name) for name in OWN}
    return {
        "Python": platform.python_version(),
        "RabbitMQ": overview["rabbitmq_version"],
        "Erlang": overview["erlang_version"],
        "Redis": _redis(arena),
        "Node": _node(),
        "motia-celery": importlib.metadata.version("motia-celery"),
        **own,
        **arena.peers.versions(),
    }


def _redis(arena: Arena) -> str:
    import redis

    with redis.Redis.from_url(arena.redis_url) as client:
        facts = client.info("server")
    name = facts.get("server_name", "redis")
    return f"{name} {facts.get('valkey_version', facts['redis_version'])}"


def _node() -> str:
    node = shutil.which("node")
    if node is None:
        return "none"
    done = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30)
    return done.stdout.strip()


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
