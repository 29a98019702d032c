"""The document from which the page's types are generated is the one that is served."""

from __future__ import annotations

import json
from pathlib import Path

from motia_celery.workbench.api import document

KEPT = Path(__file__).parents[3] / "motia_celery" / "workbench" / "ui" / "openapi.json"


def test_the_kept_document_is_that_of_the_code() -> None:
    """`make types` writes it anew."""
    assert KEPT.read_text(encoding="utf-8") == document()


def test_every_answer_has_a_shape() -> None:
    for path, operations in json.loads(document())["paths"].items():
        for method, operation in operations.items():
            (content,) = operation["responses"]["200"]["content"].values()
            assert content["schema"], f"{method} {path}"
            assert {"4XX", "5XX"} <= operation["responses"].keys()
