"""JSON Schema as a TypeScript type."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_PLAIN = {
    "string": "string",
    "number": "number",
    "integer": "number",
    "boolean": "boolean",
    "null": "null",
}


def schema_type(schema: object) -> str:
    """The type of what fits the schema, on one line; ``unknown`` where it says nothing."""
    return _Reader(schema).type_of(schema, ())


class _Reader:
    """Reads one schema, whose references lead into itself."""

    def __init__(self, root: object) -> None:
        self._root = root

    def type_of(self, node: object, open_: tuple[str, ...]) -> str:
        """``open_`` are the references that lead here: a type that holds itself ends at ``any``."""
        if not isinstance(node, Mapping):
            return "never" if node is False else "unknown"
        if isinstance(reference := node.get("$ref"), str):
            return self._referred(reference, open_)
        kind = self._kind(node, open_)
        return f"{kind} | null" if node.get("nullable") is True else kind

    def _kind(self, node: Mapping[str, Any], open_: tuple[str, ...]) -> str:
        if "const" in node:
            return _literal(node["const"])
        if isinstance(values := node.get("enum"), (list, tuple)):
            return " | ".join(_literal(value) for value in values) or "never"
        for word in ("anyOf", "oneOf"):
            if node.get(word):
                return _union(self.type_of(part, open_) for part in node[word])
        if node.get("allOf"):
            own = [{k: v for k, v in node.items() if k != "allOf"}] if "properties" in node else []
            return _all(self.type_of(part, open_) for part in (*node["allOf"], *own))
        return self._named(node, open_)

    def _named(self, node: Mapping[str, Any], open_: tuple[str, ...]) -> str:
        kind = node.get("type")
        if isinstance(kind, (list, tuple)):
            return _union(self._named({**node, "type": one}, open_) for one in kind)
        if kind == "object" or (kind is None and "properties" in node):
            return self._object(node, open_)
        if kind == "array":
            return self._array(node, open_)
        return _PLAIN.get(str(kind), "unknown")

    def _object(self, node: Mapping[str, Any], open_: tuple[str, ...]) -> str:
        properties = node.get("properties") or {}
        required = node.get("required") or ()
        if properties:
            fields = "; ".join(
                f"{_quoted(name)}{'' if name in required else '?'}: {self.type_of(part, open_)}"
                for name, part in properties.items()
            )
            return f"{{ {fields} }}"
        others = node.get("additionalProperties", True)
        return f"Record<string, {self.type_of(others, open_)}>"

    def _array(self, node: Mapping[str, Any], open_: tuple[str, ...]) -> str:
        if parts := node.get("prefixItems"):
            return f"[{', '.join(self.type_of(part, open_) for part in parts)}]"
        inner = self.type_of(node.get("items"), open_)
        return f"Array<{inner}>"

    def _referred(self, reference: str, open_: tuple[str, ...]) -> str:
        if reference in open_ or not reference.startswith("#"):
            return "any"
        node: Any = self._root
        for part in reference.removeprefix("#").split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            node = node.get(key) if isinstance(node, Mapping) else None
        return self.type_of(node, (*open_, reference))


def _union(types: Any) -> str:
    found = dict.fromkeys(types)
    return "unknown" if "unknown" in found else " | ".join(found) or "never"


def _all(types: Any) -> str:
    found = [one for one in dict.fromkeys(types) if one != "unknown"]
    return " & ".join(f"({one})" if " | " in one else one for one in found) or "unknown"


def _literal(value: object) -> str:
    if value is None or isinstance(value, (str, int, float, bool)):
        return _quoted(value)
    return "any"


def _quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
