"""Uploads: what a merge does to a list, and the job that does it a little later.

Source: developer.act-on.com, "uploadspecs" and "mergespecs" overviews. An upload that was answered
with success is only merged when its job has run.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from connector.sandbox.tables import Table

STAGE: Final = timedelta(seconds=0.5)
"""How long a job is pending, and how long it runs."""
STAGES: Final = ("The job is pending", "The job is running")
MODES: Final = frozenset({"APPEND", "APPEND_NO_DUPLICATES", "UPSERT", "UPDATE_ONLY", "REPLACE"})
COLUMN_TYPES: Final = frozenset(
    {
        "EMAIL", "FIRSTNAME", "LASTNAME", "MIDDLENAME", "COMPANY", "JOBTITLE", "DEPT", "BIZ_STREET",
        "BIZ_CITY", "BIZ_STATE", "BIZ_ZIP", "BIZ_COUNTRY", "HOME_STREET", "HOME_CITY", "HOME_STATE",
        "HOME_ZIP", "HOME_COUNTRY", "BIZ_PHONE", "BIZ_FAX", "HOME_PHONE", "HOME_FAX", "CELL_PHONE",
        "BIZ_WEB", "HOME_WEB",
    }
)  # fmt: skip
SEPARATORS: Final = {"COMMA": ",", "SEMICOLON": ";", "SEMI": ";", "TAB": "\t"}
QUOTES: Final = {"DOUBLE_QUOTE": '"', "SINGLE_QUOTE": "'", "NONE": ""}
NO_FILE: Final = (10003, "Input file missing")
NO_TARGET: Final = (10025, "Invalid or missing merge destination list")
NO_COLUMN: Final = (10088, "At least one specified merge column is missing from the uploaded file")
BAD_COLUMN: Final = (10010, "Invalid Column Specified")
BAD_TYPE: Final = (10000, "Upload specs contain an invalid column type value.")
BAD_SPECS: Final = (10000, "Invalid upload specification")
"""The numbers of the last two are not documented."""


class Refused(Exception):
    """An upload is answered with 400; the arguments are Act-On's code and message."""

    def __init__(self, reason: tuple[int, str]) -> None:
        super().__init__(*reason)
        self.code, self.message = reason


@dataclass(slots=True)
class Upload:
    """An upload as its form describes it; ``columns`` are (place in the file, heading)."""

    rows: list[list[str]]
    columns: list[tuple[int, str]]
    mode: str
    key: str
    empties: bool

    def cells(self, row: Sequence[str]) -> dict[str, str]:
        """Returns the cells of a row that are written."""
        return {heading: row[place] for place, heading in self.columns}


def read_upload(form: Mapping[str, str], file: bytes | None, table: Table) -> Upload:
    """Reads the parts of a merge; raises Refused as Act-On refuses."""
    if file is None:
        raise Refused(NO_FILE)
    merges, columns = _specs(form, "mergespecs"), _specs(form, "uploadspecs")
    merge = merges[0] if merges else {}
    if merge.get("dstListId") != table.id:
        raise Refused(NO_TARGET)
    if merge.get("mergeMode") not in MODES or merge.get("columnMap") != []:
        raise Refused(BAD_SPECS)
    if any(column.get("columnType", "EMAIL") not in COLUMN_TYPES for column in columns):
        raise Refused(BAD_TYPE)
    rows = _rows(form, file)
    taken = [column for column in columns if column.get("ignoreColumn", "N") != "Y"]
    places = [(int(column["columnIndex"]), str(column["columnHeading"])) for column in taken]
    headings = [heading for _, heading in places]
    if not set(headings) <= set(table.headings):
        raise Refused(BAD_COLUMN)
    key = str(merge.get("mergeKeyHeading") or table.email)
    key = table.email if key == "EMAIL" else key
    width = max(map(len, rows), default=0)
    if key not in headings or (rows and max(place for place, _ in places) >= width):
        raise Refused(NO_COLUMN)
    if form.get("headings", "Y") == "Y":
        rows = rows[1:]
    return Upload(rows, places, merge["mergeMode"], key, form.get("putEmptyValues") == "Y")


def _specs(form: Mapping[str, str], part: str) -> list[dict[str, Any]]:
    try:
        specs = json.loads(form.get(part) or "[]")
    except json.JSONDecodeError:
        raise Refused(BAD_SPECS) from None
    if not isinstance(specs, list) or not all(isinstance(spec, dict) for spec in specs):
        raise Refused(BAD_SPECS)
    return specs


def _rows(form: Mapping[str, str], file: bytes) -> list[list[str]]:
    quote = QUOTES.get(form.get("quotecharacter", ""))
    separator = SEPARATORS.get(form.get("fieldseparator", "COMMA"))
    if quote is None or separator is None:
        raise Refused(BAD_SPECS)
    lines = io.StringIO(file.decode("utf-8-sig", errors="replace"), newline="")
    if not quote:
        return list(csv.reader(lines, delimiter=separator, quoting=csv.QUOTE_NONE))
    return list(csv.reader(lines, delimiter=separator, quotechar=quote))


@dataclass(slots=True)
class Job:
    """A merge that waits, runs and ends; each look at it and each half second takes it on."""

    id: str
    table: Table
    upload: Upload
    since: datetime
    polls: int = 0
    details: dict[str, Any] = field(default_factory=dict)
    rejects: list[list[str]] = field(default_factory=list)

    def due(self, now: datetime) -> bool:
        """Says whether it ends now."""
        return not self.details and self.stage(now) >= len(STAGES)

    def stage(self, now: datetime) -> int:
        """Returns how far it is: an index into ``STAGES``, or beyond when it has ended."""
        return max(self.polls - 1, (now - self.since) // STAGE)

    def merge(self, now: datetime) -> None:
        """Carries the merge out."""
        counts = {"appendCount": 0, "updateCount": 0, "failedCount": 0}
        upload, table = self.upload, self.table
        if upload.mode == "REPLACE":
            table.clear()
        for row in upload.rows:
            done = _merged(table, upload, row, now)
            if done:
                counts[done] += 1
            elif done is None:
                self.rejects.append(row)
        self.details = {
            "status": "ok", "listId": table.id, **counts, "rejectedCount": len(self.rejects),
        }  # fmt: skip
        if self.rejects:
            self.details["rejectedRecordsUrl"] = f"bad_records_{self.id}.csv"
        upload.rows = []


def _merged(table: Table, upload: Upload, row: list[str], now: datetime) -> str | None:
    """Merges one row; returns what was counted, ``""`` for a row left alone, None for a bad one."""
    if len(row) <= max(place for place, _ in upload.columns):
        return None
    cells = upload.cells(row)
    key = cells[upload.key].strip()
    if not key or (upload.key == table.email and "@" not in key):
        return None
    known = [] if upload.mode in {"APPEND", "REPLACE"} else _matching(table, upload.key, key)
    written = {heading: cell for heading, cell in cells.items() if cell or upload.empties}
    if known and upload.mode in {"UPSERT", "UPDATE_ONLY"}:
        # Only the first record is updated; duplicates are not touched.
        table.change(known[0], written, now)
        return "updateCount"
    if known or upload.mode == "UPDATE_ONLY":
        return ""
    table.add(written, now)
    return "appendCount"


def _matching(table: Table, key: str, value: str) -> list[int]:
    if key == table.email:
        return table.find(value)
    return [index for index in table.indices() if table.cells(index).get(key, "") == value]
