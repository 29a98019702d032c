"""The file of a new Step, in any language: a config and a handler that do a little."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from motia_celery.errors import OverwriteError
from motia_celery.model.step import Language

Kind = Literal["api", "event", "cron", "noop"]

_NOT_IN_FILES = re.compile(r"[^a-z0-9]+")
_TYPES = {"api": "ApiRouteConfig", "event": "EventConfig", "cron": "CronConfig"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFile:
    """A Step to be written below ``folder``, which lies in the project's root."""

    name: str
    kind: Kind
    language: Language
    folder: Path = Path("steps")

    @property
    def path(self) -> Path:
        """Where it is found, as each language has it."""
        words = [word for word in _NOT_IN_FILES.split(self.name.lower()) if word] or ["new"]
        if self.language in ("python", "ruby"):
            suffix = "py" if self.language == "python" else "rb"
            return self.folder / f"{'_'.join(words)}_step.{suffix}"
        suffix = "ts" if self.language == "typescript" else "js"
        return self.folder / f"{'-'.join(words)}.step.{suffix}"

    def write(self, root: Path) -> Path:
        """Makes the file, and gives its path below the root.

        Raises:
            OverwriteError: it is there.
        """
        file = root / self.path
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with file.open("x", encoding="utf-8") as new:
                new.write(self.source)
        except FileExistsError as error:
            fix = "Choose another name; nothing was written."
            raise OverwriteError("this file is there already.", str(self.path), fix) from error
        return self.path

    @property
    def source(self) -> str:
        """The text of the file."""
        if self.language == "ruby":
            return self._ruby()
        return self._python() if self.language == "python" else self._script()

    def _fields(self) -> dict[str, object]:
        slug = self.path.name.partition(".")[0].removesuffix("_step").replace("_", "-")
        own: dict[str, dict[str, object]] = {
            "api": {"method": "GET", "path": f"/{slug}"},
            "event": {"subscribes": [slug]},
            "cron": {"cron": "0 * * * *"},
            "noop": {"virtualEmits": [], "virtualSubscribes": []},
        }
        emits: dict[str, object] = {} if self.kind == "noop" else {"emits": []}
        return {"type": self.kind, "name": self.name, **own[self.kind], **emits, "flows": []}

    def _python(self) -> str:
        fields = "".join(f'    "{k}": {_quoted(v)},\n' for k, v in self._fields().items())
        return f"config = {{\n{fields}}}\n{_PYTHON[self.kind]}"

    def _ruby(self) -> str:
        fields = ",\n".join(f"    {k}: {_rubied(v)}" for k, v in self._fields().items())
        return f"def config\n  {{\n{fields}\n  }}\nend\n{_RUBY[self.kind]}"

    def _script(self) -> str:
        fields = "".join(f"  {k}: {_single_quoted(v)},\n" for k, v in self._fields().items())
        typed = self.language == "typescript" and self.kind in _TYPES
        handler = _SCRIPT[self.kind]
        if not typed:
            return f"export const config = {{\n{fields}}};\n{handler.replace('@TYPE@', '')}"
        kind, name = _TYPES[self.kind], _single_quoted(self.name)
        return (
            f"import type {{ {kind}, Handlers }} from 'motia';\n\n"
            f"export const config: {kind} = {{\n{fields}}};\n"
            f"{handler.replace('@TYPE@', f': Handlers[{name}]')}"
        )


def _quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _rubied(value: object) -> str:
    return _quoted(value).replace("#", "\\#")  # which would begin code


def _single_quoted(value: object) -> str:
    text = _quoted(value)
    # A name with quotes in it stays as JSON writes it.
    return text if '\\"' in text or "'" in text else text.replace('"', "'")


_PYTHON: dict[Kind, str] = {
    "api": """

async def handler(req, context):
    context.logger.info("Asked", {"query": req["queryParams"]})
    return {"status": 200, "body": {"hello": req["queryParams"].get("name", "world")}}
""",
    "event": """

async def handler(data, context):
    context.logger.info("Heard", {"topic": context.topic, "data": data})
""",
    "cron": """

async def handler(context):
    context.logger.info("It is time")
""",
    "noop": "",
}

_RUBY: dict[Kind, str] = {
    "api": """
def handler(req, context)
  context.logger.info('Asked', { query: req.query_params })
  { status: 200, body: { hello: req.query_params.name || 'world' } }
end
""",
    "event": """
def handler(data, context)
  context.logger.info('Heard', { topic: context.topic, data: data })
end
""",
    "cron": """
def handler(context)
  context.logger.info('It is time')
end
""",
    "noop": "",
}

_SCRIPT: dict[Kind, str] = {
    "api": """
export const handler@TYPE@ = async (req, { logger }) => {
  logger.info('Asked', { query: req.queryParams });
  return { status: 200, body: { hello: req.queryParams.name ?? 'world' } };
};
""",
    "event": """
export const handler@TYPE@ = async (data, { logger, topic }) => {
  logger.info('Heard', { topic, data });
};
""",
    "cron": """
export const handler@TYPE@ = async ({ logger }) => {
  logger.info('It is time');
};
""",
    "noop": "",
}
