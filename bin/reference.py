"""Writes what the documentation takes from the code: docs/cli.md from the commands, the tables of
docs/settings.md and docs/errors.md from their classes, docs/decisions.md from the records, and
docs/llms.txt, the list of the pages for programs that read them.

``python bin/reference.py`` writes all; ``--check`` ends with 1 where one is not up to date.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import typer.main

from motia_celery import errors
from motia_celery.cli import app
from motia_celery.settings import Settings, platform_variables

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"

HEAD = """\
<!-- Made by bin/reference.py: change the commands' own help instead. -->

# The command line

```sh
motia-celery --help
motia-celery COMMAND --help
```

| exit code | |
|---|---|
| 0 | done, and nothing is wrong |
| 1 | an error, told with what to do, or what was looked for: problems, a key that is not there |
| 2 | an argument or an option can not be used |
| 3 | only a part: `doctor --live` where a server does not answer, `dlq replay` where letters stay |
| 130 | Ctrl-C |

Every command that reads has `--json`: data on standard output, and nothing else; what a person
should know goes to standard error. Nothing asks without a terminal. `NO_COLOR=1` takes the colours
away, `FORCE_COLOR=1` keeps them where there is no terminal.

**Completion.** `motia-celery --install-completion` teaches the shell (bash, zsh, fish, PowerShell)
the commands and their options; `--show-completion` prints the script.
"""


def reference() -> str:
    """The whole page."""
    group = typer.main.get_command(app)
    parts = [HEAD, *_options(group, "Options of every command")]
    for name, command in sorted(group.commands.items()):  # type: ignore[attr-defined]
        parts += _described(f"motia-celery {name}", command)
    return "\n".join(parts).rstrip() + "\n"


def _described(path: str, command: Any) -> Iterator[str]:
    if command.hidden:
        return
    inner = getattr(command, "commands", None)
    if inner is None:
        yield f"## `{path}`\n"
        yield f"{_sentence(command)}\n"
        arguments = " ".join(_argument(param) for param in _arguments(command))
        yield f"```text\n{path} [OPTIONS] {arguments}".rstrip() + "\n```\n"
        yield from _arguments_table(command)
        yield from _options(command)
        return
    for name, sub in sorted(inner.items()):
        yield from _described(f"{path} {name}", sub)


def _argument(param: Any) -> str:
    name = param.name.upper()
    return f"{name}" if param.required else f"[{name}]"


def _kind(param: Any, command: Any) -> str:
    """What an option takes, from the annotation of the command's function."""
    if param.metavar:
        return str(param.metavar)
    hint = get_type_hints(command.callback)[param.name]
    while get_origin(hint) is not Literal and (inner := get_args(hint)):
        hint = inner[0]
    if get_origin(hint) is Literal:
        return "\\|".join(f"`{word}`" for word in get_args(hint))
    return _KINDS[hint]


_KINDS = {str: "TEXT", int: "NUMBER", float: "NUMBER", Path: "PATH"}


def _sentence(command: Any) -> str:
    text = " ".join((command.help or "").split())
    return text.partition("\f")[0]


def _arguments(command: Any) -> list[Any]:
    return [param for param in command.params if param.param_type_name == "argument"]


def _arguments_table(command: Any) -> Iterator[str]:
    if found := [param for param in _arguments(command) if param.help]:
        rows = [f"| `{param.name.upper()}` | {_cell(param.help)} |" for param in found]
        yield "\n".join(["| argument | |", "|---|---|", *rows]) + "\n"


def _options(command: Any, title: str = "option") -> Iterator[str]:
    found = [
        param
        for param in command.params
        if param.param_type_name == "option" and not param.hidden and param.name != "help"
    ]
    if not found:
        return
    rows = [f"| {_names(param, command)} | {_help(param)} |" for param in found]
    yield "\n".join([f"| {title} | |", "|---|---|", *rows]) + "\n"


def _names(param: Any, command: Any) -> str:
    names = ", ".join(f"`{name}`" for name in (*param.opts, *param.secondary_opts))
    return names if param.is_flag else f"{names} {_kind(param, command)}"


