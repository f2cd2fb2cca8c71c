"""Prints the score of a mutation run and each mutant that survived: where, and what it changed."""

import sqlite3
import sys
from collections import Counter
from pathlib import Path
from typing import TextIO

QUERY = """
    select spec.module_path, spec.start_pos_row, spec.start_pos_col, spec.operator_name,
           result.test_outcome, result.diff
    from mutation_specs spec join work_results result using (job_id)
    where result.worker_outcome != 'SKIPPED'
    order by 1, 2, 3, 4
"""


def main(session: Path, out: TextIO) -> None:
    """Reads the session of a finished run."""
    with sqlite3.connect(session) as database:
        found = database.execute(QUERY).fetchall()
    outcomes = Counter(outcome for *_, outcome, _ in found)
    for module, line, column, operator, outcome, diff in found:
        if outcome == "SURVIVED":
            changed = [
                text for text in diff.splitlines() if text[:1] in "+-" and text[:3] not in "+++---"
            ]
            out.write(f"{module}:{line}:{column} {operator.removeprefix('core/')}\n")
            out.writelines(f"    {text}\n" for text in changed)
    killed = len(found) - outcomes["SURVIVED"]
    out.write(f"{killed} of {len(found)} killed, {100 * killed / max(len(found), 1):.1f} %\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.stdout)
