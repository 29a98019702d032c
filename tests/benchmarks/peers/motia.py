"""Motia 0.17, on the Steps of TypeScript that ours runs as well."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.benchmarks.arena import Place
from tests.benchmarks.processes import Command
from tests.benchmarks.step_folders import copy_steps

#: Without it ``motia start`` installs plugins by npm.
CONFIG = """import { config } from 'motia'

export default config({ plugins: [] })
"""


@dataclass(frozen=True)
class MotiaChain:
    """One ``motia start``, which is web and worker in one; each call of a Step is a process."""

    name: str = "Motia 0.17"
    path: str = "/orders"
    configuration: str = (
        "motia start --disable-verbose, its default BullMQ events, on the Redis of this run"
    )

    def prepare(self, place: Place) -> None:
        assert place.arena.peers.motia is not None
        copy_steps("chain_ts", place.folder)
        (place.folder / "node_modules").symlink_to(place.arena.peers.motia / "node_modules")
        (place.folder / "package.json").write_text('{"name": "bench", "type": "module"}')
        (place.folder / "motia.config.ts").write_text(CONFIG)
        options = {"target": "ES2022", "module": "ESNext", "moduleResolution": "bundler"}
        (place.folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": options}))

    def queues(self, place: Place) -> Sequence[str]:
        return []

    def commands(self, place: Place, port: int) -> Sequence[Command]:
        redis = urlsplit(place.arena.redis_url)
        program = str(place.folder / "node_modules" / ".bin" / "motia")
        options = ["start", "--port", str(port), "--host", "127.0.0.1", "--disable-verbose"]
        environment = {
            "MOTIA_DISABLE_MEMORY_SERVER": "true",
            "MOTIA_REDIS_HOST": "127.0.0.1",
            "MOTIA_REDIS_PORT": str(redis.port),
            "MOTIA_REDIS_PASSWORD": redis.password or "",
            "MOTIA_ANALYTICS_DISABLED": "true",
            "LOG_LEVEL": "warn",
        }
        return [Command([program, *options], place.folder, environment)]
