"""The compiler is content with Motia's projects, and finds what is wrong in them.

The projects have no package ``motia``: its types come from ``motia-celery generate types``.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from acceptance.test_languages import ROUTE, WORDS

from motia_celery.errors import ConfigError
from motia_celery.plan import compile_plan
from motia_celery.run.step_file import StepFile
from motia_celery.run.template import TEMPLATES
from motia_celery.run.typings import refresh_types, write_step_types, write_types
from motia_celery.runtime.node import find_node

REPOSITORY = Path(__file__).parents[2]
TYPES = REPOSITORY / "tests" / "types"
OPTIONS = {
    "target": "ES2022",
    "module": "ESNext",
    "moduleResolution": "bundler",
    "strict": True,
    "noEmit": True,
    "allowJs": True,
    "types": ["node"],
}
NODE_OPTIONS = {"module": "NodeNext", "moduleResolution": "NodeNext"}

Compile = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def project(tmp_path: Path, npm_packages: Path) -> Path:
    (tmp_path / "node_modules").mkdir()
    for name in ("zod", "zod3", "@types"):
        (tmp_path / "node_modules" / name).symlink_to(npm_packages / name)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    return tmp_path


@pytest.fixture
def compile_(project: Path, npm_packages: Path) -> Compile:
    def compile_(
        compiler: str = "typescript", **options: object
    ) -> subprocess.CompletedProcess[str]:
        config = {"compilerOptions": {**OPTIONS, **options}, "include": ["**/*"]}
        (project / "tsconfig.json").write_text(json.dumps(config))
        command = [find_node() or "node", str(npm_packages / compiler / "bin" / "tsc")]
        return subprocess.run(
            command, cwd=project, capture_output=True, text=True, timeout=110, check=False
        )

    return compile_


def copy(project: Path, *names: str) -> None:
    for name in names:
        shutil.copy(TYPES / name, project)


@pytest.mark.parametrize("compiler", ["typescript", "typescript5"])
def test_every_exported_type_and_what_it_refuses(
    project: Path, compile_: Compile, compiler: str
) -> None:
    """Each line marked ``@ts-expect-error`` is one that the compiler must refuse."""
    copy(project, "accepted.ts", "triggers.ts", "drawing.tsx")
    write_types(project)
    done = compile_(compiler, skipLibCheck=True, jsx="preserve")
    assert (done.stdout, done.returncode) == ("", 0)


@pytest.mark.parametrize(
    ("compiler", "options"),
    [("typescript", {}), ("typescript5", NODE_OPTIONS)],
    ids=["typescript bundler", "typescript5 node"],
)
def test_a_project_with_its_own_types(
    project: Path, compile_: Compile, compiler: str, options: dict[str, str]
) -> None:
    """Handlers and streams of a ``types.d.ts`` are known by their names, in JavaScript too."""
    copy(project, "generated.ts", "plain.js", "types.d.ts")
    write_types(project)
    done = compile_(compiler, skipLibCheck=compiler != "typescript", **options)
    assert (done.stdout, done.returncode) == ("", 0)


def test_the_example_and_a_project_without_types_of_its_own(
    project: Path, compile_: Compile
) -> None:
    shutil.copytree(REPOSITORY / "steps", project / "steps")
    (project / "lib").mkdir()
    (project / "lib" / "words.ts").write_text(WORDS)
    (project / "steps" / "start.step.ts").write_text(ROUTE)
    write_types(project)
    done = compile_(skipLibCheck=True)
    assert (done.stdout, done.returncode) == ("", 0)


def test_without_the_command_the_module_is_not_found(project: Path, compile_: Compile) -> None:
    copy(project, "generated.ts")
    done = compile_(skipLibCheck=True)
    assert "Cannot find module 'motia'" in done.stdout


def test_the_command_writes_them(project: Path) -> None:
    command = [sys.executable, "-m", "motia_celery", "-C", str(project), "generate", "types"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith("Wrote motia-env.d.ts.")
    assert "declare module 'motia'" in (project / "motia-env.d.ts").read_text()
    (project / "node_modules" / "motia").mkdir()
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "is installed here" in done.stdout
    assert "Wrote types.d.ts: 0 Steps, 0 streams." in done.stdout


STEPS = {
    "create.step.ts": """
