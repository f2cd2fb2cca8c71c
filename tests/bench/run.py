"""Prints calls, lower bound, time and peak memory of a first plan, for several numbers of people.

Usage: python tests/bench/run.py NUMBER [NUMBER ...]. Each run is a process of its own, so that
its memory is its own; the sandbox runs in this one.
"""

import json
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from connector.policy_sign import write_signed
from connector.sandbox import config_files, serve

CHILD = """
import json, resource, sys
from connector.house import Wish
from connector.sync import sync
from connector.wiring import opened
with opened(sys.argv[1], writes=False) as house:
    report = sync(house, Wish("bench"))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([report.contacts_seen, report.calls, report.lower_bound, peak]))
"""


def main(numbers: list[int]) -> None:
    """Runs once for each number of people."""
    for number in numbers:
        with (
            tempfile.TemporaryDirectory() as folder,
            serve(contacts=number, seed=1, limits=(100_000, 1_000_000, 1_000)) as server,
        ):
            files = config_files(server.url)
            files["connector.toml"] += "\n[limits]\nper_second = 1000\n"
            write_signed(Path(folder), files, date(2026, 11, 24))
            started = time.perf_counter()
            line = [sys.executable, "-c", CHILD, f"{folder}/connector.toml"]
            done = subprocess.run(line, capture_output=True, text=True, check=True)
            seen, calls, bound, peak = json.loads(done.stdout)
            sys.stdout.write(
                f"{seen:>9,} contacts: {calls} calls (at least {bound}),"
                f" {time.perf_counter() - started:.1f} s, peak memory {peak:.0f} MB\n"
            )


if __name__ == "__main__":
    main([int(number) for number in sys.argv[1:]] or [10_000, 200_000])
