"""Commands that Motia's users type."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from motia_celery.cli import app, main
from motia_celery.errors import FrameworkError
from motia_celery.model.project import PLUGIN_FLOW
from motia_celery.model.step import Emit, EventTrigger, Step
from motia_celery.plan import compile_plan
from motia_celery.run.diagrams import write_diagrams


@pytest.mark.parametrize("words", [["install", "-v"], ["build"], ["docker", "run", "-p", "3000"]])
def test_a_command_of_motias_alone_says_what_to_do_instead(words: list[str]) -> None:
    error = CliRunner().invoke(app, words).exception
    assert isinstance(error, FrameworkError)
    assert error.where == f"motia {words[0]}"
    assert error.fix


@pytest.mark.parametrize("words", [["emit"], ["emit", "a", "{bad"], ["emit", "--topic", "a", "x"]])
def test_an_event_needs_a_topic_and_json(words: list[str]) -> None:
    """``--topic`` names it, or the first argument; the data is the other."""
    assert CliRunner().invoke(app, words).exit_code == 2


def test_a_folder_that_is_not_there_is_a_wrong_option(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["-C", str(tmp_path / "none"), "version"])
    assert told.exit_code == 2
    assert "--help" in told.stderr or "-h" in told.stderr


@pytest.mark.parametrize("words", ["generate openapi -o FILE", "generate step x --dir FILE"])
def test_a_file_that_can_not_be_written_ends_with_one_line(
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").touch()
    given = words.replace("FILE", str(tmp_path / "file" / "x.json")).split()
    monkeypatch.setattr("sys.argv", ["motia-celery", *given])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    told = capsys.readouterr().err
    assert "Not a directory" in told and "→ Look at the path" in told


def test_each_flow_is_drawn_into_a_file(tmp_path: Path) -> None:
    def step(name: str, *flows: str) -> Step:
        trigger = EventTrigger(topics=("t",))
        file = f"steps/{name}_step.py"
        emits = (Emit(topic="t"),)
        return Step(
            name=name, file=file, language="python", triggers=(trigger,), emits=emits, flows=flows
        )

    steps = (step("a", "one", "two/2"), step("b", "one"), step("c", PLUGIN_FLOW))
    plan = compile_plan(prefix="p", timezone="UTC", steps=steps)
    files = write_diagrams(tmp_path, plan)
    assert [file.name for file in files] == ["one.mmd", "two-2.mmd"]
    assert files[0].parent.name == ".mermaid"
    one, two = (file.read_text() for file in files)
    assert one.startswith("flowchart TD\n")
    assert '("b")' in one and '("b")' not in two
