"""Opens the state database: SQLite in a private file by default, PostgreSQL by URL.

Reading only never creates, migrates or changes the file. What a reader cannot do without writing
(roll back what a killed run left, or take an older version through its migrations) is done on a
private copy.
"""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal, Self

from sqlalchemy import URL, Connection, Engine, StaticPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from connector.errors import StateError, UsageError
from connector.store.faults import stating
from connector.store.migrations import MIGRATIONS, migrate, version

PATIENCE_S: Final = 30.0
"""How long to wait for another program that holds the database."""
_KNOWN: Final = "sqlite:///state.db or postgresql://user@host/name"
_NEEDS_WRITING: Final = frozenset(
    {sqlite3.SQLITE_READONLY_ROLLBACK, sqlite3.SQLITE_READONLY_RECOVERY}
)


class Database:
    """An open state database; ``absent`` says that there is none yet and this one is empty."""

    def __init__(
        self,
        engine: Engine,
        *,
        read_only: bool,
        absent: bool = False,
        copy: ExitStack | None = None,
    ) -> None:
        self._engine = engine
        self._writer = engine.execution_options(writes=True)
        self._copy = copy
        self.read_only = read_only
        self.absent = absent

    @classmethod
    def open(cls, url: str, *, read_only: bool) -> Self:
        """Opens the database of an SQLAlchemy URL; a relative path is relative to the folder.

        Raises UsageError for a URL that is none, StateError for a database that cannot be used.
        """
        try:
            parsed = make_url(url)
        except ArgumentError:
            raise UsageError("[state] url is no database URL", hint=_KNOWN) from None
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.drivername not in {"sqlite", "postgresql+psycopg"}:
            raise UsageError("[state] url names a database that is not supported", hint=_KNOWN)
        with stating("opening the state"):
            if parsed.drivername != "sqlite":
                return cls._server(parsed, read_only=read_only)
            if parsed.database in {None, "", ":memory:"}:
                return cls._empty(read_only=read_only, absent=False)
            return cls._file(Path(str(parsed.database)).expanduser(), read_only=read_only)

    @classmethod
    def _server(cls, url: URL, *, read_only: bool) -> Self:
        options = {"postgresql_readonly": True} if read_only else {}
        try:
            engine = create_engine(url, hide_parameters=True, execution_options=options)
        except ModuleNotFoundError as error:
            raise UsageError(f"[state] url needs {error.name}", hint="install [postgres]") from None
        with _kept_open(engine):
            seen = _version(engine)
            if seen != len(MIGRATIONS) and not read_only:
                migrate(engine)
            elif seen != len(MIGRATIONS) and seen is not None:
                raise StateError("the state is older than this program", hint="run sync --apply")
        if seen is None and read_only:
            engine.dispose()
            return cls._empty(read_only=True, absent=True)
        return cls(engine, read_only=read_only)

    @classmethod
    def _empty(cls, *, read_only: bool, absent: bool) -> Self:
        engine = _engine(lambda: _connect(":memory:"), poolclass=StaticPool)
        migrate(engine)
        return cls(engine, read_only=read_only, absent=absent)

    @classmethod
    def _file(cls, path: Path, *, read_only: bool) -> Self:
        if not _exists(path):
            if read_only:
                return cls._empty(read_only=True, absent=True)
            _create(path)
        engine = file_engine(path, "ro" if read_only else "rw")
        try:
            with _kept_open(engine):
                seen = _version(engine)
                if seen is None:
                    raise StateError("the state file is empty", hint="restore the last backup")
                if seen != len(MIGRATIONS) and not read_only:
                    migrate(engine)
        except _UnfinishedWrite:
            return cls._from_copy(path)
        if seen != len(MIGRATIONS) and read_only:
            engine.dispose()
            return cls._from_copy(path)
        return cls(engine, read_only=read_only)

    @classmethod
    def _from_copy(cls, path: Path) -> Self:
        with ExitStack() as undo:
            folder = undo.enter_context(TemporaryDirectory(prefix="connector-"))
            engine = file_engine(_copied(path, Path(folder)), "rw")
            undo.callback(engine.dispose)
            migrate(engine)
            return cls(engine, read_only=True, copy=undo.pop_all())

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Opens a transaction that sees one moment of the state."""
        with stating("reading the state"), self._engine.begin() as connection:
            try:
                yield connection
            except ValueError:
                raise StateError(
                    "the state holds a row that this version does not understand",
                    hint="restore the last backup, or install the version that wrote it",
                ) from None

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Opens a transaction that is saved as a whole when the block ends, or not at all."""
        if self.read_only:
            raise StateError("the state was opened for reading only")
        with stating("saving the state"), self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Closes every connection and removes a private copy."""
        self._engine.dispose()
        if self._copy is not None:
            self._copy.close()


class _UnfinishedWrite(Exception):
    """A reader met the journal of a killed run, which only a writer may roll back."""


def _copied(path: Path, folder: Path) -> Path:
    """Copies a state file, and the journal of a killed run with it, into a private folder."""
    journal = path.with_name(path.name + "-journal")
    if journal.exists():
        shutil.copyfile(journal, folder / journal.name)
    return Path(shutil.copyfile(path, folder / path.name))


def _version(engine: Engine) -> int | None:
    try:
        with engine.connect() as connection:
            return version(connection)
    except DBAPIError as error:
        if getattr(error.orig, "sqlite_errorcode", None) in _NEEDS_WRITING:
            raise _UnfinishedWrite from None
        raise


@contextmanager
def _kept_open(engine: Engine) -> Iterator[None]:
    """Closes the engine's connections if the block fails."""
    with ExitStack() as undo:
        undo.callback(engine.dispose)
        yield
        undo.pop_all()


def file_engine(path: Path, mode: Literal["ro", "rw"]) -> Engine:
    """Returns an engine on an existing SQLite file; it makes none."""
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    return _engine(lambda: _connect(uri))


def _engine(connect: Callable[[], sqlite3.Connection], **options: Any) -> Engine:
    engine = create_engine("sqlite://", creator=connect, hide_parameters=True, **options)
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    """Begins by itself: the driver would not open a transaction for a migration's statements."""
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _connect(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        uri, uri=True, timeout=PATIENCE_S, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA secure_delete = ON")  # what is erased leaves no trace in the file
    return connection


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except FileNotFoundError:
        return False
    return True


def _create(path: Path) -> None:
    """Makes a new state beside its place and links it there: a killed start leaves no half."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)  # of a run with the same number that was killed here
    os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    engine = file_engine(fresh, "rw")
    try:
        migrate(engine)
        engine.dispose()
        os.link(fresh, path)
    finally:
        engine.dispose()
        fresh.unlink(missing_ok=True)
