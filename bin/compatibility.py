"""Writes docs/compatibility.md: Motia's rules, and what is the same, better or different here.

``python bin/compatibility.py`` makes it of the tests in tests/compat, each of which runs a small
project; ``--check`` ends with 1 where the page is not up to date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from compat.rules import Rule, all_rules  # noqa: E402

PAGE = ROOT / "docs" / "compatibility.md"

#: The sections of the contract, in their order.
SECTIONS = {
    "1.1": "Which files are Steps",
    "1.2": "How files are loaded",
    "1.3": "Files with faults",
    "2.1": "Config of http Steps",
    "2.2": "Config of event Steps",
    "2.3": "Config of cron Steps",
    "2.4": "Noop Steps",
    "2.5": "Config of streams",
    "2.6": "What is only drawn",
    "3.1": "Signatures of handlers",
    "3.2": "The context",
    "3.3": "Emits",
    "3.4": "Requests",
    "3.5": "Responses",
    "3.6": "Errors",
    "3.7": "Trace ids",
    "3.8": "Built-in routes",
    "4": "Middleware",
    "5": "State",
    "6.1": "Streams from a handler",
    "6.2": "The WebSocket protocol of streams",
    "6.3": "Stream clients",
    "6.4": "Access to streams",
    "14.1": "Motia 1.0: triggers and configs",
    "14.2": "Motia 1.0: what is imported",
    "14.3": "Motia 1.0: contexts and handlers",
    "14.4": "Motia 1.0: requests and responses",
    "14.5": "Motia 1.0: state, streams and their triggers",
}

HEAD = """\
<!-- Made by bin/compatibility.py: change the tests in tests/compat instead. -->

# Rule by rule

What a Motia project relies on, and whether it holds here: *same*, *better* (how), or *different*
(why). Each rule is a project of a few Steps in `tests/compat/projects`, which a test beside it
runs as it is; this page is made of those tests. [Motia projects](motia.md) says how to bring one.

"""


def page() -> str:
    """The whole page."""
    rules = sorted(all_rules(), key=lambda rule: list(SECTIONS).index(rule.section))
    parts = [HEAD + _summary(rules)]
    for section, group in groupby(rules, key=lambda rule: rule.section):
        parts += [
            f"\n## {SECTIONS[section]}\n",
            "| rule | here | |",
            "|---|---|---|",
            *_rows(group),
        ]
    return "\n".join(parts) + "\n"


def _summary(rules: list[Rule]) -> str:
    same, better, different = (
        sum(rule.verdict == verdict for rule in rules)
        for verdict in ("same", "better", "different")
    )
    return f"{len(rules)} rules: {same} the same, {better} better, {different} different."


def _rows(rules: Iterator[Rule]) -> Iterator[str]:
    for rule in rules:
        text, note = (part.replace("|", "\\|") for part in (rule.text, rule.note))
        yield f"| {text} | {rule.verdict} | {note} |"


def main() -> int:
    """Writes the page, or checks it; the exit code."""
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page())
    elif PAGE.read_text() != page():
        print("docs/compatibility.md is old: python bin/compatibility.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
