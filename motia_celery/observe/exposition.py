"""Metrics in Prometheus's text format, version 0.0.4."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from motia_celery.observe.metrics import SUM, Key, Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a gauge or counter, by its labels' values."""

    labels: tuple[str, ...]
    value: float


def counted(metrics: Iterable[Metric], counts: Mapping[Key, int]) -> Iterator[str]:
    """The lines of counters and histograms that processes counted."""
    by_name: dict[str, dict[Key, int]] = {}
    for key, count in counts.items():
        by_name.setdefault(key[0], {})[key[1:]] = count
    for metric in metrics:
        found = by_name.get(metric.name, {})
        if metric.kind == "histogram":
            yield from _histogram(metric, found)
        else:
            # One without labels is there from the first; of others nobody can know the labels.
            found = found or ({} if metric.labels else {(): 0})
            yield from gauge(metric, (Sample(labels, count) for labels, count in found.items()))


def gauge(metric: Metric, samples: Iterable[Sample]) -> Iterator[str]:
    """The lines of a metric with one value for each set of labels."""
    yield from _head(metric)
    for sample in sorted(samples, key=lambda sample: sample.labels):
        yield f"{metric.name}{_labels(metric.labels, sample.labels)} {_number(sample.value)}"


def _head(metric: Metric) -> Iterator[str]:
    yield f"# HELP {metric.name} {metric.help}"
    yield f"# TYPE {metric.name} {metric.kind}"


def _histogram(metric: Metric, found: Mapping[Key, int]) -> Iterator[str]:
    yield from _head(metric)
    for labels in sorted({key[:-1] for key in found}):
        names = (*metric.labels, "le")
        total = 0
        for number, bound in enumerate((*metric.bounds, float("inf"))):
            total += found.get((*labels, str(number)), 0)
            yield f"{metric.name}_bucket{_labels(names, (*labels, _number(bound)))} {total}"
        shown = _labels(metric.labels, labels)
        yield f"{metric.name}_sum{shown} {_number(found.get((*labels, SUM), 0) / 1_000_000)}"
        yield f"{metric.name}_count{shown} {total}"


def _labels(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    pairs = zip(names, values, strict=True)
    inner = ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in pairs)
    return f"{{{inner}}}" if inner else ""


def _number(value: float) -> str:
    if value == float("inf"):
        return "+Inf"
    return str(int(value)) if value == int(value) else repr(float(value))
