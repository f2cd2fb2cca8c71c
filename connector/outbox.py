"""Hop 5: the outbox is emptied, in order, and only what was read back counts as done.

A write is marked as sent before it is sent. What was sent and not answered is settled by reading,
never by sending blindly again; so a run that is killed anywhere ends like one that was not.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Final, Protocol

from connector.destinations import Destination
from connector.errors import ActOnError, DestinationError, SourceError
from connector.model import (
    ACTON,
    Asked,
    CrmState,
    Kind,
    Lead,
    OptOut,
    Recall,
    Receipt,
    Tag,
)
from connector.store.rows import Write
from connector.store.state import Store

BATCH: Final = 500
TAG_BATCH: Final = 20_000
SELLING: Final = frozenset({Kind.PUSH, Kind.RELEASE, Kind.TAG})
"""Kinds that a suppression read in the last moment still cancels."""
log = logging.getLogger(__name__)


class TagWriter(Protocol):
    """What the outbox needs of Act-On."""

    def tag(self, list_id: str, tags: Sequence[Tag], /) -> list[Receipt]:
        """Writes tags."""

    def opt_out(self, outs: Sequence[OptOut], /) -> list[Receipt]:
        """Writes opt-outs."""


@dataclass(frozen=True, slots=True)
class Counter:
    """The places that writes go to, and how a last look at the suppressions is taken.

    ``overtaken`` returns the keys of writes that an act of the person overtook meanwhile.
    """

    store: Store
    destinations: Mapping[str, Destination]
    acton: TagWriter
    tag_list: str
    now: Callable[[], datetime]
    overtaken: Callable[[Sequence[Write]], frozenset[str]]


@dataclass(slots=True)
class Delivered:
    """What came of the outbox; ``clock_s`` are seconds from a person's act to its recall."""

    done: dict[str, int] = field(default_factory=dict)
    refused: int = 0
    cancelled: int = 0
    clock_s: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def deliver(counter: Counter, kinds: frozenset[Kind] = frozenset(Kind)) -> Delivered:
    """Settles what is in doubt, then sends what is planned, kind by kind."""
    result = Delivered()
    for batch in _batches(w for w in counter.store.unanswered() if w.action.kind in kinds):
        _settle(counter, batch, _look(counter, batch), result)
    for batch in _batches(w for w in counter.store.due_writes() if w.action.kind in kinds):
        _send(counter, _still_wanted(counter, batch, result), result)
    return result


def _batches(writes: Iterable[Write]) -> Iterator[list[Write]]:
    """Groups writes that go the same way in one call."""
    for (kind, _), group in groupby(writes, key=lambda w: (w.action.kind, w.action.destination)):
        size = TAG_BATCH if kind in {Kind.TAG, Kind.UNTAG} else BATCH
        batch: list[Write] = []
        for write in group:
            batch.append(write)
            if len(batch) == size:
                yield batch
                batch = []
        if batch:
            yield batch


def _still_wanted(counter: Counter, batch: list[Write], result: Delivered) -> list[Write]:
    if batch[0].action.kind not in SELLING:
        return batch
    gone = counter.overtaken(batch)
    if gone:
        result.cancelled += counter.store.cancel(gone, "overtaken by an act of the person")
    return [write for write in batch if write.key not in gone]


def _send(counter: Counter, batch: list[Write], result: Delivered) -> None:
    marked = counter.store.mark_sent([write.key for write in batch], counter.now())
    batch = [write for write in batch if write.key in marked]
    if not batch:
        return
    try:
        receipts = _call(counter, batch)
    except (DestinationError, ActOnError, SourceError) as error:
        # nobody knows whether it happened: the next run settles it by reading
        counter.store.doubt([write.key for write in batch], error.message)
        result.refused += len(batch)
        result.faults.append(error.message)
        log.warning("%s of %d writes: %s", batch[0].action.kind, len(batch), error.message)
        return
    _settle(counter, batch, receipts, result)


def _call(counter: Counter, batch: Sequence[Write]) -> list[Receipt]:
    name = batch[0].action.destination
    payloads = [write.action.payload for write in batch]
    if name == ACTON:
        outs = [p for p in payloads if isinstance(p, OptOut)]
        tags = [p for p in payloads if isinstance(p, Tag)]
        return counter.acton.opt_out(outs) if outs else counter.acton.tag(counter.tag_list, tags)
    destination = _destination(counter, name)
    match batch[0].action.kind:
        case Kind.PUSH | Kind.RELEASE:
            return destination.upsert([p for p in payloads if isinstance(p, Lead)])
        case Kind.RECALL:
            return destination.recall([p for p in payloads if isinstance(p, Recall)])
        case _:
            return destination.opt_out([p for p in payloads if isinstance(p, OptOut)])


def _destination(counter: Counter, name: str) -> Destination:
    if name not in counter.destinations:
        raise DestinationError(
            f"writes wait for the destination {name!r}, which is not configured",
            hint="put it back into connector.toml until its outbox is empty",
        )
    return counter.destinations[name]


def _look(counter: Counter, batch: Sequence[Write]) -> list[Receipt]:
    """Settles by reading: what the CRM shows was done, all else is planned again.

    A tag may be written twice without harm, so it is simply written again.
    """
    name = batch[0].action.destination
    if name == ACTON:
        return [Receipt(write.key, fault="not confirmed") for write in batch]
    asked = [_asked(write) for write in batch]
    states = _destination(counter, name).read(asked)
    return [
        _receipt(write, state, one.external_id)
        for write, state, one in zip(batch, states, asked, strict=True)
    ]


def _asked(write: Write) -> Asked:
    payload = write.action.payload
    external_id = "" if isinstance(payload, Tag) else payload.external_id
    return Asked(payload.person, payload.email, external_id)


def _receipt(write: Write, state: CrmState, external_id: str) -> Receipt:
    match write.action.payload:
        case Lead(permission=wanted) | Recall(permission=wanted):
            done = state.permission == wanted or (
                isinstance(write.action.payload, Recall) and not state.exists
            )
        case OptOut(flags=flags):
            done = state.flags >= set(flags)
        case _:
            done = False
    return Receipt(external_id, state.record_id, "" if done else "not there when read back")


def _settle(
    counter: Counter, batch: Sequence[Write], receipts: Sequence[Receipt], result: Delivered
) -> None:
    now = counter.now()
    counter.store.settle(
        {write.key: receipt for write, receipt in zip(batch, receipts, strict=True)}, now
    )
    for write, receipt in zip(batch, receipts, strict=True):
        kind = write.action.kind
        if not receipt.ok:
            result.refused += 1
            result.faults.append(f"{kind} of {write.action.person[:8]}: {receipt.fault}")
            continue
        result.done[kind] = result.done.get(kind, 0) + 1
        if kind is Kind.RECALL and write.act_at is not None:
            result.clock_s.append((now - write.act_at).total_seconds())
