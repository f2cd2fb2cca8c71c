"""Reading a TOML file so that every fault is said at once, with its key and line.

Source of the format: toml.io, read with the standard library.
"""

import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from connector.errors import UsageError

Model = TypeVar("Model", bound=BaseModel)


class Table(BaseModel):
    """A TOML table with known keys only."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


def read_toml(path: Path, *, what: str) -> tuple[str, dict[str, Any]]:
    """Returns the text of a file and its tables; raises UsageError with the line of a fault."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UsageError(
            f"{what} {path} does not exist",
            hint="name the file with --config, or write one as README.md shows",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{what} {path} cannot be read: {error}") from error
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{what} {path} is not valid TOML: {error}") from error


def checked(model: type[Model], tables: Mapping[str, Any], *, text: str, name: str) -> Model:
    """Returns the tables as typed settings; raises UsageError with all faults at once."""
    try:
        return model.model_validate(tables)
    except ValidationError as error:
        problems = tuple(_sentence(fault, model, text, name) for fault in error.errors())
        raise UsageError(
            f"{name}: {len(problems)} fault{'s' if len(problems) > 1 else ''}", problems=problems
        ) from error


def _sentence(fault: Any, model: type[BaseModel], text: str, name: str) -> str:
    where = tuple(part for part in fault["loc"] if not str(part).startswith("function-"))
    key = ".".join(f"[{p + 1}]" if isinstance(p, int) else p for p in where).replace(".[", "[")
    line = line_of(text, where)
    place = f"{name}{f':{line}' if line else ''}: {key}"
    if fault["type"] == "extra_forbidden":
        known = _known_keys(model, where[:-1])
        close = difflib.get_close_matches(str(where[-1]), known, n=1)
        advice = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
        return f"{place}: unknown key; {advice}"
    message = fault["msg"].removeprefix("Value error, ")
    shown = "" if isinstance(fault["input"], dict | list) else f" (found {fault['input']!r})"
    return f"{place}: {message}{shown}"


def _known_keys(model: type[BaseModel], where: Sequence[object]) -> list[str]:
    """Returns the keys of the table that a location leads to."""
    current: Any = model
    for part in where:
        if isinstance(part, int) or not _is_model(current):
            continue
        field = current.model_fields.get(str(part)) or next(
            (f for f in current.model_fields.values() if f.alias == part), None
        )
        if field is None:
            return []
        current = next((t for t in _types_in(field.annotation) if _is_model(t)), None)
    if not _is_model(current):
        return []
    return [field.alias or key for key, field in current.model_fields.items()]


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _types_in(annotation: Any) -> list[Any]:
    inner = getattr(annotation, "__args__", ())
    return [annotation, *(kind for part in inner for kind in _types_in(part))]


def line_of(text: str, where: Sequence[object]) -> int:
    """Returns the line (from 1) on which a key stands, 0 where it cannot be told."""
    names = [str(part) for part in where if not isinstance(part, int)]
    turn = next((part for part in where if isinstance(part, int)), 0)
    if not names:
        return 0
    table, key = ".".join(names[:-1]), names[-1]
    inside, seen = not table, -1
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?", line)
        if header:
            title = header[1].replace('"', "")
            seen += title == names[0]
            inside = title == table and max(seen, 0) >= turn
            if title == ".".join(names) and max(seen, 0) >= turn:
                return number
        elif inside and re.match(rf'\s*"?{re.escape(key)}"?\s*=', line):
            return number
    return 0