import type { ApiRouteConfig, Handlers } from 'motia';
export const config: ApiRouteConfig = {
  type: 'api', name: 'Create Order', method: 'POST', path: '/orders',
  bodySchema: { type: 'object', properties: { item: { type: 'string' } }, required: ['item'] },
  responseSchema: {
    202: { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] },
    404: { type: 'object', properties: { error: { const: 'sold out' } }, required: ['error'] },
  },
  emits: ['order.created', { topic: 'lost.order', conditional: true }],
};
export const handler: Handlers['Create Order'] = async (req, { emit, streams }) => {
  const item: string = req.body.item;
  await emit({ topic: 'order.created', data: { item, count: 1 } });
  await emit({ topic: 'lost.order', data: 'anything: nobody hears it' });
  await streams.orders.set('all', item, { state: 'new' });
  if (item === 'x') return { status: 404, body: { error: 'sold out' } };
  return { status: 202, body: { id: item } };
};
// @ts-expect-error the body has no such field
export const field: Handlers['Create Order'] = (req) => ({ status: 202, body: req.body.no });
// @ts-expect-error another status
export const status: Handlers['Create Order'] = async () => ({ status: 200, body: { id: 'a' } });
// @ts-expect-error another body
export const body: Handlers['Create Order'] = async () => ({ status: 404, body: { error: 'no' } });
export const refused: Handlers['Create Order'] = async (_, { emit, streams }) => {
  // @ts-expect-error it does not emit that
  await emit({ topic: 'order.paid', data: {} });
  // @ts-expect-error what hears it needs a count
  await emit({ topic: 'order.created', data: { item: 'a' } });
  // @ts-expect-error no such stream
  streams.nothing;
  // @ts-expect-error no such state
  await streams.orders.set('all', 'a', { state: 'lost' });
  return { status: 202, body: { id: '' } };
};
""",
    "charge_step.py": """
from pydantic import BaseModel

class Order(BaseModel):
    item: str
    count: int
    note: str | None = None

config = {"type": "event", "name": "charge", "subscribes": ["order.*"], "input": Order, "emits": []}

def handler(order, context): ...
""",
    "ship.step.ts": """
import { z } from 'zod';
import type { EventConfig, Handlers } from 'motia';
export const config: EventConfig = {
  type: 'event', name: 'ship', subscribes: ['order.created'], emits: [],
  input: z.object({ item: z.string(), size: z.enum(['s', 'l']).optional() }),
};
export const handler: Handlers['ship'] = async (order, { emit }) => {
  const size: 's' | 'l' | undefined = order.size;
  // @ts-expect-error it emits nothing
  await emit({ topic: 'order.created', data: { item: order.item + size, count: 1 } });
};
""",
    "nightly.step.ts": """
import type { CronConfig, Handlers } from 'motia';
export const config: CronConfig = {
  type: 'cron', name: 'nightly', cron: '@daily', emits: ['order.created'],
};
export const handler: Handlers['nightly'] = async ({ emit }) => {
  await emit({ topic: 'order.created', data: { item: '', count: 2, size: 's' } });
};
""",
    "orders.stream.ts": """
import type { StreamConfig } from 'motia';
export const config: StreamConfig = {
  name: 'orders', baseConfig: { storageType: 'default' },
  schema: { type: 'object', properties: { state: { enum: ['new', 'paid'] } }, required: ['state'] },
};
""",
}


@pytest.mark.parametrize("compiler", ["typescript", "typescript5"])
def test_the_types_of_a_projects_own_steps(project: Path, compile_: Compile, compiler: str) -> None:
    """Bodies, responses, emits, data and streams, of Steps in both languages."""
    (project / "steps").mkdir()
    for name, source in STEPS.items():
        (project / "steps" / name).write_text(source)
    command = [sys.executable, "-m", "motia_celery", "-C", str(project), "generate", "types"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "Wrote types.d.ts: 4 Steps, 1 streams." in done.stdout
    done = compile_(compiler, skipLibCheck=compiler != "typescript")
    assert (done.stdout, done.returncode) == ("", 0)


@pytest.mark.parametrize("template", ["typescript", "multilang"])
def test_a_new_app_is_typed(
    project: Path, npm_packages: Path, template: str, tmp_path: Path
) -> None:
    """By its own tsconfig.json, with a Step of each kind added."""
    app = tmp_path / "app"
    TEMPLATES[template].write(app, "app")
    (app / "node_modules").symlink_to(project / "node_modules")
    for kind in ("api", "event", "cron", "noop"):
        StepFile(name=f"new-{kind}", kind=kind, language="typescript").write(app)  # type: ignore[arg-type]
    command = [sys.executable, "-m", "motia_celery", "-C", str(app), "generate", "types"]
    subprocess.run(command, capture_output=True, timeout=60, check=True)
    compiler = [find_node() or "node", str(npm_packages / "typescript" / "bin" / "tsc")]
    done = subprocess.run(
        compiler, cwd=app, capture_output=True, text=True, timeout=110, check=False
    )
    assert (done.stdout, done.returncode) == ("", 0)


def test_a_file_of_someone_else_stays(tmp_path: Path) -> None:
    """Motia's own is replaced, for it is made of the same; `dev` leaves what it may not write."""
    plan = compile_plan(prefix="p", timezone="UTC", steps=())
    file = tmp_path / "types.d.ts"
    file.write_text("export {};\n")
    with pytest.raises(ConfigError):
        write_step_types(tmp_path, plan)
    (tmp_path / "tsconfig.json").write_text("{}")
    refresh_types(tmp_path, plan)
    assert file.read_text() == "export {};\n"
    assert (tmp_path / "motia-env.d.ts").is_file()
    file.write_text("/**\n * Automatically generated types for motia\n */\n")
    assert "interface Handlers" in write_step_types(tmp_path, plan).read_text()
