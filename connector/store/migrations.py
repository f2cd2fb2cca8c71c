"""How the tables of the state came to be: numbered steps, never changed once released.

Each step runs together with its record in one transaction, so that a step is done and recorded
or neither. The statements are plain SQL that SQLite and PostgreSQL both take.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, Engine, insert, inspect, select

from connector.errors import StateError
from connector.store.schema import METADATA, MIGRATION


class Migration(NamedTuple):
    """One step; its number is its place in the list, from 1."""

    name: str
    statements: tuple[str, ...]


MIGRATIONS: Final[tuple[Migration, ...]] = (
    Migration(
        "people, decisions, outbox, decision log",
        (
            """CREATE TABLE person (
                id TEXT NOT NULL PRIMARY KEY, kin TEXT NOT NULL, email TEXT NOT NULL,
                band TEXT NOT NULL, band_since BIGINT, qualified_on BIGINT, permitted_on BIGINT,
                outcome TEXT, code TEXT NOT NULL, look_again_at BIGINT, fingerprint TEXT NOT NULL,
                evidence TEXT, reperm_state TEXT NOT NULL, invites INTEGER NOT NULL,
                last_invite BIGINT, seen_statement BOOLEAN NOT NULL, seen_yes TEXT NOT NULL,
                tag TEXT NOT NULL, tagged_at BIGINT, first_seen_run TEXT NOT NULL,
                last_seen_run TEXT NOT NULL)""",
            """CREATE TABLE lead (
                person TEXT NOT NULL, destination TEXT NOT NULL, external_id TEXT NOT NULL,
                record_id TEXT NOT NULL, episode INTEGER NOT NULL, status TEXT NOT NULL,
                channels TEXT NOT NULL, content_hash TEXT NOT NULL, changed_at BIGINT,
                set_flags TEXT NOT NULL, PRIMARY KEY (person, destination))""",
            """CREATE TABLE decision (
                id BIGINT NOT NULL PRIMARY KEY, person TEXT NOT NULL, run TEXT NOT NULL,
                at BIGINT NOT NULL, outcome TEXT NOT NULL, code TEXT NOT NULL,
                route TEXT NOT NULL, also TEXT NOT NULL, channels TEXT NOT NULL,
                look_again_at BIGINT, policy_version TEXT NOT NULL, policy_hash TEXT NOT NULL,
                evidence TEXT, proof TEXT)""",
            """CREATE TABLE outbox (
                key TEXT NOT NULL PRIMARY KEY, seq BIGINT NOT NULL, rank INTEGER NOT NULL,
                kind TEXT NOT NULL, person TEXT NOT NULL, destination TEXT NOT NULL,
                code TEXT NOT NULL, episode INTEGER NOT NULL, content_hash TEXT NOT NULL,
                payload TEXT, state TEXT NOT NULL, attempts INTEGER NOT NULL, run TEXT NOT NULL,
                act_at BIGINT, planned_at BIGINT NOT NULL, sent_at BIGINT, settled_at BIGINT,
                fault TEXT NOT NULL)""",
            """CREATE TABLE tombstone (
                kin TEXT NOT NULL, kind TEXT NOT NULL, at BIGINT NOT NULL,
                PRIMARY KEY (kin, kind))""",
            """CREATE TABLE audit_entry (
                seq BIGINT NOT NULL PRIMARY KEY, ts TEXT NOT NULL, type TEXT NOT NULL,
                "commit" TEXT NOT NULL, prev TEXT NOT NULL)""",
            """CREATE TABLE audit_record (
                seq BIGINT NOT NULL PRIMARY KEY, person TEXT, salt TEXT NOT NULL,
                record TEXT NOT NULL)""",
            """CREATE TABLE feed (
                name TEXT NOT NULL PRIMARY KEY, count BIGINT NOT NULL,
                complete_at BIGINT NOT NULL)""",
            "CREATE TABLE cursor (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)",
            """CREATE TABLE run (
                id TEXT NOT NULL PRIMARY KEY, started_at BIGINT NOT NULL, finished_at BIGINT,
                applied BOOLEAN NOT NULL, exit INTEGER, counts TEXT NOT NULL)""",
            "CREATE TABLE setting (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)",
        ),
    ),
    Migration(
        "indexes for what every run asks",
        (
            "CREATE INDEX person_kin ON person (kin)",
            "CREATE INDEX person_look_again_at ON person (look_again_at)",
            "CREATE INDEX lead_status ON lead (status, person)",
            "CREATE INDEX decision_person ON decision (person, id)",
            "CREATE INDEX outbox_state ON outbox (state, rank, destination, seq)",
            "CREATE INDEX outbox_person ON outbox (person, destination)",
            "CREATE INDEX audit_record_person ON audit_record (person)",
        ),
    ),
)


def version(connection: Connection) -> int | None:
    """Returns how many migrations a database has seen, None if it is empty.

    Raises StateError for a database that is not ours and for one from a newer program.
    """
    found = set(inspect(connection).get_table_names())
    if MIGRATION.name not in found:
        if found & set(METADATA.tables) or (connection.dialect.name == "sqlite" and found):
            raise StateError(
                "the state database belongs to another program",
                hint="name a file or database of its own in [state] url",
            )
        return None
    numbers = list(connection.scalars(select(MIGRATION.c.number).order_by(MIGRATION.c.number)))
    if numbers != list(range(1, len(numbers) + 1)) or not numbers:
        raise StateError(
            "the record of migrations in the state has gaps",
            hint="restore the last backup of the state",
        )
    if len(numbers) > len(MIGRATIONS):
        raise StateError(
            f"the state is at version {len(numbers)}, this program knows {len(MIGRATIONS)}",
            hint="install the version that wrote the state, or a newer one",
        )
    return len(numbers)


def migrate(engine: Engine, steps: Sequence[Migration] = MIGRATIONS) -> None:
    """Takes a database through every step that it has not seen."""
    writer = engine.execution_options(writes=True)
    with engine.connect() as connection:
        seen = version(connection) or 0
    for number, step in enumerate(steps[seen:], start=seen + 1):
        with writer.begin() as connection:
            if number == 1:
                MIGRATION.create(connection)
            for statement in step.statements:
                connection.exec_driver_sql(statement)
            connection.execute(insert(MIGRATION).values(number=number, name=step.name))
