"""The only place that chooses and opens things: configuration in, a house to run in out."""

import os
import secrets
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from connector.acton import ActOn, ActOnAuth, Column, Source
from connector.config import ColumnTable, Config, SourceTable, find_config, load_config
from connector.consent.policy import Declaration, Policy
from connector.consent.values import normal
from connector.credentials import find
from connector.destinations import Destination
from connector.destinations.local import LocalCrm
from connector.errors import StateError
from connector.house import House
from connector.identity import KEY_BYTES, Pseudonyms, keep_key, load_key
from connector.policy_file import PolicyFile, load_policy, with_lists
from connector.store.ledger import Ledger
from connector.store.state import Store
from connector.transport import Clock, SystemClock, Transport

ACCOUNT = "account_id"
KEY_CHECK = "identity_key"


@dataclass(frozen=True, slots=True)
class Settings:
    """The two files that a company owns, read."""

    config: Config
    policy: PolicyFile


def settings(given: str | None) -> Settings:
    """Reads configuration and policy; raises UsageError with every fault."""
    config = load_config(find_config(given))
    return Settings(config, load_policy(config.policy_path, today=datetime.now(UTC).date()))


@contextmanager
def opened(given: str | None, *, writes: bool, clock: Clock | None = None) -> Iterator[House]:
    """Opens everything that a run needs; with ``writes`` under the account's lock.

    Without it the state is only read, and a missing one is taken as empty and not made.
    """
    read = settings(given)
    config, clock = read.config, clock or SystemClock()
    if writes:
        read.policy.require_signature()
    with ExitStack() as stack:
        limits, account = config.tables.limits, config.tables.account
        file = config.beside(account.credentials_file) if account.credentials_file else None
        secret = find("acton", file=file, environ=os.environ).credentials
        ledger = stack.enter_context(
            Ledger(
                config.state_folder,
                per_second=limits.per_second,
                per_day=int(limits.per_day * limits.share),
            )
        )
        if writes:
            stack.enter_context(ledger.lock(clock.now()))
        store = stack.enter_context(Store.open(config.state_url, read_only=not writes))
        names = _pseudonyms(config, store, writes=writes)
        who = (secret.client_id, secret.client_secret, secret.username, secret.password)
        auth = ActOnAuth(account.url, who, ledger, clock, quota=ledger)
        stack.callback(auth.close)
        transport = Transport(account.url, quota=ledger, clock=clock, auth=auth)
        stack.callback(transport.close)
        yield House(
            acton=ActOn(transport, account.id),
            sources=tuple(_source(source) for source in config.tables.source),
            destinations=_destinations(config),
            store=store,
            names=names,
            policy=policy_of(read),
            clock=clock,
            folder=config.state_folder / "plans",
            plans=config.state_folder / "plans" if writes else Path(tempfile.gettempdir()),
            tag_list=config.tables.tag.list,
            breaker=(config.tables.breaker.changed_share, config.tables.breaker.at_least),
            mint=lambda: uuid.uuid4().hex,
            salt=lambda: secrets.token_bytes(16),
        )


@contextmanager
def state_only(given: str | None) -> Iterator[tuple[Store, Pseudonyms, Config]]:
    """Opens the state for reading, without credentials or network."""
    config = load_config(find_config(given))
    with Store.open(config.state_url, read_only=True) as store:
        yield store, _pseudonyms(config, store, writes=False), config


def policy_of(read: Settings) -> Policy:
    """Returns the policy with what the column map declares of its lists."""
    return with_lists(read.policy.policy, _declared(read.config))


def _declared(config: Config) -> dict[str, Declaration]:
    declared = {}
    for source in config.tables.source:
        columns = source.column_tables().values()
        covers = {normal(purpose) for column in columns for purpose in column.covers}
        refused = any(column.unticked_means == "refused" for column in columns)
        if covers or refused or source.requests_only:
            declared[normal(source.id)] = Declaration(
                frozenset(covers), refused, (), source.requests_only
            )
    return declared


def _source(table: SourceTable) -> Source:
    columns = tuple(_column(field, column) for field, column in table.column_tables().items())
    return Source(table.kind, table.id, columns, table.origin)


def _column(field: str, table: ColumnTable) -> Column:
    also = tuple(f"consent_{c}" for c in table.channels if f"consent_{c}" != field)
    negative = table.polarity == "negative"
    return Column(field, table.column, negative, table.date_format, table.time_zone, also)


def _destinations(config: Config) -> dict[str, Destination]:
    return {
        table.name: LocalCrm(table.name, config.beside(table.path))
        for table in config.tables.destination
    }


def _pseudonyms(config: Config, store: Store, *, writes: bool) -> Pseudonyms:
    """Returns the account's pseudonyms; a state without its key, or with another, stops."""
    key = load_key(config.state_folder)
    expected = store.setting(KEY_CHECK)
    if key is None and expected:
        raise StateError(
            "the identity key that belongs to this state is missing",
            hint=f"restore {config.state_folder / 'identity.key'} from a backup",
        )
    if key is None:
        key = secrets.token_bytes(KEY_BYTES)
        if writes:
            keep_key(config.state_folder, key)
    names = Pseudonyms(key)
    if expected and expected != names.check_value():
        raise StateError(
            "the identity key does not belong to this state", hint="restore it from a backup"
        )
    if writes and not expected:
        store.set(KEY_CHECK, names.check_value())
    _check_account(config, store, writes=writes)
    return names


def _check_account(config: Config, store: Store, *, writes: bool) -> None:
    expected = store.setting(ACCOUNT)
    if expected and expected != config.tables.account.id:
        raise StateError(
            f"this state belongs to account {expected}",
            hint="give each account a state of its own: [state] url in connector.toml",
        )
    if writes and not expected:
        store.set(ACCOUNT, config.tables.account.id)
