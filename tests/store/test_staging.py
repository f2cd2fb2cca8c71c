"""Staging: rows and suppressions in, people out, a plan that can be thrown away or kept."""

import json
import os
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from connector.errors import StateError
from connector.model import Feed, Interval, Kind, KinId, PersonId, Row, Suppression
from connector.store.rows import Planned
from connector.store.staging import StagedRow, Staging
from tests.store.samples import LATER, NOW, action, kid, known, mail, person, pid

KIN = KinId("k")


def staged(
    number: int, source: str = "l-1", kin: KinId | None = None, **cells: object
) -> StagedRow:
    """Returns a row of a person."""
    row = Row(source, f"{source}-{number}", {"email": mail(number), **cells})  # type: ignore[dict-item]  # any cell
    return StagedRow(pid(number), kin or kid(number), mail(number), row)


def test_people_come_with_their_rows_from_every_source() -> None:
    """Rows of one person are one person, however the sources are mixed."""
    with Staging.fresh() as staging:
        assert staging.add_rows([staged(2), staged(1)]) == 2
        assert staging.add_rows([staged(1, "l-2"), staged(3, "l-2")]) == 2
        assert staging.count_people() == 3
        ((first, second, third),) = staging.people()
    assert (first.id, first.kin, first.email) == (pid(1), kid(1), mail(1))
    assert [row.source for row in first.own] == ["l-1", "l-2"]
    assert first.rows == first.own
    assert len(second.own) == len(third.own) == 1


def test_kin_rows_come_with_a_person_and_are_not_own() -> None:
    """Rows of another spelling of the mailbox are seen, so that an opt-out in them is, too."""
    with Staging.fresh() as staging:
        staging.add_rows([staged(1, kin=KIN), staged(2, kin=KIN), staged(3)])
        ((first, second, third),) = staging.people()
    assert [row.contact_id for row in first.own] == ["l-1-1"]
    assert [row.contact_id for row in first.rows] == ["l-1-1", "l-1-2"]
    assert [row.contact_id for row in second.rows] == ["l-1-2", "l-1-1"]
    assert len(third.rows) == 1


def test_suppressions_come_by_mailbox() -> None:
    """An entry reaches every person of its mailbox, with feed, category and time."""
    day = Interval(NOW, NOW + timedelta(days=1))
    entries = [
        Suppression(Feed.CATEGORY, "P1@example.org", day, "Newsletter"),
        Suppression(Feed.OPTOUT, "p1+x@example.org"),
    ]
    with Staging.fresh() as staging:
        assert staging.add_suppressions((KIN, entry) for entry in entries) == 2
        staging.add_rows([staged(1, kin=KIN), staged(2, kin=KIN), staged(3)])
        ((first, second, third),) = staging.people()
        assert set(first.listed) == set(second.listed) == set(entries)
        assert third.listed == ()
        assert staging.is_listed(KIN)
        assert not staging.is_listed(kid(3))
        assert set(staging.listed(KIN)) == set(entries)


def test_rows_without_an_address_share_nothing() -> None:
    """Contacts whose address cannot be read are people of their own, without kin or entries."""
    nobody = [
        StagedRow(PersonId(name), KinId(name), "", Row("l-1", name, {"email": ""}))
        for name in ("x", "y")
    ]
    with Staging.fresh() as staging:
        staging.add_rows(nobody)
        ((first, second),) = staging.people()
    assert (first.rows, second.rows) == ((nobody[0].row,), (nobody[1].row,))
    assert first.listed == ()


def test_every_kind_of_cell_survives() -> None:
    """Texts, numbers, booleans, nothing and intervals come back as they were."""
    cells = {
        "text": "ä\n\x00\ud800", "whole": 3, "part": 2.5, "yes": True, "none": None,
        "when": Interval(NOW, LATER), "empty": "",
    }  # fmt: skip
    with Staging.fresh() as staging:
        staging.add_rows([staged(1, **cells)])
        ((first,),) = staging.people()
    assert first.own[0].cells == {"email": mail(1), **cells}
    assert isinstance(first.own[0].cells["when"], Interval)


def test_text_that_no_database_takes_does_not_stop_a_run() -> None:
    """Half a surrogate pair in an id or a category becomes a question mark."""
    with Staging.fresh() as staging:
        staging.add_rows([StagedRow(pid(1), kid(1), mail(1), Row("l-1", "\ud800", {}))])
        staging.add_suppressions([(kid(1), Suppression(Feed.CATEGORY, "a@b.org", None, "\udfff"))])
        ((first,),) = staging.people()
    assert first.own[0].contact_id == "?"
    assert first.listed[0].category == "?"


def test_many_people_come_in_batches_while_the_plan_is_written() -> None:
    """Spooling during the reading disturbs neither, and no person is skipped or doubled."""
    with Staging.fresh() as staging:
        staging.add_rows(staged(number) for number in range(1_234))
        found: list[PersonId] = []
        for batch in staging.people():
            assert len(batch) <= 500
            found += [one.id for one in batch]
            staging.spool(Planned(action(Kind.TAG, int(one.id, 16)), "r1", NOW) for one in batch)
        assert found == [pid(number) for number in range(1_234)]
        assert staging.counts()["tag"] == 1_234
        assert staging.has(pid(5))
        assert not staging.has(pid(5_000))


