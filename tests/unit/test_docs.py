"""The reference pages name what the code has."""

from __future__ import annotations

import re
from pathlib import Path

from motia_celery.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"


def test_each_setting_is_documented_with_its_default() -> None:
    rows = dict(
        re.findall(r"^\| `(\w+)` \|\s*(.*?)\s*\|", (DOCS / "settings.md").read_text(), re.M)
    )
    assert rows.keys() == Settings.model_fields.keys()
    for name, field in Settings.model_fields.items():
        shown = rows[name].strip("`")
        value = field.default
        if isinstance(value, bool | int | float):
            assert shown == str(value).lower(), name
        elif isinstance(value, str) and name != "root":
            assert shown == value, name


def test_links_between_pages_lead_somewhere() -> None:
    for page in (*DOCS.rglob("*.md"), DOCS.parent / "README.md", DOCS.parent / "CONTRIBUTING.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
