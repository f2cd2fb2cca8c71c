"""The ledger: calls counted across threads, processes and runs; tokens; the account's lock."""

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from connector.errors import CredentialsError, LockHeld, QuotaExhausted, StateError
from connector.model import Token
from connector.store.ledger import Ledger
from tests.store.samples import LATER, NOW

ROOT = Path(__file__).parents[2]
T0 = 1_700_000_000.0
HOUR = 3_600.0
DAY = 24 * HOUR


def opened(folder: Path, per_second: float = 4.0, per_day: int = 30_000) -> Ledger:
    """Opens a ledger with the limits that are ours by default."""
    return Ledger(folder, per_second=per_second, per_day=per_day)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Names a folder that is not there yet."""
    return tmp_path / "state"


@pytest.fixture
def ledger(folder: Path) -> Iterator[Ledger]:
    """Opens a new ledger."""
    with opened(folder) as made:
        yield made


def python(code: str, folder: Path) -> "subprocess.Popen[str]":
    """Starts another process that has the ledger of the folder in its hands."""
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom connector.store.ledger import Ledger\n"
    )
    script += "ledger = Ledger(Path(sys.argv[1]), per_second=4.0, per_day=30_000)\n"
    return subprocess.Popen(
        [sys.executable, "-c", script + textwrap.dedent(code), str(folder)],
        cwd=ROOT, text=True, stdout=subprocess.PIPE,
    )  # fmt: skip


def test_the_file_is_private(ledger: Ledger, folder: Path) -> None:
    """Tokens lie in a file 0600 in a folder 0700."""
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "ledger.db").stat().st_mode & 0o777 == 0o600


def test_a_file_that_others_can_read_is_refused(folder: Path) -> None:
    """A token file that was opened to others is mended by a person, not used."""
    opened(folder).__exit__()
    (folder / "ledger.db").chmod(0o640)
    with pytest.raises(CredentialsError) as caught:
        opened(folder)
    assert "chmod 600" in caught.value.hint


def test_calls_are_spaced_evenly(ledger: Ledger) -> None:
    """At the same instant each call waits a quarter of a second longer than the one before."""
    assert [ledger.take(T0) for _ in range(5)] == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert ledger.take(T0 + 10) == 0.0


def test_no_second_holds_more_than_four_calls(ledger: Ledger) -> None:
    """However calls come, five of them take at least a second."""
    starts = []
    now = T0
    for step in (0.0, 0.0, 0.9, 0.0, 0.05, 0.0, 0.0, 0.3, 2.0, 0.0, 0.0, 0.0, 0.0):
        now += step
        starts.append(now + ledger.take(now))
    assert all(
        later - first >= 1.0 - 1e-6 for first, later in zip(starts, starts[4:], strict=False)
    )


def test_the_pace_is_remembered_by_the_next_run(folder: Path) -> None:
    """A run that starts right after another waits for its turn."""
    with opened(folder) as first:
        first.take(T0)
    with opened(folder) as second:
        assert second.take(T0) == pytest.approx(0.25)


def test_a_clock_that_was_set_back_does_not_stop_the_run(ledger: Ledger) -> None:
    """A booking that lies hours ahead is no queue."""
    ledger.take(T0 + 5 * HOUR)
    assert ledger.take(T0) == 0.0


def test_threads_share_the_pace(ledger: Ledger) -> None:
    """Four threads together get what one would get."""
    waits: list[float] = []

    def calls() -> None:
        waits.extend(ledger.take(T0) for _ in range(10))

    threads = [threading.Thread(target=calls) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == [pytest.approx(n / 4) for n in range(40)]


def test_processes_share_the_pace(folder: Path) -> None:
    """Two processes at once never get the same turn."""
    opened(folder).__exit__()
    code = f"print(*(ledger.take({T0}) for _ in range(20)))"
    running = [python(code, folder) for _ in range(2)]
    waits = [float(wait) for one in running for wait in one.communicate()[0].split()]
    assert sorted(waits) == [pytest.approx(n / 4) for n in range(40)]


def test_the_day_is_used_up_and_rolls_on(folder: Path) -> None:
    """Beyond our share nothing is called; a day later calls are free again, one by one."""
    with opened(folder, per_day=3) as ledger:
        for hour in (0, 6, 12):
            ledger.take(T0 + hour * HOUR)
        with pytest.raises(QuotaExhausted) as caught:
            ledger.take(T0 + 13 * HOUR)
        assert caught.value.exit_code == 8
        assert ledger.spent_today(T0 + 13 * HOUR) == 3
        with pytest.raises(QuotaExhausted):
            ledger.take(T0 + DAY - 1)
        ledger.take(T0 + DAY + 601)
        with pytest.raises(QuotaExhausted):
            ledger.take(T0 + DAY + 602)


@pytest.mark.parametrize("offset", [0.0, 1.0, 299.0, 599.0])
def test_a_call_counts_for_a_whole_day(folder: Path, offset: float) -> None:
    """A call is never forgotten before it is 24 hours old, wherever in a step it fell."""
    with opened(folder) as ledger:
        ledger.take(T0 + offset)
        assert ledger.spent_today(T0 + offset + DAY) == 1
        assert ledger.spent_today(T0 + offset + DAY + 601) == 0


def test_a_refused_call_is_not_counted(folder: Path) -> None:
    """Asking when the day is used up neither counts nor takes a turn."""
    with opened(folder, per_day=1) as ledger:
        ledger.take(T0)
        for _ in range(3):
            with pytest.raises(QuotaExhausted):
                ledger.take(T0)
        assert ledger.spent_today(T0) == 1


def test_old_counters_are_pruned(ledger: Ledger, folder: Path) -> None:
    """The file does not grow with the years."""
    for day in range(30):
        ledger.take(T0 + day * DAY)
    with closing(sqlite3.connect(folder / "ledger.db")) as other:
        assert other.execute("SELECT count(*) FROM spent").fetchone()[0] <= 4


@pytest.mark.parametrize("content", [b"no database" * 999, None])
def test_a_counter_that_cannot_be_read_refuses(folder: Path, content: bytes | None) -> None:
    """Nobody calls uncounted: a broken or foreign file is an error, not a fresh start."""
    opened(folder).__exit__()
    path = folder / "ledger.db"
    if content is None:
        with closing(sqlite3.connect(path)) as other, other:
            other.execute("DROP TABLE spent")
            other.execute("CREATE TABLE spent (other TEXT)")
    else:
        path.write_bytes(content)
    with pytest.raises(StateError), opened(folder) as ledger:
        ledger.take(T0)


def test_a_failed_count_leaves_the_ledger_usable(ledger: Ledger, folder: Path) -> None:
    """After an error the next call is counted as if nothing had been."""
    with closing(sqlite3.connect(folder / "ledger.db", isolation_level=None)) as other:
        other.execute("ALTER TABLE pace RENAME TO away")
        with pytest.raises(StateError):
            ledger.take(T0)
        other.execute("ALTER TABLE away RENAME TO pace")
    assert ledger.take(T0) == 0.0
    assert ledger.spent_today(T0) == 1


def test_four_authentications_an_hour(folder: Path) -> None:
    """The fifth waits until the first is an hour old, also in the next run; accounts are apart."""
    with opened(folder) as ledger:
        assert [ledger.may_authenticate("a", T0 + n) for n in range(4)] == [0.0] * 4
    with opened(folder) as ledger:
        assert ledger.may_authenticate("a", T0 + 10) == HOUR - 10
        assert ledger.may_authenticate("b", T0 + 10) == 0.0
        assert ledger.may_authenticate("a", T0 + HOUR) == 0.0
        assert ledger.may_authenticate("a", T0 + HOUR) == 1.0


def test_authentications_ahead_of_a_clock_count_as_just_made(ledger: Ledger) -> None:
    """Setting the clock back frees none of the hour's authentications, and blocks no longer."""
    for _ in range(4):
        ledger.may_authenticate("a", T0 + 100 * DAY)
    assert ledger.may_authenticate("a", T0) == HOUR
    assert ledger.may_authenticate("a", T0 + HOUR) == 0.0


