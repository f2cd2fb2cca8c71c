"""Act-On's CSV as a stream of lines of cells: UTF-8, strict, and never a short table.

Only line feeds and carriage returns end a line; a Unicode separator in a cell does not.
"""

import csv
import io
from collections.abc import Iterator
from typing import Final

import requests

from connector.acton.spool import BrokenOff, breaking_off

CHUNK_BYTES: Final = 65_536
FIELD_CHARS: Final = 1_000_000
"""A longer cell is a broken quote, not a value (Act-On's own limit is 20,000 characters)."""


class _Body(io.RawIOBase):
    """The decoded body of an answer as a file; remembers its last byte."""

    def __init__(self, answer: requests.Response) -> None:
        super().__init__()
        self._chunks = answer.iter_content(CHUNK_BYTES)
        self._kept = b""
        self.last = b""

    def readable(self) -> bool:
        """Says yes."""
        return True

    def readinto(self, buffer: bytearray, /) -> int:  # type: ignore[override]  # any buffer will do
        """Fills a buffer; returns 0 at the end."""
        while not self._kept:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._kept = chunk
        given, self._kept = self._kept[: len(buffer)], self._kept[len(buffer) :]
        buffer[: len(given)] = given
        self.last = given[-1:]
        return len(given)


def table_in(answer: requests.Response) -> Iterator[list[str]]:
    """Yields the headings and then every line; raises BrokenOff where the table is not whole.

    A line with more or fewer cells than headings, an open quote and another encoding are faults.
    A body whose end HTTP does not announce must end its last line, for it may be cut in a cell.
    """
    csv.field_size_limit(FIELD_CHARS)
    body = _Body(answer)
    lines = io.TextIOWrapper(
        io.BufferedReader(body, CHUNK_BYTES),  # type: ignore[type-var]  # see readinto
        encoding="utf-8-sig",
        errors="strict",
        newline="",
    )
    table = csv.reader(lines, strict=True)
    with lines, breaking_off("the list"):
        try:
            headings = next(table, [])
            yield headings
            for cells in table:
                if len(cells) != len(headings):
                    if not cells:
                        continue
                    raise BrokenOff(
                        f"line {table.line_num} has {len(cells)} cells, not {len(headings)}"
                    )
                yield cells
        except csv.Error as error:
            raise BrokenOff(f"line {table.line_num} is no CSV ({error})") from None
        except UnicodeDecodeError as error:
            raise BrokenOff(f"it is not UTF-8 ({error.reason})") from None
        announced = {"Content-Length", "Transfer-Encoding"} & {h.title() for h in answer.headers}
        if not announced and body.last not in {b"\n", b"\r", b""}:
            raise BrokenOff("its last line has no end")