def test_an_account_without_contacts_has_no_people() -> None:
    """Nothing staged is no batch, not an empty one."""
    with Staging.fresh() as staging:
        assert list(staging.people()) == []
        assert staging.count_people() == 0


def plan_into(staging: Staging) -> list[object]:
    """Spools a plan with some of everything; returns its changes."""
    changes = [
        *known(1),
        Planned(action(Kind.TAG, 1), "r1", NOW),
        Planned(action(Kind.PUSH, 2), "r1", NOW),
        Planned(action(Kind.RECALL, 3), "r1", NOW),
        person(2, evidence={"rows": [1]}),
    ]
    staging.spool(changes)
    return list(changes)


def test_the_plan_is_shown_in_the_order_of_delivery(tmp_path: Path) -> None:
    """One line per action, by pseudonym only, in a private file."""
    path = tmp_path / "plans" / "plan.jsonl"
    with Staging.fresh() as staging:
        plan_into(staging)
        staging.write_plan(path)
        assert staging.counts() == {
            "recall": 1, "optout": 0, "release": 0, "push": 1, "tag": 1, "untag": 0,
        }  # fmt: skip
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines == [
        {"seq": 1, "kind": "recall", "person": pid(3), "destination": "crm", "code": "CODE"},
        {"seq": 2, "kind": "push", "person": pid(2), "destination": "crm", "code": "CODE"},
        {"seq": 3, "kind": "tag", "person": pid(1), "destination": "acton", "code": "CODE"},
    ]
    assert "example.org" not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600


def test_changes_come_back_as_they_were_spooled() -> None:
    """What is committed is what was decided, in its order."""
    with Staging.fresh() as staging:
        changes = plan_into(staging)
        assert list(staging.changes()) == changes


def test_the_staging_file_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan is thrown away with its file, also when the run breaks; meanwhile it is private."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def broken() -> None:
        with Staging.fresh() as staging:
            (folder,) = tmp_path.iterdir()
            assert folder.stat().st_mode & 0o777 == 0o700
            staging.add_rows([staged(1)])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    assert list(tmp_path.iterdir()) == []


def kept(path: Path) -> str:
    """Keeps a plan beside the rows of people who are not in it; returns its digest."""
    with Staging.fresh() as staging:
        staging.add_rows(staged(number) for number in range(100, 400))
        staging.add_suppressions([(kid(1), Suppression(Feed.OPTOUT, "listed@example.org"))])
        plan_into(staging)
        staging.note("digest", staging.digest())
        staging.keep(path)
        return staging.digest()


def test_a_kept_plan_is_read_as_it_was(tmp_path: Path) -> None:
    """Changes, counts, digest and notes of a kept plan are those of the run that was stopped."""
    path = tmp_path / "plans" / "plan.db"
    digest = kept(path)
    with Staging.kept(path) as staging, Staging.fresh() as again:
        assert list(staging.changes()) == plan_into(again)
        assert staging.digest() == staging.noted("digest") == digest == again.digest()
        assert staging.counts()["push"] == 1
        assert staging.noted("nothing") == ""
    assert path.exists(), "closing does not throw a kept plan away"


def test_a_kept_plan_holds_nobody_else(tmp_path: Path) -> None:
    """The rows of people whom the plan does not touch are not kept, not even as free pages."""
    path = tmp_path / "plans" / "plan.db"
    kept(path)
    content = path.read_bytes()
    assert mail(1).encode() in content
    assert mail(100).encode() not in content
    assert b"listed@example.org" not in content
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert os.listdir(path.parent) == [path.name]  # noqa: PTH208  # the names are what matters


def test_a_plan_that_was_changed_has_another_digest(tmp_path: Path) -> None:
    """Whatever is altered in a kept plan, its digest no longer fits."""
    for number, harm in enumerate(
        (
            "DELETE FROM change WHERE seq = 2",
            "UPDATE change SET value = replace(value, 'Ada', 'Eve')",
            "UPDATE change SET value = replace(value, 'CODE', 'OTHER') WHERE name = 'Planned'",
            "UPDATE change SET seq = 99 WHERE seq = 1",
        )
    ):
        path = tmp_path / f"plan{number}.db"
        digest = kept(path)
        with closing(sqlite3.connect(path)) as other, other:
            assert other.execute(harm).rowcount >= 1
        with Staging.kept(path) as staging:
            assert staging.digest() != digest, harm


@pytest.mark.parametrize("content", [None, b"", b"no database" * 999])
def test_a_kept_plan_that_cannot_be_read_is_an_error(tmp_path: Path, content: bytes | None) -> None:
    """A missing, empty or broken plan is never an empty one, and none is made."""
    path = tmp_path / "plan.db"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StateError):
        Staging.kept(path)
    assert path.exists() == (content is not None)


def test_keeping_again_replaces_the_plan(tmp_path: Path) -> None:
    """A half-written file of a killed run is in nobody's way."""
    path = tmp_path / "plan.db"
    path.with_name("plan.db.part").write_bytes(b"half")
    path.write_bytes(b"old")
    digest = kept(path)
    with Staging.kept(path) as staging:
        assert staging.digest() == digest