def test_a_token_is_kept_across_runs(folder: Path) -> None:
    """A token comes back equal; a newer one takes its place; another account has none."""
    with opened(folder) as ledger:
        assert ledger.token("a") is None
        ledger.keep("a", Token("old", "r0", NOW, 3600))
        ledger.keep("a", Token("access", "r1", LATER, 3599))
    with opened(folder) as ledger:
        assert ledger.token("a") == Token("access", "r1", LATER, 3599)
        assert ledger.token("b") is None


def test_refused_credentials_are_remembered_until_they_change(folder: Path) -> None:
    """The same password is not tried again; another one is, and a success clears the memory."""
    with opened(folder) as ledger:
        ledger.refuse("a", "print-1")
    with opened(folder) as ledger:
        assert ledger.refused("a", "print-1")
        assert not ledger.refused("a", "print-2")
        assert not ledger.refused("b", "print-1")
        ledger.keep("a", Token("access", "", NOW, 3600))
        assert not ledger.refused("a", "print-1")


def test_one_process_at_a_time_fetches_a_token(ledger: Ledger, folder: Path) -> None:
    """While another process fetches, this one waits, and then sees what that one kept."""
    code = """
        from datetime import UTC, datetime
        from connector.model import Token
        with ledger.exclusive("account"):
            print("held", flush=True)
            time.sleep(0.5)
            ledger.keep("account", Token("theirs", "", datetime.now(UTC), 3600))
    """
    other = python(code, folder)
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    with ledger.exclusive("account"):
        found = ledger.token("account")
    other.communicate()
    assert found is not None
    assert found.access == "theirs"


