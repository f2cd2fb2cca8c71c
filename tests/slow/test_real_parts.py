"""Real parts that not every machine has: a cron daemon, a PostgreSQL server. Run by .ci/run."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.sandbox import serve
from connector.store.state import Store

from ..run.conftest import Account, make

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
LONGEST_S = 150


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    """An account of 300 people."""
    with serve(contacts=300, seed=3, limits=(100_000, 1_000_000, 1_000)) as server:
        yield make(tmp_path / "home", server)


def test_the_line_of_the_cron_example_runs_under_a_real_cron(account: Account) -> None:
    """A cron daemon runs the first line of cron.example, each minute here, and a sync lands."""
    crontab, daemon = shutil.which("crontab"), shutil.which("cron")
    assert crontab, "install Debian's package cron"
    assert daemon, "install Debian's package cron"
    account.run()
    account.post("advance", {"days": 1})
    lines = (ROOT / "cron.example").read_text().splitlines()
    job = next(line for line in lines if line.startswith("*/10 "))
    bin_folder = str(Path(sys.executable).parent)
    table = [
        f"PATH={bin_folder}:/usr/bin:/bin",
        f"HOME={account.folder}",
        f"ACTON_CONNECTOR_CONFIG={account.config}",
        'MAILTO=""',
        job.replace("*/10 ", "* ", 1),
    ]
    old = subprocess.run([crontab, "-l"], capture_output=True, text=True, check=False)
    subprocess.run([crontab, "-"], input="\n".join(table) + "\n", text=True, check=True)
    try:
        subprocess.run([daemon], check=False, capture_output=True)
        assert wait_for_run(account), "no run landed"
    finally:
        line = [crontab, "-"] if old.returncode == 0 else [crontab, "-r"]
        subprocess.run(line, input=old.stdout, text=True, check=False)


def wait_for_run(account: Account) -> bool:
    """Waits until a run other than our own has finished."""
    ends = time.monotonic() + LONGEST_S
    while time.monotonic() < ends:
        with Store.open(f"sqlite:///{account.folder / 'state.db'}", read_only=True) as store:
            runs = [run for run in store.runs() if not run.id.startswith("run-")]
            if any(run.exit == 0 for run in runs):
                return True
        time.sleep(2)
    return False


def test_the_state_lives_in_a_real_postgresql(account: Account) -> None:
    """A server is a URL away: push, change, recall, and a second run that writes nothing."""
    url = os.environ.get("TEST_POSTGRES_URL")
    assert url, "set TEST_POSTGRES_URL"
    account.edit("connector.toml", 'url = "sqlite:///state.db"', f'url = "{url}"')
    account.edit("connector.toml", "[policy]", "[policy]")
    assert account.run().actions["push"] > 0
    assert sum(account.run().actions.values()) == 0
    who = sorted(account.leads())[0]
    account.post("act", {"do": "opt_out", "email": who})
    assert account.run().actions["recall"] == 1
    assert account.leads()[who]["gate_email"] == "0"
