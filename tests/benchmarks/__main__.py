"""``python -m tests.benchmarks``: see ``docs/benchmarks.md``."""

from __future__ import annotations

from tests.benchmarks.command import main

raise SystemExit(main())
