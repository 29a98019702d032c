"""Reports as Markdown."""

from __future__ import annotations

from typing import Any

from tests.benchmarks import summary
from tests.benchmarks.results import Measured, Report, Result


def markdown(report: Report) -> str:
    """The whole report."""
    sections = map(_section, report.results)
    parts = [_facts(report), _short(report), *sections, _losses(report), _appendix(report)]
    return "\n\n".join(part for part in parts if part) + "\n"


def table(result: Result) -> str:
    """Medians of each metric with their spread, and the ratio of the first to the reference."""
    metrics = [m for m in result.metrics if any(c.values(m["name"]) for c in result.contenders)]
    heads = [result.grows or "", *map(_head, metrics), *(head for head, _ in _ratios(result))]
    lines = [_row(heads), _row(["---", *["---:"] * (len(heads) - 1)])]
    lines += [_row(_cells(result, found, metrics)) for found in result.contenders]
    return "\n".join(lines)


def _cells(result: Result, found: Measured, metrics: list[dict[str, Any]]) -> list[str]:
    name = f"**{found.name}**" if found.ours and not result.grows else found.name
    if found.error:
        return [name, "broken", *[""] * len(metrics)]
    shares = [result.ratio(found, metric) for _, metric in _ratios(result)]
    return [
        name,
        *(_value(found, metric["name"]) for metric in metrics),
        *("" if share is None else f"{share:.2f}" for share in shares),
    ]


def _head(metric: dict[str, Any]) -> str:
    return f"{metric['label']} ({metric['unit']})" if metric["unit"] else str(metric["label"])


def _ratios(result: Result) -> list[tuple[str, str]]:
    """The columns of ratios: of the first metric, and of processor time where that is another."""
    headline = result.headline["name"]
    has_cpu = any(found.values("cpu_us") for found in result.contenders)
    own_cpu = [("ratio of CPU", "cpu_us")] if has_cpu and headline != "cpu_us" else []
    return [("ratio", headline), *own_cpu] if result.reference else []


def _value(found: Measured, metric: str) -> str:
    middle = found.median(metric)
    if middle is None:
        return ""
    spread = f" ±{found.spread(metric):.0%}" if len(found.values(metric)) > 1 else ""
    return f"{number(middle)}{spread}"


def number(value: float) -> str:
    """Three digits are what such figures are worth."""
    if abs(value) >= 1000:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{float(f'{value:.3g}'):g}"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _section(result: Result) -> str:
    against = f" Ratios are to *{result.reference}*." if result.reference else ""
    about = " ".join(part for part in (result.about + against, result.scale) if part)
    return f"### {result.title}\n\n{about}\n\n{table(result)}"


def _short(report: Report) -> str:
    found = summary.rows(report)
    if not found:
        return ""
    heads = ("", "beside", "ours", "ours, records and events off")
    lines = [_row(list(heads)), _row(["---", "---", "---:", "---:"])]
    return "### In short\n\n" + "\n".join([*lines, *(_row(list(row)) for row in found)])


def _facts(report: Report) -> str:
    machine = report.machine
    scale = report.scale
    return (
        f"{report.made}, {machine['cores']} cores of {machine['processor']}, "
        f"{machine['memory_gb']} GB, {machine['system']}; the load before it began was "
        f"{machine['load_before']}. A {scale['name']} run: counts × {scale['factor']:g}, medians "
        f"of {scale['rounds']} interleaved rounds, ± half of what lies between the least and the "
        "most."
    )


def _brief(error: str) -> str:
    """Its beginning and its last line, which names the cause."""
    lines = error.strip().splitlines()
    return lines[0][:200] if len(lines) == 1 else f"{lines[0][:200]} … {lines[-1][:200]}"


def _losses(report: Report) -> str:
    lines = [f"- {line}" for line in report.losses()] or ["- Nowhere in this run."]
    return "### Where motia-celery is behind\n\n" + "\n".join(lines)


def _appendix(report: Report) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    configurations = {
        f"- {found.name}: {found.configuration}"
        for result in report.results
        if not result.grows
        for found in result.contenders
    }
    broken = [f"- {title}, {found.name}: {_brief(found.error)}" for title, found in report.broken]
    notes = [*(f"- {note}" for note in report.notes), *broken]
    parts = [f"### Versions\n\n{versions}.", "### Configurations"]
    parts.append("\n".join(sorted(configurations)))
    if notes:
        parts += ["### What is missing", "\n".join(notes)]
    return "\n\n".join(parts)
