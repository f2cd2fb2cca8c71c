"""The tables of the state as the code sees them; ``migrations`` makes them.

Instants are BIGINT microseconds since 1970 (UTC), lists and mappings JSON texts.
"""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Integer, MetaData, Table, Text

METADATA: Final = MetaData()


def _text(name: str, *, key: bool = False) -> Column[str]:
    return Column(name, Text, primary_key=key, nullable=False)


def _number(name: str, *, key: bool = False) -> Column[int]:
    return Column(name, Integer, primary_key=key, nullable=False, autoincrement=False)


def _big(name: str, *, key: bool = False, null: bool = True) -> Column[int]:
    return Column(name, BigInteger, primary_key=key, nullable=null and not key, autoincrement=False)


def _maybe(name: str) -> Column[str]:
    return Column(name, Text, nullable=True)


MIGRATION: Final = Table(
    "connector_migration", METADATA, _number("number", key=True), _text("name")
)
PERSON: Final = Table(
    "person",
    METADATA,
    _text("id", key=True),
    *(_text(name) for name in ("kin", "email", "band")),
    *(_big(name) for name in ("band_since", "qualified_on", "permitted_on")),
    _maybe("outcome"),
    _text("code"),
    _big("look_again_at"),
    _text("fingerprint"),
    _maybe("evidence"),
    _text("reperm_state"),
    _number("invites"),
    _big("last_invite"),
    Column("seen_statement", Boolean, nullable=False),
    *(_text(name) for name in ("seen_yes", "tag")),
    _big("tagged_at"),
    *(_text(name) for name in ("first_seen_run", "last_seen_run")),
)
LEAD: Final = Table(
    "lead",
    METADATA,
    *(_text(name, key=True) for name in ("person", "destination")),
    *(_text(name) for name in ("external_id", "record_id")),
    _number("episode"),
    *(_text(name) for name in ("status", "channels", "content_hash")),
    _big("changed_at"),
    _text("set_flags"),
)
DECISION: Final = Table(
    "decision",
    METADATA,
    _big("id", key=True),
    *(_text(name) for name in ("person", "run")),
    _big("at", null=False),
    *(_text(name) for name in ("outcome", "code", "route", "also", "channels")),
    _big("look_again_at"),
    *(_text(name) for name in ("policy_version", "policy_hash")),
    *(_maybe(name) for name in ("evidence", "proof")),
)
OUTBOX: Final = Table(
    "outbox",
    METADATA,
    _text("key", key=True),
    _big("seq", null=False),
    _number("rank"),
    *(_text(name) for name in ("kind", "person", "destination", "code")),
    _number("episode"),
    _text("content_hash"),
    _maybe("payload"),
    _text("state"),
    _number("attempts"),
    _text("run"),
    _big("act_at"),
    _big("planned_at", null=False),
    *(_big(name) for name in ("sent_at", "settled_at")),
    _text("fault"),
)
TOMBSTONE: Final = Table(
    "tombstone",
    METADATA,
    *(_text(name, key=True) for name in ("kin", "kind")),
    _big("at", null=False),
)
AUDIT_ENTRY: Final = Table(
    "audit_entry",
    METADATA,
    _big("seq", key=True),
    *(_text(name) for name in ("ts", "type", "commit", "prev")),
)
AUDIT_RECORD: Final = Table(
    "audit_record",
    METADATA,
    _big("seq", key=True),
    _maybe("person"),
    *(_text(name) for name in ("salt", "record")),
)
FEED: Final = Table(
    "feed",
    METADATA,
    _text("name", key=True),
    *(_big(name, null=False) for name in ("count", "complete_at")),
)
CURSOR: Final = Table("cursor", METADATA, _text("name", key=True), _text("value"))
RUN: Final = Table(
    "run",
    METADATA,
    _text("id", key=True),
    _big("started_at", null=False),
    _big("finished_at"),
    Column("applied", Boolean, nullable=False),
    Column("exit", Integer, nullable=True),
    _text("counts"),
)
SETTING: Final = Table("setting", METADATA, _text("key", key=True), _text("value"))
