"""Whether a score qualifies, as a band with slack; the score itself is not kept.

Scores arrive as text: ``"12"``, ``"12.0"``, ``""``. Blank or unreadable is unknown, never zero.
Act-On scores fall when their window moves, so a band is left only when the score has fallen by
``slack`` below the level that it had reached.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Final

from connector.consent.policy import ScorePolicy
from connector.consent.values import text_of, word
from connector.model import Band, Cell, Row

SCORE: Final = "score"
SHEET: Final = "score."
"""A field named ``score.<sheet>`` is a further score sheet with limits of its own."""
RANK: Final = {band: place for place, band in enumerate(Band)}


def score_of(cell: Cell) -> float | None:
    """Reads a score; None where it is blank or no finite decimal number."""
    text = word(cell)
    try:
        score = float(text) if text and "_" not in text else math.nan
    except ValueError:
        return None
    return score if math.isfinite(score) else None


def band_of(rows: Iterable[Row], policy: ScorePolicy, before: Band = Band.UNKNOWN) -> Band:
    """Returns the highest band over all rows and score sheets of one person.

    ``before`` is the band of the last run: what had qualified stays qualified within the slack.
    """
    bands = [
        _band(score, limits, before, policy.slack)
        for row in rows
        for score, limits in _scores(row.cells, policy)
    ]
    return max(bands, key=RANK.__getitem__, default=Band.UNKNOWN)


def _scores(
    cells: Mapping[str, Cell], policy: ScorePolicy
) -> Iterable[tuple[float, tuple[float, float]]]:
    score = score_of(cells.get(SCORE))
    if score is not None:
        yield score, (policy.threshold, policy.watch)
    for sheet, limits in policy.sheets.items():
        score = score_of(text_of(cells.get(SHEET + sheet)))
        if score is not None:
            yield score, limits


def _band(score: float, limits: tuple[float, float], before: Band, slack: float) -> Band:
    threshold, watch = limits
    kept = 1 - slack
    if score >= threshold or (before is Band.QUALIFIED and score >= threshold * kept):
        return Band.QUALIFIED
    watched = before in {Band.WATCH, Band.QUALIFIED}
    if score >= watch or (watched and score >= watch * kept):
        return Band.WATCH
    return Band.BELOW_WATCH
