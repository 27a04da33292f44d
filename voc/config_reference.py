"""Every setting of a voc.toml as a Markdown table, made from the checked models, so that it cannot be out of date."""

import inspect
import json
import re
from typing import Any

from voc.config import Config

_HEAD = "| setting | allowed | default | |\n|---|---|---|---|"
_BOUNDS = {"minimum": "≥ {}", "exclusiveMinimum": "> {}", "maximum": "≤ {}", "exclusiveMaximum": "< {}"}
_TYPES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true, false"}


def config_reference() -> str:
    """A Markdown table of all settings: name with its part, allowed values, default, meaning; in its order."""
    schema = Config.model_json_schema()
    return "\n".join([_HEAD, *_rows(schema, schema.get("$defs", {}), part="")])


def _rows(part_schema: dict, parts: dict, *, part: str) -> list[str]:
    rows, inner = [], []
    for name, field in part_schema.get("properties", {}).items():
        kind, is_list = _part_of(field, parts)
        if kind is None:
            is_needed = name in part_schema.get("required", [])
            default = "**needed**" if is_needed else _default(field.get("default"))
            rows.append(f"| `{_place(part)}{name}` | {_allowed(field, parts)} | {default} | {_one_line(field.get('description', ''))} |")
            continue
        place = f"{part}.{name}".strip(".")
        title = f"**`[[{place}]]`**" if is_list else f"**`[{place}]`**"
        inner += [f"| {title} | | | {_one_line(parts[kind].get('description', ''))} |", *_rows(parts[kind], parts, part=place)]
    return rows + inner


def _place(part: str) -> str:
    return f"[{part}] " if part else ""


def _part_of(field: dict, parts: dict) -> tuple[str | None, bool]:
    """(name of the part that the field holds, whether it holds several), (None, False) for a plain value."""
    for option in [field, *field.get("anyOf", []), *field.get("allOf", [])]:
        for place, is_list in ((option, False), (option.get("items", {}), True)):
            name = place.get("$ref", "").removeprefix("#/$defs/")
            if name and "properties" in parts[name]:
                return name, is_list
    return None, False


def _allowed(field: dict, parts: dict) -> str:
    if "$ref" in field:
        field = {**parts[field["$ref"].removeprefix("#/$defs/")]}
    if "anyOf" in field:
        return ", ".join(dict.fromkeys(_allowed(option, parts) for option in field["anyOf"] if option.get("type") != "null"))
    if "enum" in field or "const" in field:
        return ", ".join(f"`{value}`" for value in field.get("enum", [field.get("const")]))
    if "prefixItems" in field:
        return "[low, high], each " + _allowed(field["prefixItems"][0], parts)
    if field.get("type") == "array":
        return "list of " + _allowed(field.get("items", {}), parts)
    if field.get("type") == "object":
        return "name → " + _allowed(field.get("additionalProperties", {}), parts)
    name = {"date": "date", "date-time": "instant"}.get(field.get("format", ""), _TYPES.get(field.get("type", ""), "text"))
    return " ".join([name, *(text.format(f"{field[key]:g}") for key, text in _BOUNDS.items() if key in field)])


def _default(value: Any) -> str:
    if value is None or value in ({}, [], ""):
        return "–"
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", inspect.cleandoc(text)).replace("|", "\\|") if text else ""
