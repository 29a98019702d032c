"""Where reports are shown: in the terminal, as a chart, and in the documentation."""

from __future__ import annotations

from tests.benchmarks.arena import ROOT
from tests.benchmarks.chart import chart
from tests.benchmarks.results import Report, Result
from tests.benchmarks.tables import markdown, table

PAGE = ROOT / "docs" / "benchmarks.md"
CHART = ROOT / "docs" / "benchmarks.svg"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"

__all__ = ["chart", "plain_table", "write_docs"]


def plain_table(result: Result) -> str:
    """The Markdown table with columns of equal width."""
    rows = [line.strip("| ").split(" | ") for line in table(result).splitlines()]
    rows = [[cell.strip() for cell in row] for row in rows if not row[0].startswith("---")]
    count = max(map(len, rows))
    rows = [row + [""] * (count - len(row)) for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(count)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def write_docs(report: Report) -> None:
    """Puts the figures between the marks of the page, and the chart beside it."""
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    figures = f"![The figures as bars]({CHART.name})\n\n{markdown(report)}"
    PAGE.write_text(f"{before}{BEGIN}\n\n{figures}\n{END}{after}")
    CHART.write_text(chart(report))
