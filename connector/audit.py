"""The decision log: a hash chain over salted commitments, so that people can leave it.

An entry holds no personal data, only ``HMAC(salt, record)``. Salt and record are kept elsewhere
and can be erased: the chain still verifies and says nothing about them any more.

Source: rule 4.3; RFC 8785 for the canonical form, RFC 9162 section 2.1.1 for the leaf prefix.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

from connector.errors import AuditError

_LEAF: Final = b"\x00"
_SAFE: Final = 2**53 - 1
"""Beyond this integer RFC 8785 has no exact number."""
_LONE: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain: how many entries it has and the hash of the last one."""

    count: int
    hash: str


GENESIS: Final = Head(0, "0" * 64)
"""The head of a chain without entries."""


class Entry(NamedTuple):
    """One line of the log. ``ts`` is UTC in ISO 8601 with ``Z``; hashes are lower-case hex."""

    seq: int
    ts: str
    type: str
    commit: str
    prev: str

    def head(self) -> Head:
        """Returns the head of the chain that ends with this entry."""
        text = canonical(self._asdict())
        return Head(self.seq, hashlib.sha256(_LEAF + text.encode()).hexdigest())


@dataclass(frozen=True, slots=True)
class Verified:
    """A chain that holds: its head, and how many of its records are still there to compare."""

    count: int
    head: str
    records: int


def canonical(value: object) -> str:
    """Returns JSON as RFC 8785 writes it: sorted keys, no spaces, nothing escaped needlessly.

    Our values are texts, integers, booleans, null, lists and objects. A half of a surrogate pair
    is no character and becomes U+FFFD. Raises TypeError for anything else, floats above all:
    their text differs between writers.
    """
    return json.dumps(_ordered(value), ensure_ascii=False, separators=(",", ":"))


def _ordered(value: object) -> object:
    match value:
        case str():
            return _LONE.sub("\ufffd", str(value))
        case None | bool():
            return value
        case int() if abs(value) <= _SAFE:
            return value
        case Mapping():
            return {_name(k): _ordered(value[k]) for k in sorted(value, key=_utf16)}
        case Sequence() if not isinstance(value, bytes):
            return [_ordered(part) for part in value]
        case _:
            raise TypeError(f"a record of the log cannot hold a {type(value).__name__}")


def _name(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a key of a record is a {type(key).__name__}")
    return _LONE.sub("\ufffd", key)


def _utf16(key: object) -> bytes:
    return _name(key).encode("utf-16-be")


def commitment(salt: bytes, record: object) -> str:
    """Returns what stands in the log for a record."""
    return hmac.new(salt, canonical(record).encode(), hashlib.sha256).hexdigest()


def entry(previous: Head, at: datetime, what: str, record: object, salt: bytes) -> Entry:
    """Returns the next entry after ``previous``; the salt is fresh chance, kept by the caller.

    Raises ValueError if ``at`` does not say its time zone.
    """
    if at.tzinfo is None:
        raise ValueError("the instant of an entry needs a time zone")
    ts = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return Entry(previous.count + 1, ts, what, commitment(salt, record), previous.hash)


def verify(
    entries: Iterable[Entry],
    record_of: Callable[[int], tuple[bytes, object] | None],
    kept_head: str = "",
) -> Verified:
    """Checks a chain from its first entry; ``record_of`` gives salt and record, None if erased.

    ``kept_head`` is a head that was kept in a second place: the chain must pass through it, or
    its end was cut off. Raises AuditError that names the first broken line.
    """
    head, records = GENESIS, 0
    passed = kept_head in {"", GENESIS.hash}
    for line, found in enumerate(entries, start=1):
        if found.seq != line or found.prev != head.hash:
            raise AuditError(f"line {line} does not follow the line before it", line=line)
        kept = record_of(line)
        if kept is not None:
            records += 1
            if not hmac.compare_digest(commitment(*kept), found.commit):
                raise AuditError(f"line {line} does not fit its record", line=line)
        head = found.head()
        passed = passed or head.hash == kept_head
    if not passed:
        raise AuditError(
            f"the log ends at line {head.count} without the head that was kept",
            line=head.count + 1,
            hint="lines were cut off its end, or the head belongs to another log",
        )
    return Verified(head.count, head.hash, records)
