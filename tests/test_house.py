"""House rules that no linter knows: small rooms, plain names, a core that is told the time."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "connector"
FILES = sorted(ROOT.rglob("*.py"))
PURE = {"model.py", "plan.py", "audit.py", "qualification.py", "remembering.py", "consent"}
CORE = [p for p in FILES if p.relative_to(ROOT).parts[0] in PURE]
VAGUE = re.compile(
    r"(?i)^(utils?|helpers?|common|misc|base)$|(manager|handler|helper|processor|util)s?$"
)
ASKS_THE_TIME = re.compile(r"\b(?:now|today|utcnow|time|monotonic|random|uuid4)\(\)")
name_of = str


def functions(path: Path) -> list[ast.FunctionDef]:
    """Returns every function of a file."""
    tree = ast.parse(path.read_text())
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def length(function: ast.FunctionDef) -> int:
    """Counts the lines of a function without its docstring."""
    total = (function.end_lineno or 0) - function.lineno + 1
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        total -= (first.end_lineno or 0) - first.lineno + 1
    return total


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_is_read_in_one_sitting(path: Path) -> None:
    """No file is longer than 320 lines."""
    assert len(path.read_text().splitlines()) <= 320


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_function_fits_on_a_screen(path: Path) -> None:
    """No function is longer than 40 lines, docstring not counted."""
    assert [f.name for f in functions(path) if length(f) > 40] == []


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_function_takes_few_things(path: Path) -> None:
    """No function takes more than seven parameters."""
    crowded = []
    for function in functions(path):
        names = [arg.arg for arg in (*function.args.args, *function.args.kwonlyargs)]
        if len([name for name in names if name not in {"self", "cls"}]) > 7:
            crowded.append(function.name)
    assert crowded == []


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_names_say_what_a_thing_is(path: Path) -> None:
    """No file or class has a name that could mean anything."""
    classes = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ClassDef)]
    assert [name for name in [path.stem, *(c.name for c in classes)] if VAGUE.search(name)] == []


@pytest.mark.parametrize("path", CORE, ids=name_of)
def test_the_core_is_told_the_time(path: Path) -> None:
    """No pure room asks for the time or for chance."""
    assert ASKS_THE_TIME.findall(path.read_text()) == []


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_comments_carry_reasons_not_ticket_numbers(path: Path) -> None:
    """A comment never points to a tracker."""
    assert re.findall(r"#.*\(?#\d{2,}\)?", path.read_text()) == []


def test_nobody_can_be_opted_in() -> None:
    """The source holds no call that opts a person in, replaces their choices or sends a message."""
    outside = [p for p in FILES if "sandbox" not in p.parts]
    text = "\n".join(path.read_text() for path in outside)
    for forbidden in ("list/optin", "setcategories", '"optin"}', "/message", "REPLACE"):
        assert forbidden not in text.replace("INSERT OR REPLACE", "")
