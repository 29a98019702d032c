"""Dicts whose keys are attributes as well, as handlers of Motia 1.0 read what they are given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class Members(dict[str, Any]):
    """A dict whose keys are attributes as well; subclasses say which other names keys have."""

    _other_names: ClassVar[Mapping[str, str]] = {}

    def __getattr__(self, name: str) -> Any:
        try:
            return self[self._other_names.get(name, name)]
        except KeyError:
            raise AttributeError(name) from None
