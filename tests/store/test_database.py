"""Opening the state: readers leave it alone, and what cannot be read is never taken for empty."""

import os
import resource
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect

from connector.errors import StateError, UsageError
from connector.model import Kind
from connector.store.database import file_engine
from connector.store.faults import stating
from connector.store.migrations import MIGRATIONS, migrate, version
from connector.store.schema import METADATA
from connector.store.state import Store
from tests.store.samples import action, known, logged, mail, person, pid, planned

ROOT = Path(__file__).parents[2]


def fill(url: str, people: int = 3) -> None:
    """Makes a state with a few people in it."""
    with Store.open(url, read_only=False) as store:
        store.commit(change for number in range(people) for change in known(number))


def place(url: str) -> Path:
    """Returns the file of an SQLite URL."""
    return Path(url.removeprefix("sqlite:///"))


def beside(path: Path) -> list[str]:
    """Returns the names in a file's folder."""
    return sorted(one.name for one in path.parent.iterdir())


def seen(path: Path) -> tuple[list[str], bytes, int]:
    """Returns all that a reader could change: the folder's files, the bytes, the time stamp."""
    return beside(path), path.read_bytes(), path.stat().st_mtime_ns


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """Lets no file of this process grow beyond ``size`` bytes, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_new_state_is_private(url: str) -> None:
    """The file is 0600 in a folder 0700, whatever the umask says, and nothing lies beside it."""
    before = os.umask(0)
    try:
        fill(url)
    finally:
        os.umask(before)
    path = place(url)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert beside(path) == [path.name]


def test_reading_changes_not_one_byte(url: str) -> None:
    """A plan leaves file, time stamp and folder as they were."""
    fill(url)
    before = seen(place(url))
    with Store.open(url, read_only=True) as store:
        assert not store.absent
        assert len(list(store.tracked())) == 3
        list(store.pushed()), list(store.due_writes()), store.log_head(), store.runs()
        assert seen(place(url)) == before
    assert seen(place(url)) == before


def test_a_reader_cannot_write(url: str) -> None:
    """A verb that saves is refused on a state that was opened for reading."""
    fill(url)
    before = seen(place(url))
    with Store.open(url, read_only=True) as store, pytest.raises(StateError, match="reading only"):
        store.commit([person(9)])
    assert seen(place(url)) == before


def test_a_first_plan_finds_an_empty_state_and_makes_none(url: str) -> None:
    """Where there is no state yet a reader sees an empty one, and neither file nor folder."""
    with Store.open(url, read_only=True) as store:
        assert store.absent
        assert list(store.tracked()) == []
        assert store.setting("account_id") == ""
        with pytest.raises(StateError):
            store.set("account_id", "1")
    assert not place(url).parent.exists()


def test_a_killed_start_leaves_no_half_state(url: str) -> None:
    """What lies around of a start that was killed neither counts as state nor stops the next."""
    path = place(url)
    path.parent.mkdir()
    path.with_name(f".{path.name}.{os.getpid()}").write_bytes(b"half")
    with Store.open(url, read_only=True) as store:
        assert store.absent
    fill(url)
    assert beside(path) == [path.name]


KILLED = """
    import os, sys
    from connector.store.state import Store
    from tests.store.samples import known
    def changes():
        for number in range(20_000):
            yield from known(number + 10)
        os.kill(os.getpid(), 9)
    with Store.open(sys.argv[1], read_only=False) as store:
        store.commit(changes())
