"""The decision log: its canonical form, its chain, and every way in which it can be broken."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.audit import GENESIS, Entry, canonical, commitment, entry, verify
from connector.errors import AuditError

NOW = datetime(2026, 11, 23, 12, 0, 4, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@dataclass
class Log:
    """A chain as a store keeps it: lines apart from salts and records."""

    entries: list[Entry]
    records: dict[int, tuple[bytes, object]]

    def check(self, kept_head: str = "") -> tuple[int, str, int]:
        """Verifies the chain."""
        found = verify(self.entries, self.records.get, kept_head)
        return found.count, found.head, found.records


def log_of(size: int) -> Log:
    """Returns a log with ``size`` lines."""
    log, head = Log([], {}), GENESIS
    for seq in range(1, size + 1):
        salt, record = bytes([seq]) * 16, {"person": f"p{seq}", "code": "OK_CONSENT"}
        line = entry(head, NOW + timedelta(seconds=seq), "PUSH", record, salt)
        log.entries.append(line)
        log.records[seq] = (salt, record)
        head = line.head()
    return log


def test_a_line_is_hashed_as_the_rule_says() -> None:
    """A line is the bytes that RFC 8785, HMAC-SHA256 and the 0x00 leaf prefix prescribe."""
    salt = bytes.fromhex("8f2a1c55e0b94d7793a0c6f4d1e2b3a4")
    line = entry(GENESIS, NOW, "PUSH", {"b": "é\n", "a": [1, True, None]}, salt)
    assert line.ts == "2026-11-23T12:00:04Z"
    assert canonical({"b": "é\n", "a": [1, True, None]}) == '{"a":[1,true,null],"b":"é\\n"}'
    by_hand = (
        f'{{"commit":"{line.commit}","prev":"{"0" * 64}","seq":1,'
        '"ts":"2026-11-23T12:00:04Z","type":"PUSH"}'
    )
    assert line.head().hash == hashlib.sha256(b"\x00" + by_hand.encode()).hexdigest()


def test_keys_are_sorted_as_utf_16() -> None:
    """An emoji sorts before a private-use character, as RFC 8785 section 3.2.3 wants it."""
    assert canonical({"\ue000": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ue000":1}'


@given(JSON)
def test_canonical_json_is_the_same_value_and_stable(value: object) -> None:
    """Reading canonical JSON gives the value back, and writing that gives the same text."""
    assert json.loads(canonical(value)) == value
    assert canonical(json.loads(canonical(value))) == canonical(value)


@pytest.mark.parametrize("value", [1.0, {"a": 0.5}, b"x", {1: "a"}, {"a": NOW}, 2**53, {"a"}])
def test_what_has_no_single_text_is_refused(value: object) -> None:
    """Floats, bytes, instants, sets, big integers and keys that are no text raise TypeError."""
    with pytest.raises(TypeError):
        canonical(value)


def test_half_a_character_does_not_stop_the_log() -> None:
    """A lone surrogate in a contact's cell becomes U+FFFD, in keys and values."""
    assert canonical({"\ud800": "a\udfff"}) == '{"\ufffd":"a\ufffd"}'


def test_the_instant_of_a_line_is_utc() -> None:
    """An instant in another zone is written in UTC; one without a zone is refused."""
    there = NOW.astimezone(timezone(timedelta(hours=2)))
    assert entry(GENESIS, there, "PUSH", {}, b"s").ts == "2026-11-23T12:00:04Z"
    with pytest.raises(ValueError, match="time zone"):
        entry(GENESIS, NOW.replace(tzinfo=None), "PUSH", {}, b"s")


def test_an_untouched_log_verifies() -> None:
    """The check counts lines and records and gives the head; an empty log has the genesis."""
    log = log_of(3)
    assert log.check() == (3, log.entries[-1].head().hash, 3)
    assert Log([], {}).check() == (0, GENESIS.hash, 0)


def test_an_erased_record_leaves_the_log_verifiable() -> None:
    """Erasing salt and record (GDPR Art. 17) leaves every line in force."""
    log = log_of(3)
    whole = log.check()
    del log.records[2]
    assert log.check() == (3, whole[1], 2)


def test_the_commitment_says_nothing_without_its_salt() -> None:
    """Two salts give two commitments to one record."""
    assert commitment(b"1", {"a": "b"}) != commitment(b"2", {"a": "b"})


def _altered(log: Log) -> None:
    log.records[2] = (log.records[2][0], {"person": "p2", "code": "OBJECTED"})


def _resalted(log: Log) -> None:
    log.records[2] = (b"another", log.records[2][1])


def _renamed(log: Log) -> None:
    log.entries[1] = log.entries[1]._replace(type="HOLD")


def _moved_in_time(log: Log) -> None:
    log.entries[1] = log.entries[1]._replace(ts="2026-11-22T00:00:00Z")


def _cut_in_the_middle(log: Log) -> None:
    del log.entries[1]


def _swapped(log: Log) -> None:
    log.entries[1], log.entries[2] = log.entries[2], log.entries[1]


def _doubled(log: Log) -> None:
    log.entries.insert(1, log.entries[1])


def _cut_at_the_front(log: Log) -> None:
    del log.entries[0]


@pytest.mark.parametrize(
    ("harm", "line"),
    [
        (_altered, 2),
        (_resalted, 2),
        (_renamed, 3),
        (_moved_in_time, 3),
        (_cut_in_the_middle, 2),
        (_swapped, 2),
        (_doubled, 3),
        (_cut_at_the_front, 1),
    ],
)
def test_harm_is_found_and_its_line_named(harm: object, line: int) -> None:
    """Whatever is done to the log, the check names the first line that does not hold."""
    log = log_of(4)
    assert callable(harm)
    harm(log)
    with pytest.raises(AuditError) as caught:
        log.check()
    assert caught.value.line == line


def test_a_head_kept_elsewhere_finds_a_cut_end() -> None:
    """A shortened log verifies by itself, but not against a head that was kept elsewhere."""
    log = log_of(4)
    _, head, _ = log.check()
    middle = log.entries[1].head().hash
    assert log.check(head)[0] == 4
    assert log.check(middle)[0] == 4, "a head that was kept earlier is passed on the way"
    assert log.check(GENESIS.hash)[0] == 4
    del log.entries[3]
    assert log.check()[0] == 3
    with pytest.raises(AuditError) as caught:
        log.check(head)
    assert caught.value.line == 4