def test_accounts_do_not_wait_for_one_another(ledger: Ledger) -> None:
    """Fetching tokens of two accounts goes side by side."""
    with ledger.exclusive("first account"), ledger.exclusive("second account"):
        pass


def test_one_run_at_a_time(folder: Path) -> None:
    """A second run is told that the lock is held; after the first it gets it."""
    with opened(folder) as first, opened(folder) as second:
        with first.lock(NOW):
            with pytest.raises(LockHeld) as caught, second.lock(NOW + timedelta(minutes=7)):
                pass
            assert not caught.value.stale
            assert "7 minutes" in caught.value.message
            assert caught.value.exit_code == 6
        with second.lock(LATER):
            pass


def test_a_lock_older_than_a_run_should_be_is_told(folder: Path) -> None:
    """After two hours the lock is stale: somebody should look, also without a terminal."""
    with opened(folder) as first, opened(folder) as second, first.lock(NOW):
        with pytest.raises(LockHeld) as caught, second.lock(NOW + timedelta(hours=2, seconds=1)):
            pass
        assert caught.value.stale


def test_an_error_inside_the_run_is_not_taken_for_a_held_lock(ledger: Ledger) -> None:
    """What the run itself raises passes through, and the lock is free again."""
    with pytest.raises(BlockingIOError), ledger.lock(NOW):
        raise BlockingIOError
    with ledger.lock(NOW):
        pass


def test_a_killed_run_frees_its_lock(ledger: Ledger, folder: Path) -> None:
    """The lock of a process that was killed is taken over at once."""
    code = """
        from datetime import UTC, datetime
        with ledger.lock(datetime.now(UTC)):
            print("held", flush=True)
            time.sleep(60)
    """
    other = python(code, folder)
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    with pytest.raises(LockHeld), ledger.lock(NOW):
        pass
    os.kill(other.pid, signal.SIGKILL)
    other.communicate()
    with ledger.lock(NOW):
        pass
