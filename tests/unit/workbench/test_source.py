"""The source of a Step, and where its handler begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from motia_celery.errors import NotFoundError
from motia_celery.model.step import Step
from motia_celery.workbench import source
from motia_celery.workbench.source import handler_line, read_source


@pytest.mark.parametrize(
    ("language", "text", "line"),
    [
        ("python", "config = {}\n\n\nasync def handler(i, c):\n    pass\n", 4),
        ("python", "# def handler\ndef handler(c): ...\n", 2),
        ("python", "handler = make()\n", 1),
        ("python", "class A:\n    def handler(self): ...\n", None),
        ("python", "x(\ndef handler(c): ...\n", 2),
        ("python", "(" * 100_000, None),
        ("typescript", "// x\nexport const handler: Handlers['a'] = async () => {}\n", 2),
        ("typescript", "export async function handler(input) {}\n", 1),
        ("ruby", "config = {}\n\ndef handler(data, context)\nend\n", 3),
        ("javascript", "\n\nexports.handler = async () => {}\n", 3),
        ("javascript", "module.exports.handler = x\n", 1),
        ("javascript", "const handlers = 1\n", None),
    ],
)
def test_the_handlers_line(language: str, text: str, line: int | None) -> None:
    assert handler_line(text, language) == line


def a_step(file: str) -> Step:
    return Step(name="a", file=file, language="python")


def test_a_long_file_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "LIMIT_BYTES", 20)
    (tmp_path / "a_step.py").write_bytes(b"def handler(): ...\n\xff\xff\xff")
    found = read_source(tmp_path, a_step("a_step.py"))
    assert found.text == "def handler(): ...\n\N{REPLACEMENT CHARACTER}"
    assert (found.line, found.truncated) == (1, True)


def test_a_file_that_is_gone_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="a_step"):
        read_source(tmp_path, a_step("a_step.py"))
