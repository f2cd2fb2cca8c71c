"""How many people are decided in a second on one core, and in how much memory.

    python -m tests.bench.decide              100,000 people
    python -m tests.bench.decide 1000000

Each person is made, brought into evidence, decided, and written to a chain of the decision log,
as a run does between reading and storing. Three people in four have one row, one in four two;
every field differs between people where it would in an account. Nothing is asserted: this prints.
"""

import argparse
import resource
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from time import perf_counter, process_time
from typing import TextIO

from connector.audit import GENESIS, entry
from connector.consent.decide import evaluate
from connector.consent.decision import Decision
from connector.consent.evidence import Evidence, Suppressions
from connector.model import Feed, Row, Suppression
from connector.policy_file import load_policy
from connector.remembering import proof_of

POLICIES = Path(__file__).parent.parent / "consent_cases" / "policies"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
COUNTRIES = ("GB", "Germany", "DE", "AT", "fr", "Italy", "ES", "US", "CA", "AU", "", "Poland")
SAID = ("Yes", "TRUE", "1", "on", "", "No", "false", "Yes ", "oui", "unsubscribed", "x", "ja")
METHODS = ("unticked_checkbox", "button", "Unticked_Checkbox", "pre_ticked", "", "signature")
NOTICES = ("PN-2024-03", "PN-2025-04", "PN-2026-06", "PN-2022-01", "")


def people(count: int) -> Iterator[Evidence]:
    """Yields made-up people one after the other, the same ones each time."""
    for number in range(count):
        rows = [row(number, "l-0001", number)]
        if number % 4 == 0:
            rows.append(row(number, "l-0002", number + 7))
        listed = ()
        if number % 50 == 0:
            listed = (Suppression(Feed.OPTOUT, f"user{number}@company{number % 9973}.example"),)
        yield Evidence(
            subject=str(rows[0].cells["email"]),
            rows=tuple(rows),
            suppressions=Suppressions(True, NOW, listed),
        )


def row(number: int, source: str, seed: int) -> Row:
    """Returns one row as it comes from a list: texts in the customer's spelling."""
    day = f"{2024 + seed % 3}-{1 + seed % 12:02}-{1 + seed % 28:02}"
    clock = f"T{seed % 24:02}:{seed % 60:02}:{seed * 7 % 60:02}Z"
    return Row(
        source,
        f"{source}:{number}",
        {
            "email": f"User{number}@company{number % 9973}.example",
            "country": COUNTRIES[seed % len(COUNTRIES)],
            "phone": f"+4420{number:08}",
            "consent_email": SAID[seed % len(SAID)],
            "consent_phone": SAID[seed % 5],
            "consent_ts": day + clock,
            "doi_ts": day + "T23:59:59Z",
            "consent_source": "web_form",
            "consent_method": METHODS[seed % len(METHODS)],
            "evidence_ref": f"form:q-0002/sub:{number}",
            "notice_version": NOTICES[seed % len(NOTICES)],
            "tracking_consent": SAID[seed % 4],
            "subscriber_type": "",
        },
    )


def record_of(number: int, decision: Decision) -> dict[str, object]:
    """Returns what stands behind one line of the log."""
    return {
        "person": f"{number:032x}",
        "run": "bench",
        "outcome": decision.outcome.value,
        "code": decision.code.value,
        "also": [code.value for code in decision.also],
        "channels": [channel.value for channel in decision.channels],
        "policy": decision.policy_hash,
        "proof": proof_of(decision, NOW, "bench"),
    }


def main(count: int, policy_name: str, out: TextIO) -> None:
    """Decides ``count`` people and says how fast that was."""
    policy = load_policy(POLICIES / f"{policy_name}.toml", today=date(2026, 11, 24)).policy
    before = peak_megabytes()
    outcomes: Counter[str] = Counter()
    head = GENESIS
    started, busy = perf_counter(), process_time()
    for number, evidence in enumerate(people(count)):
        decision = evaluate(evidence, policy, NOW)
        salt = sha256(number.to_bytes(8)).digest()
        line = entry(head, NOW, decision.outcome.value, record_of(number, decision), salt)
        head = line.head()
        outcomes[decision.outcome.value] += 1
    took, busy = perf_counter() - started, process_time() - busy
    out.write(f"{count:,} people in {took:.1f} s: {count / took:,.0f} decisions a second\n")
    out.write(f"{count / busy:,.0f} a second of processor time, where the machine was shared\n")
    out.write(f"peak memory {peak_megabytes():.0f} MB, {before:.0f} MB of it before the first\n")
    shares = ", ".join(f"{name} {100 * n / count:.0f} %" for name, n in outcomes.most_common())
    out.write(f"{shares}; head of the log {head.hash[:12]}\n")


def peak_megabytes() -> float:
    """Returns the most memory that this process ever held (Linux counts in KB, macOS in bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="Measures deciding.")
    arguments.add_argument("count", nargs="?", type=int, default=100_000)
    arguments.add_argument("--policy", default="consent_only_uk", help="a policy of the cases")
    chosen = arguments.parse_args()
    main(chosen.count, chosen.policy, sys.stdout)
