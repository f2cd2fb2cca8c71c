"""What people and scripts see: tables on a terminal, one JSON document, errors with a next step."""

import json
import logging
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from connector.errors import ConnectorError, UsageError


def tell(text: str) -> None:
    """Prints a line for a person."""
    click.echo(text)


def tell_json(document: object) -> None:
    """Prints one JSON document on one line."""
    click.echo(json.dumps(document, ensure_ascii=False, separators=(",", ":")))


def tell_error(error: ConnectorError) -> None:
    """Says what happened, every fault of a file, and what to do next, on standard error."""
    click.echo(f"error: {error.message}", err=True)
    if isinstance(error, UsageError):
        for problem in error.problems:
            click.echo(f"  - {problem}", err=True)
    if error.hint:
        click.echo(f"next: {error.hint}", err=True)


def table(title: str, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Prints a table; numbers stand right."""
    from rich.console import Console  # noqa: PLC0415  # only where a person looks
    from rich.table import Table  # noqa: PLC0415  # see above

    width = None if sys.stdout.isatty() else 110
    shown = Table(title=title, title_justify="left", header_style="bold")
    data = [[str(cell) for cell in row] for row in rows]
    for place, heading in enumerate(headings):
        numeric = bool(data) and all(row[place].replace(",", "").isdigit() for row in data)
        shown.add_column(heading, justify="right" if numeric else "left", overflow="fold")
    for row in data:
        shown.add_row(*row)
    Console(width=width, highlight=False).print(shown)


def day_and_time(at: datetime | None) -> str:
    """Returns an instant as people read it, in UTC."""
    return "-" if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


class _JsonLines(logging.Formatter):
    """One JSON object a line; messages carry pseudonyms only."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat()
        line: dict[str, Any] = {"at": at, "level": record.levelname, "room": record.name}
        return json.dumps(line | {"says": record.getMessage()}, ensure_ascii=False)


def log_to(form: str, level: int) -> None:
    """Sends the logs of the connector to standard error."""
    handler = logging.StreamHandler()
    text = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    handler.setFormatter(_JsonLines() if form == "json" else text)
    root = logging.getLogger("connector")
    root.handlers[:] = [handler]
    root.setLevel(level)
