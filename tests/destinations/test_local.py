"""The embedded CRM keeps the promises of a destination, and some of its own."""

import csv
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from connector.consent.keys import broad_key, narrow_key
from connector.destinations.local import LocalCrm, shown
from connector.errors import DestinationError
from connector.model import Asked, CrmState, NarrowKey, PersonId
from tests.destinations.contract import (
    BOTH,
    DestinationContract,
    asked,
    lead,
    opt_out,
    recall,
)


@dataclass
class LocalBench:
    """The file, and what an administrator could do in it."""

    destination: LocalCrm
    path: Path

    def _key(self, email: str) -> NarrowKey:
        key = narrow_key(email)
        assert key is not None
        return key

    def add(self, email: str, *flags: str, external_id: str = "") -> None:
        """Adds a record by hand."""
        self.destination.upsert([lead("maker")])  # makes the file
        self.destination.erase(["id-maker"])
        key = self._key(email)
        values = {
            "email": email,
            "email_key": key,
            "mailbox": broad_key(key),
            "external_id": external_id or None,
            **dict.fromkeys(flags, 1),
        }
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        self._run(f"INSERT INTO lead ({names}) VALUES ({marks})", *values.values())  # noqa: S608  # own names

    def flag(self, email: str, flag: str) -> None:
        """Sets a flag by hand."""
        self._run(f"UPDATE lead SET {flag} = 1 WHERE email_key = ?", self._key(email))  # noqa: S608  # a constant

    def records(self, email: str) -> list[dict[str, str]]:
        """Returns flat records."""
        key = self._key(email)
        return [one for one in self.destination.leads() if narrow_key(one["email"]) == key]

    def notes(self, email: str) -> list[str]:
        """Returns the texts of notes."""
        found = self._run(
            "SELECT text FROM note JOIN lead ON lead.id = note.lead WHERE email_key = ?",
            self._key(email),
        )
        return [text for (text,) in found]

    def _run(self, sql: str, *values: object) -> list[tuple[str]]:
        with closing(sqlite3.connect(self.path)) as db, db:
            return db.execute(sql, values).fetchall()


@pytest.fixture
def crm(tmp_path: Path) -> LocalBench:
    """Names a CRM whose file is not there yet."""
    path = tmp_path / "crm" / "crm.db"
    return LocalBench(LocalCrm("crm", path), path)


class TestLocalCrm(DestinationContract):
    """The embedded CRM is what the behaviour of every other one is compared with."""


def test_the_file_is_made_by_the_first_lead(crm: LocalBench) -> None:
    """Checking, reading, recalling, erasing and exporting make no file; it is private then."""
    crm.destination.check()
    crm.destination.read([asked("a")])
    crm.destination.recall([recall("a")])
    crm.destination.opt_out([opt_out("a", "DoNotCall")])
    crm.destination.erase(["id-a"])
    assert list(crm.destination.leads()) == []
    assert not crm.path.parent.exists()
    before = os.umask(0)
    try:
        crm.destination.upsert([lead("a")])
    finally:
        os.umask(before)
    assert crm.path.stat().st_mode & 0o777 == 0o600
    assert crm.path.parent.stat().st_mode & 0o777 == 0o700


def test_reading_leaves_the_file_as_it_was(crm: LocalBench) -> None:
    """A plan reads the CRM and changes no byte of it."""
    crm.destination.upsert([lead("a")])
    before = crm.path.read_bytes(), crm.path.stat().st_mtime_ns
    crm.destination.read([asked("a"), asked("b")])
    crm.destination.check()
    assert (crm.path.read_bytes(), crm.path.stat().st_mtime_ns) == before


def test_a_first_write_that_was_killed_is_no_fault(crm: LocalBench) -> None:
    """An empty file is what a killed first write leaves: it holds nobody and is filled next."""
    crm.path.parent.mkdir()
    crm.path.touch()
    assert crm.destination.read([asked("a")]) == [CrmState(PersonId("a"))]
    assert crm.path.stat().st_size == 0
    assert crm.destination.upsert([lead("a")])[0].ok