"""


@pytest.fixture
def killed(url: str) -> Path:
    """Returns a state whose last commit was killed after part of it had reached the file."""
    fill(url)
    code = [sys.executable, "-c", textwrap.dedent(KILLED), url]
    assert subprocess.run(code, cwd=ROOT, check=False).returncode == -9
    path = place(url)
    assert path.with_name(path.name + "-journal").stat().st_size > 0
    return path


def test_a_reader_after_a_kill_sees_the_last_whole_commit(url: str, killed: Path) -> None:
    """Rolling back needs writing, so it is done on a copy; the file stays for the next run."""
    journal = killed.with_name(killed.name + "-journal")
    before = seen(killed), journal.read_bytes()
    with Store.open(url, read_only=True) as store:
        assert [one.id for one in store.tracked()] == [pid(0), pid(1), pid(2)]
        with pytest.raises(StateError):
            store.commit([person(9)])
    assert (seen(killed), journal.read_bytes()) == before


def test_a_writer_after_a_kill_goes_on_from_the_last_whole_commit(url: str, killed: Path) -> None:
    """The killed commit is rolled back and the next one is saved."""
    with Store.open(url, read_only=False) as store:
        store.commit(known(3))
        assert len(list(store.tracked())) == 4
    assert beside(killed) == [killed.name]


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _not_a_database(path: Path) -> None:
    path.write_bytes(b"no database at all" * 500)


def _torn(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + os.urandom(len(whole) - 100))


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:6_000])


def _foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE person (name TEXT)")


def _no_tables(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA user_version = 1")


def _newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other, other:
        number = len(MIGRATIONS) + 1
        other.execute("INSERT INTO connector_migration VALUES (?, 'to come')", (number,))


def _gap(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("DELETE FROM connector_migration WHERE number = 1")


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.with_name("itself"))
    path.with_name("itself").symlink_to(path)


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize(
    "harm",
    [
        *(_empty, _not_a_database, _torn, _truncated, _foreign),
        *(_no_tables, _newer, _gap, _folder, _dangling),
    ],
)
def test_what_cannot_be_read_is_never_an_empty_state(
    url: str, harm: object, *, read_only: bool
) -> None:
    """An unreadable, foreign or newer state stops the run: empty would push everybody anew."""
    fill(url, people=200)
    assert callable(harm)
    harm(place(url))
    with pytest.raises(StateError) as caught, Store.open(url, read_only=read_only) as store:
        list(store.tracked())
    assert caught.value.exit_code == 9
    assert caught.value.hint


def test_a_row_that_cannot_be_understood_is_an_error(url: str) -> None:
    """A word or a JSON text of another version stops the reader instead of being skipped."""
    fill(url)
    with closing(sqlite3.connect(place(url))) as other, other:
        other.execute("UPDATE person SET band = 'SOMEWHERE'")
    with (
        Store.open(url, read_only=True) as store,
        pytest.raises(StateError, match="does not understand"),
    ):
        list(store.tracked())


def test_a_full_disk_loses_nothing_that_was_saved(url: str) -> None:
    """A commit that does not fit is an error with a hint, and the state is as before."""
    fill(url)
    size = place(url).stat().st_size
    many = [change for number in range(2_000) for change in known(number + 10)]
    with Store.open(url, read_only=False) as store:
        with room_for(size + 8_192), pytest.raises(StateError) as caught:
            store.commit([*many, *(logged(number) for number in range(2_000))])
        assert "disk" in caught.value.hint
    with Store.open(url, read_only=False) as store:
        assert len(list(store.tracked())) == 3
        assert store.log_head().count == 0
        store.commit(known(3))


def test_a_disk_that_is_full_from_the_start_leaves_no_state(url: str) -> None:
    """A state that cannot be made is an error, and the next start begins afresh."""
    with room_for(4_096), pytest.raises(StateError):
        fill(url)
    with Store.open(url, read_only=True) as store:
        assert store.absent
    fill(url)


def test_a_state_that_another_program_holds_is_an_error_after_a_wait(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waiting for a lock has an end, and the error says what to do."""
    fill(url)
    monkeypatch.setattr("connector.store.database.PATIENCE_S", 0.1)
    with closing(sqlite3.connect(place(url), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StateError, match="SQLITE_BUSY") as caught:
            fill(url)
    assert "another program" in caught.value.hint


def test_an_error_of_the_database_quotes_no_row(url: str) -> None:
    """Messages hold no address, even when the statement that failed did."""
    fill(url)
    with closing(sqlite3.connect(place(url))) as other, other:
        other.execute("DROP TABLE lead")
    with Store.open(url, read_only=False) as store, pytest.raises(StateError) as caught:
        store.commit([*known(1), *planned(action(Kind.PUSH, 1))])
    error: BaseException | None = caught.value
    while error is not None:
        shown = f"{error} {error.__cause__}"
        assert mail(1) not in shown
        assert "e1" not in shown.split()
        error = error.__cause__


@pytest.mark.parametrize("url", ["nonsense", "mysql://user@host/name", "sqlite+aiosqlite:///x.db"])
def test_an_url_of_no_supported_database_is_wrong_usage(url: str) -> None:
    """A slip in the configuration is told as such."""
    with pytest.raises(UsageError):
        Store.open(url, read_only=True)


def test_a_home_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tilde in the URL means the home folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    fill("sqlite:///~/here/state.db")
    assert (tmp_path / "here" / "state.db").exists()


def older(path: Path) -> None:
    """Makes a state as the first version left it, with a person in it."""
    path.touch()
    engine = file_engine(path, "rw")
    migrate(engine, MIGRATIONS[:1])
    engine.dispose()
    with closing(sqlite3.connect(path)) as other, other:
        other.execute(
            "INSERT INTO person VALUES (?, ?, 'a@b.org', 'UNKNOWN', NULL, NULL, NULL, NULL, '',"
            " NULL, '', NULL, '', 0, NULL, 0, '{}', '{}', NULL, '', '')",
            (pid(1), pid(2)),
        )


def test_an_older_state_is_migrated_with_its_rows(tmp_path: Path) -> None:
    """A writer takes the first version to this one and keeps what is in it."""
    path = tmp_path / "state.db"
    older(path)
    with Store.open(f"sqlite:///{path}", read_only=False) as store:
        assert [one.id for one in store.tracked()] == [pid(1)]
    engine = create_engine(f"sqlite:///{path}")
    names = {index["name"] for index in inspect(engine).get_indexes("person")}
    engine.dispose()
    assert "person_kin" in names


def test_a_reader_migrates_a_copy_only(tmp_path: Path) -> None:
    """A plan after an upgrade works, and the file is still the older one."""
    path = tmp_path / "state.db"
    older(path)
    before = seen(path)
    with Store.open(f"sqlite:///{path}", read_only=True) as store:
        assert [one.id for one in store.tracked()] == [pid(1)]
    assert seen(path) == before


def test_a_migration_and_its_record_are_one(tmp_path: Path) -> None:
    """A step that fails in its middle leaves neither its tables nor its record."""
    path = tmp_path / "state.db"
    older(path)
    broken = MIGRATIONS[1]._replace(
        statements=("CREATE TABLE half (x TEXT)", "CREATE TABLE person (again TEXT)")
    )
    engine = file_engine(path, "rw")
    with pytest.raises(StateError), stating("migrating"):
        migrate(engine, (MIGRATIONS[0], broken))
    found = inspect(engine)
    assert "half" not in found.get_table_names()
    with engine.connect() as connection:
        assert version(connection) == 1
    engine.dispose()


@pytest.mark.parametrize("named", ["url", pytest.param("postgres_url", marks=pytest.mark.slow)])
def test_the_tables_are_those_that_the_code_names(
    named: str, request: pytest.FixtureRequest
) -> None:
    """Migrations and schema agree on every table, column, key and what may be null."""
    url = request.getfixturevalue(named)
    fill(url)
    engine = create_engine(url)
    try:
        found = inspect(engine)
        assert set(found.get_table_names()) == set(METADATA.tables)
        for name, table in METADATA.tables.items():
            columns = {c["name"]: c["nullable"] for c in found.get_columns(name)}
            assert columns == {c.name: c.nullable for c in table.columns}, name
            keys = found.get_pk_constraint(name)["constrained_columns"]
            assert keys == [c.name for c in table.primary_key], name
    finally:
        engine.dispose()


@pytest.mark.slow
def test_a_server_is_read_without_being_changed(postgres_url: str) -> None:
    """On PostgreSQL a first plan makes no table, and a reader cannot write."""
    with Store.open(postgres_url, read_only=True) as store:
        assert store.absent
    engine = create_engine(postgres_url)
    assert inspect(engine).get_table_names() == []
    engine.dispose()
    fill(postgres_url)
    with Store.open(postgres_url, read_only=True) as store:
        assert len(list(store.tracked())) == 3
        with pytest.raises(StateError):
            store.set("account_id", "1")


@pytest.mark.slow
def test_a_database_of_another_program_is_left_alone(postgres_url: str) -> None:
    """Tables that have our names but not our record stop the run."""
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE person (name TEXT)")
    engine.dispose()
    with pytest.raises(StateError, match="another program"):
        Store.open(postgres_url, read_only=False)


def test_a_server_that_does_not_answer_is_unreadable_state() -> None:
    """No server is no empty state, and no password is shown."""
    with pytest.raises(StateError) as caught:
        Store.open("postgresql://someone:secret@127.0.0.1:1/none", read_only=True)
    assert "secret" not in str(caught.value)
    assert caught.value.hint
