"""Hops 1 and 2: feeds and contacts are read from Act-On and staged under pseudonyms."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from connector.acton import Source
from connector.consent.keys import broad_key, narrow_key
from connector.errors import SourceError, UsageError
from connector.house import House
from connector.identity import Pseudonyms
from connector.model import KinId, Row, Suppression
from connector.report import Tally
from connector.store.staging import StagedRow, Staging

ROWS: Final = "rows:"
"""Setting under which a source's last number of rows is kept."""


def guard_account(house: House) -> None:
    found = house.acton.account()
    if found.id != house.acton.account_id:
        raise UsageError(
            f"these credentials open the account {found.id}, the configuration names"
            f" {house.acton.account_id}",
            hint="correct [account] id, or the credentials",
        )


def stage(house: House, staging: Staging) -> datetime:
    """Reads feeds and sources of an account; returns when the feeds were read."""
    guard_account(house)
    tally = Tally()
    read_at = stage_feeds(house, staging, tally)
    for source in house.sources:
        stage_source(house, source, staging, tally)
    return read_at


def stage_feeds(house: House, staging: Staging, tally: Tally) -> datetime:
    """Reads all suppression feeds completely; returns when they were complete."""
    started = house.clock.now()
    counts: Counter[str] = Counter()

    def entries() -> Iterator[tuple[KinId, Suppression]]:
        for entry in house.acton.suppressions():
            counts[entry.category or entry.feed.value] += 1
            key = narrow_key(entry.email)
            if key is not None:
                yield house.names.kin(broad_key(key)), entry

    staging.add_suppressions(entries())
    tally.feeds = dict(counts)
    tally.unreadable = house.acton.unreadable
    return started


def stage_source(house: House, source: Source, staging: Staging, tally: Tally) -> None:
    rows = staging.add_rows(_staged(house.names, row) for row in house.acton.rows(source))
    before = int(house.store.setting(ROWS + source.id) or 0)
    if rows == 0 and before > 0:
        raise SourceError(
            f"{source.id} had {before} contacts and is empty now: nothing was pushed",
            hint="if that is meant, take it out of connector.toml",
        )
    tally.sources[source.id] = rows


def _staged(names: Pseudonyms, row: Row) -> StagedRow:
    key = narrow_key(row.cells.get("email"))
    if key is None:
        nameless = names.nameless(row.source, row.contact_id)
        return StagedRow(nameless, KinId(nameless), "", row)
    return StagedRow(names.person(key), names.kin(broad_key(key)), key, row)