def _help(param: Any) -> str:
    text = _cell(param.help or "")
    plain = param.default is None or callable(param.default) or param.is_flag
    shown = "" if plain or not str(param.default) or "[default" in text else f" [{param.default}]"
    return text + shown


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def settings() -> str:
    """The rows of the settings."""
    rows = [
        "| setting | default | variables beside `MOTIA_<NAME>` | meaning |",
        "|---|---|---|---|",
    ]
    for name, info in Settings.model_fields.items():
        variables = ", ".join(f"`{variable}`" for variable in platform_variables(info))
        cells = (f"`{name}`", _default(info), variables, info.description or "")
        rows.append(re.sub("  +", " ", f"| {' | '.join(cells)} |"))
    return "\n".join(rows)


def _default(info: Any) -> str:
    if unset := info.json_schema_extra["unset"]:
        return str(unset)
    value = info.default
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{','.join(value) if isinstance(value, tuple) else value}`"


def error_classes() -> str:
    """The rows of the errors, as they stand in their module."""
    found = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    rows = ["| error | when | a kind of |", "|---|---|---|"]
    for kind in found:
        text = _cell((kind.__doc__ or "").split("\n\n")[0].replace("``", "`"))
        parent = kind.__bases__[0]
        of = "" if parent in (Exception, errors.FrameworkError) else f" `{parent.__name__}`"
        rows.append(f"| `{kind.__name__}` | {text} |{of} |")
    return "\n".join(rows)


def _within(name: str, table: str) -> str:
    """A page that is written by hand, with its table."""
    start, end = "<!-- Made by bin/reference.py from here -->", "<!-- to here. -->"
    before, _, rest = (DOCS / name).read_text().partition(start)
    return f"{before}{start}\n{table}\n{end}{rest.partition(end)[2]}"


def decisions() -> str:
    """The list of the records, by their titles."""
    lines = ["<!-- Made by bin/reference.py of the records' titles. -->", "", "# Decisions", ""]
    lines += ["What would be hard to undo, what it was chosen over, and why.", ""]
    for record in sorted((DOCS / "decisions").glob("*.md")):
        title = record.read_text().partition("\n")[0].removeprefix("# ")
        number, _, text = title.partition(". ")
        lines.append(f"{number}. [{text}](decisions/{record.name})")
    return "\n".join(lines) + "\n"


def pages() -> str:
    """The list of the pages: each with its first sentence."""
    site = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]
    lines = [f"# {site['site_name']}", "", f"> {site['site_description']}", ""]
    for section in site["nav"]:
        ((title, entries),) = section.items()
        lines += [f"## {title}", ""]
        for entry in entries:
            ((name, file),) = entry.items()
            page = file.replace(".md", ".html")
            lines.append(f"- [{name}]({page}): {_first_sentence((DOCS / file).read_text())}")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _first_sentence(text: str) -> str:
    """Of the first paragraph that is plain text."""
    for part in re.sub(r"^```.*?^```", "", text, flags=re.M | re.S).split("\n\n"):
        if part.strip() and part.strip()[0] not in "#<|-":
            plain = re.sub(r"\[([^]]*)\]\([^)]*\)|[*`]", r"\1", " ".join(part.split()))
            return re.split(r"(?<=\.)\s(?=[A-Z])", plain)[0]
    return ""


def main(check: bool) -> None:
    """Writes the files, or ends with what is not up to date."""
    made = {
        "cli.md": reference(),
        "settings.md": _within("settings.md", settings()),
        "errors.md": _within("errors.md", error_classes()),
        "decisions.md": decisions(),
        "llms.txt": pages(),
    }
    for name, text in made.items():
        file = DOCS / name
        if not check:
            file.write_text(text)
        elif not file.exists() or file.read_text() != text:
            sys.exit(f"docs/{name} is out of date: python bin/reference.py")


if __name__ == "__main__":
    main("--check" in sys.argv[1:])
