"""What a cell says: texts brought to one form, and consent words read as truth values.

Source of the word lists: rule 1.4 "Truth values". A word that is not listed is AMBIGUOUS and
stops a push (GDPR Art. 4(11): consent must be unambiguous).
"""

import unicodedata
from enum import StrEnum
from functools import lru_cache
from typing import Final

from connector.model import Cell, Interval

_VARIATION_SELECTORS: Final = frozenset("\ufe0e\ufe0f")


class Truth(StrEnum):
    """What a cell says about consent; only YES and the two kinds of NO are statements."""

    YES = "yes"
    NO = "no"
    WITHDRAWN = "withdrawn"
    UNTICKED = "unticked"
    EMPTY = "empty"
    AMBIGUOUS = "ambiguous"


NEGATIVE: Final = frozenset({Truth.NO, Truth.WITHDRAWN})
STATEMENT: Final = NEGATIVE | {Truth.YES}

_EMPTY: Final = (
    "|null|none|n/a|na|nan|-|--|?|unknown|undefined|not set|tbd|#n/a|(blank)"  # "" comes first
)
_YES: Final = (
    "yes|y|true|t|1|1.0|on|checked|opt-in|optin|opt in|opted in|opted-in|granted|given|agree"
    "|agreed|accept|accepted|consent|consented|i agree|i consent|confirmed|oui|ja|si|sí|sì|sim|tak"
    "|✓|✔|☑"
)
_NO: Final = "no|n|declined|decline|refused|denied|non|nein|nee|nej|não|nao|nie"
_WITHDRAWN: Final = "withdrawn|revoked|unsubscribed|opt-out|optout|opt out|opted out|opted-out"
_UNTICKED: Final = "false|f|0|0.0|off|unchecked|☐"
_OPT_IN: Final = (
    "opt-in|optin|opt in|opted in|opted-in|granted|given|agree|agreed|accept|accepted|consent"
    "|consented|i agree|i consent"
)
"""Words of agreement; in a column that says *do not contact* nobody can tell what they mean."""


def without_invisible(text: str) -> str:
    """Returns the text without zero-width characters and soft hyphens."""
    if text.isascii():
        return text
    return "".join(
        c for c in text if unicodedata.category(c) != "Cf" and c not in _VARIATION_SELECTORS
    )


@lru_cache(maxsize=65_536)
def normal(text: str) -> str:
    """Returns the form in which texts are compared: NFKC, visible, single spaces, casefolded."""
    if text.isascii():
        return " ".join(text.split()).casefold()
    return " ".join(without_invisible(unicodedata.normalize("NFKC", text)).split()).casefold()


def _words(listed: str) -> frozenset[str]:
    return frozenset(normal(word) for word in listed.split("|"))


EMPTY_WORDS: Final = _words(_EMPTY)
_TRUTH: Final = {
    word: truth
    for truth, listed in (
        (Truth.EMPTY, _EMPTY),
        (Truth.YES, _YES),
        (Truth.NO, _NO),
        (Truth.WITHDRAWN, _WITHDRAWN),
        (Truth.UNTICKED, _UNTICKED),
    )
    for word in _words(listed)
}
_AMBIGUOUS_WHERE_NEGATIVE: Final = _words(_OPT_IN)
_IN_A_NEGATIVE_COLUMN: Final = {
    Truth.YES: Truth.YES,
    Truth.WITHDRAWN: Truth.YES,
    Truth.NO: Truth.NO,
    Truth.UNTICKED: Truth.NO,
    Truth.EMPTY: Truth.EMPTY,
    Truth.AMBIGUOUS: Truth.AMBIGUOUS,
}


def text_of(cell: Cell) -> str:
    """Returns a cell as text; JSON numbers and booleans read as they are written in JSON."""
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, Interval):
        return cell.earliest.isoformat()
    return str(cell)


def word(cell: Cell) -> str:
    """Returns the cell in its compared form, ``""`` where it is EMPTY (missing, ``n/a`` ...)."""
    text = normal(cell if isinstance(cell, str) else text_of(cell))
    return "" if text in EMPTY_WORDS else text


def truth(cell: Cell) -> Truth:
    """Says what a cell of a consent column states."""
    return _TRUTH.get(normal(cell if isinstance(cell, str) else text_of(cell)), Truth.AMBIGUOUS)


def negative_truth(cell: Cell) -> Truth:
    """Says what a cell of a *do not contact* column states: YES means that it forbids."""
    text = normal(text_of(cell))
    if text in _AMBIGUOUS_WHERE_NEGATIVE:
        return Truth.AMBIGUOUS
    return _IN_A_NEGATIVE_COLUMN[_TRUTH.get(text, Truth.AMBIGUOUS)]


def is_set(flag: Cell) -> bool:
    """Says whether a CRM do-not-contact flag is set; what cannot be read counts as set."""
    return negative_truth(flag) in {Truth.YES, Truth.AMBIGUOUS}


def is_clear(screening: Cell) -> bool:
    """Says whether a screening registry value is there and says *not listed*."""
    return truth(screening) in {Truth.NO, Truth.UNTICKED}


def digits_in(cell: Cell) -> int:
    """Counts the decimal digits of a phone cell."""
    return sum(c.isdecimal() for c in text_of(cell))
