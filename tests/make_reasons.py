"""Writes docs/reasons.md from the table of reasons: ``python tests/make_reasons.py``."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from connector.consent.reasons import REASONS  # noqa: E402  # found through the line above

WHERE = {
    "S": "`consent/person.py`, `consent/statement.py`, `consent/channels.py`",
    "R": "`consent/person.py`, `consent/statement.py`",
    "H": "`consent/statement.py`, `consent/channels.py`, `consent/repermission.py`",
    "I": "`consent/person.py`, `consent/channels.py`",
    "P": "`consent/decide.py`, `consent/requests.py`, `consent/statute.py`",
}


def main() -> None:
    """Writes the page."""
    lines = [
        "# Reason codes",
        "",
        "Made from `connector/consent/reasons.py` by `tests/make_reasons.py`. Order is precedence",
        "inside an outcome. The rule is the function whose docstring begins with the number;",
        "its cases are the rows of `tests/consent_cases/cases.csv` that name the code.",
        "",
        "| # | code | outcome | sentence | law | lifted by | rule in |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {r.number} | `{code}` | {r.outcome or 'information'} | {r.says} | {r.law} |"
        f" {r.lifted_by or '-'} | {WHERE[r.number[0]]} |"
        for code, r in REASONS.items()
    ]
    (ROOT / "docs" / "reasons.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
