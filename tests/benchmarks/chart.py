"""Reports as one SVG: bars for what is compared, lines for what grows."""

from __future__ import annotations

import math
from html import escape
from typing import Any

from tests.benchmarks.results import Measured, Report, Result
from tests.benchmarks.tables import number

WIDTH = 860
LABELS = 330
ROW = 20
HEAD = 34
PLOT = 150
OURS, PEER, INK, FAINT = "#2f6fde", "#9aa4b2", "#1f2733", "#e3e7ed"


def chart(report: Report) -> str:
    """The figure of each workload's first metric."""
    parts: list[str] = []
    top = 8.0
    for result in report.results:
        for metric in _shown(result):
            panel, height = (_lines if result.grows else _bars)(result, metric, top)
            parts += panel
            top += height + 14
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top:.0f}" '
            f'viewBox="0 0 {WIDTH} {top:.0f}" font-family="system-ui, sans-serif" font-size="12">',
            f'<rect width="{WIDTH}" height="{top:.0f}" fill="#ffffff"/>',
            *parts,
            "</svg>\n",
        ]
    )


def _shown(result: Result) -> list[dict[str, Any]]:
    """The first metric, and processor time, which neighbours on the machine change less."""
    cpu = [metric for metric in result.metrics[1:] if metric["name"] == "cpu_us"]
    return [result.headline, *([] if result.grows else cpu)]


def _bars(result: Result, metric: dict[str, Any], top: float) -> tuple[list[str], float]:
    found = [(c, c.median(metric["name"])) for c in result.contenders]
    bars = [(contender, value) for contender, value in found if value is not None]
    most = max((value for _, value in bars), default=1) or 1
    parts = [_title(result, metric, top)]
    for index, (contender, value) in enumerate(bars):
        parts += _bar(contender, value, value / most, top + HEAD + index * ROW)
    return parts, HEAD + len(bars) * ROW


def _bar(contender: Measured, value: float, share: float, top: float) -> list[str]:
    length = max(1.0, share * (WIDTH - LABELS - 90))
    colour = OURS if contender.ours else PEER
    return [
        _text(contender.name, LABELS - 8, top + 13, anchor="end"),
        f'<rect x="{LABELS}" y="{top + 2:.0f}" width="{length:.1f}" height="14" rx="2" '
        f'fill="{colour}"/>',
        _text(number(value), LABELS + length + 6, top + 13),
    ]


def _lines(result: Result, metric: dict[str, Any], top: float) -> tuple[list[str], float]:
    """The metric against the size, both on logarithmic axes."""
    points = [
        (c.size, value)
        for c in result.contenders
        if c.size is not None and (value := c.median(metric["name"])) is not None
    ]
    parts = [_title(result, metric, top)]
    if len(points) > 1:
        parts += _plot(points, top + HEAD)
    return parts, HEAD + PLOT + 30


def _plot(points: list[tuple[float, float]], top: float) -> list[str]:
    across = _Axis([size for size, _ in points], LABELS, WIDTH - 90)
    up = _Axis([value for _, value in points], top + PLOT, top + 12)
    marks = [(across(size), up(value), size, value) for size, value in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _, _ in marks)
    parts = [
        f'<rect x="{LABELS}" y="{top:.0f}" width="{WIDTH - 90 - LABELS}" height="{PLOT}" '
        f'fill="none" stroke="{FAINT}"/>',
        f'<polyline points="{path}" fill="none" stroke="{OURS}" stroke-width="2"/>',
    ]
    for x, y, size, value in marks:
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{OURS}"/>')
        parts.append(_text(number(value), x, y - 7, anchor="middle"))
        parts.append(_text(number(size), x, top + PLOT + 16, anchor="middle"))
    return parts


class _Axis:
    """Where a value lies between two ends."""

    def __init__(self, values: list[float], low: float, high: float) -> None:
        logs = [math.log10(max(value, 1e-9)) for value in values]
        spread = max(logs) - min(logs)
        # A decade at least, so that small differences look small.
        self._wide = max(spread, 1.0)
        self._least = min(logs) - (self._wide - spread) / 2
        self._low, self._high = low, high

    def __call__(self, value: float) -> float:
        share = (math.log10(max(value, 1e-9)) - self._least) / self._wide
        return self._low + share * (self._high - self._low)


def _title(result: Result, metric: dict[str, Any], top: float) -> str:
    better = "more is better" if metric["more_is_better"] else "less is better"
    grows = f" against {result.grows}" if result.grows else ""
    text = f"{result.title}: {metric['label']} ({metric['unit']}){grows}, {better}"
    return _text(text, 8, top + 18, bold=True)


def _text(text: str, x: float, y: float, anchor: str = "start", bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{INK}"{weight}>'
        f"{escape(text)}</text>"
    )
