"""The documentation: its links lead somewhere, and what it shows is code that can be run."""

from __future__ import annotations

import ast
import json
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer.main
import yaml
from pydantic import BaseModel

from motia_celery.cli import app
from motia_celery.discover import discover
from motia_celery.model.config import (
    ApiStep,
    CronStep,
    EmitConfig,
    EventStep,
    NoopStep,
    QueryParamConfig,
    StreamConfig,
)
from motia_celery.model.options import HandlerConfig, QueueConfig, RetryConfig
from motia_celery.run.template import TEMPLATES
from motia_celery.runtime.node import NodeHost, find_node
from motia_celery.runtime.python import PythonHost
from motia_celery.runtime.ruby import RubyHost
from motia_celery.testing import call_step_sync

ROOT = Path(__file__).parents[2]
PAGES = [
    *sorted((ROOT / "docs").rglob("*.md")),
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "motia_celery" / "templates").glob("*/README.md")),
]
_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^ *```", re.M | re.S)


@dataclass(frozen=True)
class Snippet:
    page: str
    line: int
    language: str
    text: str

    @property
    def id(self) -> str:
        return f"{self.page}:{self.line}"


def snippets(*languages: str) -> list[Snippet]:
    found = []
    for page in PAGES:
        text = page.read_text()
        for fence in _FENCE.finditer(text):
            if fence["language"] in languages:
                indent = len(fence["indent"])
                lines = [line[indent:] for line in fence["text"].splitlines()]
                number = text.count("\n", 0, fence.start()) + 2
                name = str(page.relative_to(ROOT))
                found.append(Snippet(name, number, fence["language"], "\n".join(lines) + "\n"))
    return found


def each(*languages: str) -> pytest.MarkDecorator:
    found = snippets(*languages)
    assert found
    return pytest.mark.parametrize("snippet", found, ids=[one.id for one in found])


# Configs

CONFIGS = (
    *(ApiStep, EventStep, CronStep, NoopStep, StreamConfig, EmitConfig, QueryParamConfig),
    *(HandlerConfig, QueueConfig, RetryConfig),
)


@pytest.mark.parametrize("config", CONFIGS, ids=[kind.__name__ for kind in CONFIGS])
def test_every_field_of_a_config_is_described(config: type[BaseModel]) -> None:
    """As code, under the name that dicts have."""
    pages = "".join(
        (ROOT / "docs" / f"{name}.md").read_text() for name in ("steps", "events", "streams")
    )
    code = " ".join(re.findall(r"```.*?```|`[^`]+`", pages, re.S))
    named = {field.alias or name for name, field in config.model_fields.items()}
    assert not {name for name in named if not re.search(rf"\b{name}\b", code)}


# Code


@each("python")
def test_python_compiles(snippet: Snippet) -> None:
    """A snippet is a file, or the inside of a handler."""
    compile(snippet.text, snippet.id, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def _is_step(snippet: Snippet) -> bool:
    return re.search(r"^(export const |def )?config\b", snippet.text, re.M) is not None and (
        re.search(r"^(async )?def handler|^export const handler", snippet.text, re.M) is not None
    )


def _modules(page: str) -> dict[str, str]:
    """What the Steps of a page import: its other files, which their first lines name."""
    found = {}
    for snippet in snippets("python"):
        named = re.match(r"# (steps/\S+\.py)\n", snippet.text)
        if snippet.page == page and named and not _is_step(snippet):
            found[named[1]] = snippet.text
    return found


_CODE = ("python", "js", "ts", "javascript", "typescript", "ruby")
STEPS = [s for s in snippets(*_CODE) if _is_step(s)]


@pytest.mark.parametrize("snippet", STEPS, ids=[one.id for one in STEPS])
def test_a_step_is_one(snippet: Snippet, tmp_path: Path) -> None:
    """It is discovered, and nothing of its config is wrong."""
    suffix = {"python": "_step.py", "js": ".step.js", "javascript": ".step.js", "ruby": "_step.rb"}
    name = f"a{suffix.get(snippet.language, '.step.ts')}"
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps" / name).write_text(snippet.text)
    for file, text in _modules(snippet.page).items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    host, remote = PythonHost(tmp_path), (NodeHost(tmp_path), RubyHost(tmp_path))
    try:
        found = discover(tmp_path, host, *remote)
    finally:
        for one in (host, *remote):
            one.close()
    assert not [problem.what for problem in found.problems]
    assert len(found.steps) == 1


# Parts of code: what is left out is put around them

#: What the handlers that parts are taken from have.
_GIVEN = ("cart", "invoice", "payment", "order")
_PARTIAL = {"type": "event", "name": "part", "subscribes": ["x"], "emits": []}
#: Code that runs in a browser, in other Celery apps, or beside RabbitMQ; the tests named run it.
_OUTSIDE = re.compile(
    r"EventSource|stream-client"  # acceptance/test_stream_clients.py
    r"|motia_celery\.emit|import emit|pika"  # integration/test_beside_celery.py
    r"|RunFilter|LetterFilter"  # acceptance/test_commands_in_docs.py
    r"|^# tests/|^# steps/services"  # acceptance/test_documented.py
)


def _parts() -> list[Snippet]:
    code = snippets("python", "js", "ts")
    return [one for one in code if not _is_step(one) and not _OUTSIDE.search(one.text)]


def _whole(part: Snippet) -> tuple[str, str]:
    """A file's name and text: the part with what a reader has around it."""
    text, config = part.text, f"config = {json.dumps(_PARTIAL)}\n"
    if named := re.match(
        r"(?:#|//) (motia_config\.py|motia\.config\.ts|steps/\S+_stream\.py)", text
    ):
        return named[1], text
    if part.language == "python":
        if "def handler" in text:
            return "steps/part_step.py", config + text
        if re.search(r"^config = ", text, re.M):
            return "steps/part_step.py", f"{text}\n\nasync def handler(data, context):\n    pass\n"
        given = "".join(f"{name} = {{'id': '1', 'account': 'a'}}\n" for name in _GIVEN)
        body = textwrap.indent(f"{given}token = order_id = '1'\n{text}", "    ")
        return "steps/part_step.py", f"{config}\n\nasync def handler(data, context):\n{body}"
    if "handler" in text:
        route = {"type": "api", "name": "create-order", "method": "POST", "path": "/", "emits": []}
        return "steps/part.step.ts", f"export const config = {json.dumps(route)};\n{text}"
    given = "".join(f"const {name} = {{ id: '1' }};\n" for name in _GIVEN)
    handler = f"export const handler = async (data, context) => {{\n{given}{text}}};\n"
    return "steps/part.step.ts", f"export const {config}{handler}"


PARTS = _parts()


@pytest.mark.parametrize("part", PARTS, ids=[one.id for one in PARTS])
def test_a_part_of_a_step_runs(part: Snippet, tmp_path: Path) -> None:
    """In a file that is otherwise complete: it is discovered, and its handler called."""
    name, text = _whole(part)
    (tmp_path / "steps").mkdir()
    (tmp_path / "lib").mkdir()
    (tmp_path / name).write_text(text)
    between = "(req: unknown, context: unknown, next: () => unknown) => next();\n"
    (tmp_path / "lib" / "middleware.ts").write_text(
        f"export const timed = {between}export const requireUser = timed;\n"
    )
    host, node = PythonHost(tmp_path), NodeHost(tmp_path)
    try:
        found = discover(tmp_path, host, node)
    finally:
        host.close()
        node.close()
    assert not [problem.what for problem in found.problems if "redis" not in problem.what]
    assert len(found.steps) == name.startswith("steps/part")
    if found.steps and found.steps[0].topics:
        call_step_sync(name, {}, root=tmp_path)


@each("js", "javascript")
def test_javascript_can_be_read(snippet: Snippet, tmp_path: Path) -> None:
    file = tmp_path / "snippet.mjs"
    file.write_text(snippet.text)
    node = find_node() or "node"
    done = subprocess.run([node, "--check", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@each("json", "toml", "yaml")
def test_data_can_be_read(snippet: Snippet) -> None:
    if snippet.language == "json":
        json.loads(snippet.text)
    elif snippet.language == "toml":
        tomllib.loads(snippet.text)
    else:
        list(yaml.safe_load_all(snippet.text))


# Commands


@each("sh")
def test_a_shell_can_read_it(snippet: Snippet) -> None:
    text = snippet.text.replace("…", "x")
    done = subprocess.run(
        ["/bin/sh", "-n"], input=text, capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == 0, done.stderr


def _commands() -> list[tuple[str, list[str]]]:
    """Every `motia-celery …` of the snippets, and of the text."""
    found = []
    for page in PAGES:
        name, text = str(page.relative_to(ROOT)), page.read_text()
        for snippet in re.finditer(
            r"^\s*(?:\w+: )?(?:sudo -u \w+ )?\S*\bmotia-celery (.*)$", text, re.M
        ):
            found.append((name, _words(snippet[1])))
        for words in re.findall(r"`motia-celery ([^`]*)`", text):
            found.append((name, _words(words)))
    return [
        (name, words) for name, words in dict.fromkeys((n, tuple(w)) for n, w in found) if words
    ]


def _words(line: str) -> list[str]:
    line = re.split(r"\s+#|&&|`|\|", line)[0]
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()


GROUP = typer.main.get_command(app)


@pytest.mark.parametrize(("page", "words"), _commands(), ids=lambda value: str(value)[:60])
def test_a_command_and_its_options_are_there(page: str, words: tuple[str, ...]) -> None:
    command: object = GROUP
    for word in words:
        inner = getattr(command, "commands", {})
        if word in inner:
            command = inner[word]
        elif word.startswith("-") and word != "-":
            known = {name for p in command.params for name in (*p.opts, *p.secondary_opts)}  # type: ignore[attr-defined]
            option = word.partition("=")[0]
            assert option in {*known, "--help", "-h", "-C", "--directory"}, f"{page}: {word}"
        else:
            # What follows is a value; before a command has been named it must be one.
            starts = command is GROUP and re.fullmatch(r"[a-z][a-z-]*", word)
            assert not starts, f"{page}: there is no `motia-celery {word}`"


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_templates_readme_names_its_files(template: str) -> None:
    folder = ROOT / "motia_celery" / "templates" / template
    named = re.findall(r"`(steps/\S+\.(?:py|ts|js))`", (folder / "README.md").read_text())
    assert named
    ours = [name for name in named if "thank_customer" not in name]
    assert not [name for name in ours if not (folder / name).is_file()]


# The site


def test_every_link_leads_somewhere() -> None:
    """Files and headings, of the pages that no site holds too."""
    broken = []
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            file = (page.parent / name).resolve() if name else page
            if not file.exists() or (anchor and anchor not in _anchors(file)):
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert not broken


def _anchors(file: Path) -> set[str]:
    titles = re.findall(
        r"^#+ (.*)$", re.sub(r"^```.*?^```", "", file.read_text(), flags=re.M | re.S), re.M
    )
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_site_is_built_with_every_page(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copy(ROOT / "zensical.toml", tmp_path)
    done = subprocess.run(
        [str(Path(sys.executable).parent / "zensical"), "build", "--strict"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    site = tmp_path / "build" / "site"
    assert "Start in five minutes" in (site / "index.html").read_text()
    assert (site / "llms.txt").read_text() == (ROOT / "docs" / "llms.txt").read_text()
    listed = set(re.findall(r"\]\((\S+)\.html\)", (site / "llms.txt").read_text()))
    assert listed == {page.stem for page in (ROOT / "docs").glob("*.md")}