@pytest.mark.parametrize("verb", ["check", "read", "upsert", "recall", "opt_out", "erase"])
def test_a_broken_file_refuses_the_batch(crm: LocalBench, verb: str) -> None:
    """What is no CRM of ours is an error that names the file and no person."""
    crm.path.parent.mkdir()
    crm.path.write_bytes(b"no database" * 999)
    calls = {
        "check": crm.destination.check,
        "read": lambda: crm.destination.read([asked("a")]),
        "upsert": lambda: crm.destination.upsert([lead("a")]),
        "recall": lambda: crm.destination.recall([recall("a")]),
        "opt_out": lambda: crm.destination.opt_out([opt_out("a", "DoNotCall")]),
        "erase": lambda: crm.destination.erase(["id-a"]),
    }
    with pytest.raises(DestinationError) as caught:
        calls[verb]()
    assert "crm.db" in caught.value.message
    assert "@" not in caught.value.message


def test_a_batch_is_written_as_a_whole_or_not_at_all(crm: LocalBench) -> None:
    """A batch that the database refuses leaves no part of itself."""
    crm.destination.upsert([lead("a")])
    with closing(sqlite3.connect(crm.path)) as db, db:
        db.execute(
            "CREATE TRIGGER full BEFORE INSERT ON lead WHEN new.email LIKE 'c@%'"
            " BEGIN SELECT raise(ABORT, 'full'); END"
        )
    with pytest.raises(DestinationError):
        crm.destination.upsert([lead("b"), lead("c")])
    assert not crm.destination.read([asked("b")])[0].exists


def test_erased_data_is_not_left_in_the_file(crm: LocalBench) -> None:
    """What was deleted is overwritten, not only unlinked (GDPR Art. 17)."""
    crm.destination.upsert([lead("a", first_name="Zebulon"), lead("b")])
    crm.destination.recall([recall("a")])
    assert b"Zebulon" in crm.path.read_bytes()
    crm.destination.erase(["id-a"])
    assert b"Zebulon" not in crm.path.read_bytes()


def exported(crm: LocalBench, path: Path) -> list[dict[str, str]]:
    """Returns the rows of an export."""
    count = crm.destination.export_csv(path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == count
    return rows


def test_an_export_holds_every_lead(crm: LocalBench, tmp_path: Path) -> None:
    """Fields, proof, permission and flags of each lead, in a private file."""
    crm.destination.upsert([lead("a", first_name="Ada"), lead("b", company='B, "quoted"\nCo')])
    crm.destination.opt_out([opt_out("b", "DoNotCall")])
    first, second = exported(crm, tmp_path / "leads.csv")
    assert (first["email"], first["first_name"], first["company"]) == ("a@example.org", "Ada", "")
    assert (first["gate_email"], first["gate_reason"]) == ("1", BOTH.reason)
    assert first["notice"] == "PN-1"
    assert second["company"] == 'B, "quoted"\nCo'
    assert (first["DoNotCall"], second["DoNotCall"]) == ("0", "1")
    assert (tmp_path / "leads.csv").stat().st_mode & 0o777 == 0o600


def test_an_export_without_leads_is_an_empty_file(crm: LocalBench, tmp_path: Path) -> None:
    """Nothing to export is no fault."""
    assert exported(crm, tmp_path / "leads.csv") == []


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+1+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", '=HYPERLINK("http://x")', "+",
     "+1-555", "=cmd|' /C calc'!A0"],
)  # fmt: skip
def test_no_cell_is_run_as_a_formula(crm: LocalBench, tmp_path: Path, cell: str) -> None:
    """What starts like a formula gets an apostrophe in front."""
    crm.destination.upsert([lead("a", company=cell)])
    (row,) = exported(crm, tmp_path / "leads.csv")
    assert row["company"] == "'" + cell


@pytest.mark.parametrize("cell", ["+49 170 1234567", "+4912", "0170 / 12", "Ada", "", "a=b", "1-2"])
def test_telephone_numbers_and_plain_texts_stay_readable(cell: str) -> None:
    """A plus sign and digits are a number that people dial, not a formula."""
    assert shown(cell) == cell


def test_thousands_of_leads_are_found_by_either_key(crm: LocalBench) -> None:
    """A large batch is written once and read back in order."""
    names = [f"n{number}" for number in range(2_000)]
    assert all(receipt.ok for receipt in crm.destination.upsert([lead(name) for name in names]))
    found = crm.destination.read(
        [Asked(PersonId(name), f"{name}@example.org", f"id-{name}") for name in names]
    )
    assert [one.external_id for one in found] == [f"id-{name}" for name in names]
