"""Prints how many people are decided on in a second on one core, evidence and log line included.

Usage: python tests/bench/decide.py [NUMBER]. Evidence is built anew for each person from the
worked cases, with an address and a date of its own; each decision becomes a line of the log.
"""

import resource
import sys
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from connector.audit import GENESIS, entry
from connector.consent.decide import evaluate
from connector.consent.evidence import Evidence
from connector.model import Row
from connector.policy_file import load_policy
from connector.policy_trial import Case, read_cases

CASES = Path(__file__).parents[1] / "consent_cases"


def person(case: Case, number: int) -> Evidence:
    """Returns a case as another person's evidence."""
    at = datetime(2026, 3, 10, tzinfo=UTC) + timedelta(seconds=number % 86_400)
    rows = []
    for row in case.evidence.rows:
        cells = dict(row.cells)
        if isinstance(cells.get("email"), str):
            cells["email"] = f"p{number}.{cells['email'].strip()}"
        if cells.get("consent_ts") == "2026-03-10T09:30:00Z":
            cells["consent_ts"] = at.strftime("%Y-%m-%dT%H:%M:%SZ")
        rows.append(Row(row.source, row.contact_id, cells))
    subject = f"p{number}.{case.evidence.subject.strip()}"
    return replace(case.evidence, rows=tuple(rows), subject=subject)


def main(number: int) -> None:
    """Decides on ``number`` people and prints rate and memory."""
    policy = load_policy(CASES / "policies" / "consent_only.toml", today=date(2026, 11, 24)).policy
    cases = [case for case in read_cases(CASES / "cases.csv") if case.policy == "consent_only"]
    head = GENESIS
    started = time.perf_counter()
    for place in range(number):
        case = cases[place % len(cases)]
        decision = evaluate(person(case, place), policy, case.now)
        record = {"code": decision.code.value, "also": [c.value for c in decision.also]}
        head = entry(head, case.now, decision.outcome.value, record, b"salt").head()
    spent = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(
        f"{number:,} people decided in {spent:.1f} s: {number / spent:,.0f} a second,"
        f" peak memory {peak:.0f} MB, log head {head.hash[:12]}\n"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
