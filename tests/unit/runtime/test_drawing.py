"""Files that draw Steps become modules that a browser can load, with all that they import."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from motia_celery.runtime import drawing
from motia_celery.runtime.drawing import Drawing, DrawingFault, make_drawings
from motia_celery.runtime.node import find_node

#: Loads a module as the page does, and calls its Node where React would.
_PAGE = """
const jsx = (type, props) => [type, props];
const parts = {
  'react/jsx-runtime': { jsx, jsxs: jsx },
  'motia/workbench': { EventNode: 'EventNode' },
  react: { useState: (value) => [value] },
};
const styles = {};
const page = { parts, addStyle: (key, css) => { styles[key] = css; } };
globalThis[Symbol.for('motia-celery.page')] = page;
const { Node, style } = await import('data:text/javascript,' + encodeURIComponent(CODE));
console.log(JSON.stringify({ drawn: Node({ data: { name: 'a' } }), style, styles }));
"""


def write(root: Path, **files: str) -> list[str]:
    """Writes files of these names, with `__` for a slash and `_dot_` for a dot."""
    names = [name.replace("__", "/").replace("_dot_", ".") for name in files]
    for name, text in zip(names, files.values(), strict=True):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return names


def make(root: Path, **files: str) -> Drawing | DrawingFault:
    """What becomes of the first of the files."""
    name, *_ = write(root, **files)
    return make_drawings(root, [name])[name]


def fault(root: Path, **files: str) -> tuple[str, str]:
    made = make(root, **files)
    assert isinstance(made, DrawingFault)
    return made.what, made.where


def test_a_module_draws_with_what_the_page_has_and_brings_the_rest(tmp_path: Path) -> None:
    """Own files, JSON, styles, images and packages are in it; types and type imports are not."""
    made = make(
        tmp_path,
        steps__a_dot_step_dot_tsx="""
import React, { useState } from 'react'
import { EventNode, EventNodeProps } from 'motia/workbench'
import type { Gone } from './gone'
import { label } from '../parts/label'
import words from './words.json'
import dot from './dot.svg'
import './a.css'
import plain from 'plain'
import { only } from 'only-esm'

export const Node: React.FC<EventNodeProps> = ({ data }) => {
  const [n] = useState<number>(1)
  const inside = [label(data.name), n, words.hi, dot.slice(0, 14), plain, only]
  return <EventNode class="p-7 dark:p-3">{inside}</EventNode>
}
""",
        parts__label_dot_ts="export const label = (name: string): string => `<${name}>`",
        steps__words_dot_json='{"hi": "hello"}',
        steps__dot_dot_svg="<svg/>",
        steps__a_dot_css=".striped { color: red }",
        node_modules__plain__index_dot_js="module.exports = require('react').useState.length",
        **{
            "node_modules__only-esm__package_dot_json": '{"exports": {"import": "./it.mjs"}}',
            "node_modules__only-esm__it_dot_mjs": "export const only = 'only'",
        },
    )
    assert isinstance(made, Drawing), made
    assert [file.name for file in made.inputs][:2] == ["a.step.tsx", "label.ts"]
    told = load(made.code)
    assert told["drawn"] == [
        "EventNode",
        {
            "class": "p-7 dark:p-3",
            "children": ["<a>", 1, "hello", "data:image/svg", 1, "only"],
        },
    ]
    assert told["styles"] == {"steps/a.css": ".striped { color: red }"}
    assert ".p-7 {" in told["style"] and "data-theme" in told["style"]
    assert ":root, :host" not in told["style"]  # they would be those of the whole page


def load(code: str) -> dict[str, object]:
    node = find_node()
    assert node is not None
    script = _PAGE.replace("CODE", json.dumps(code))
    options = [node, "--input-type=module", "-e", script]
    told = subprocess.run(options, capture_output=True, text=True, timeout=60, check=True)
    found: dict[str, object] = json.loads(told.stdout)
    return found


def test_what_can_not_be_imported_is_named_with_its_line(tmp_path: Path) -> None:
    where = "export const Node = () => pad('x')"
    assert fault(tmp_path, a_dot_tsx=f"\nimport {{ pad }} from 'left-pad'\n{where}") == (
        "imports 'left-pad', which was not found",
        "a.tsx:2",
    )
    assert fault(tmp_path, a_dot_tsx=f"import pad from './pad'\n{where}") == (
        "imports './pad', which was not found",
        "a.tsx:1",
    )
    assert fault(tmp_path, a_dot_tsx=f"import pad from 'node:fs'\n{where}") == (
        "imports 'node:fs', which browsers do not have",
        "a.tsx:1",
    )
    what, _ = fault(tmp_path, a_dot_tsx=f"import pad from './b.wasm'\n{where}", b_dot_wasm="x")
    assert what == "files like b.wasm can not be imported here"


def test_a_syntax_error_is_told_with_its_line_and_stops_no_other_file(tmp_path: Path) -> None:
    bad, good = write(
        tmp_path,
        bad_dot_tsx="export const Node = () => (\n  <div>\n",
        good_dot_tsx="export const Node = () => <i />",
    )
    made = make_drawings(tmp_path, [bad, good])
    assert isinstance(made[bad], DrawingFault) and made[bad].where.startswith("bad.tsx:")
    assert isinstance(made[good], Drawing)


def test_the_version_is_that_of_the_code(tmp_path: Path) -> None:
    first = make(tmp_path, a_dot_tsx="export const Node = () => <i />")
    again = make(tmp_path, a_dot_tsx="export const Node = () => <i />")
    other = make(tmp_path, a_dot_tsx="export const Node = () => <b />")
    assert isinstance(first, Drawing) and isinstance(again, Drawing) and isinstance(other, Drawing)
    assert first.version == again.version != other.version


def test_without_node_the_reason_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "find_node", lambda: None)
    what, where = fault(tmp_path, a_dot_tsx="export const Node = () => <i />")
    assert "Node is not installed" in what and where == "a.tsx"
