"""A made-up population: contact ``i`` follows from the seed and ``i`` alone; nobody here exists.

Rows are made on demand, twice over: as cells, and as a finished line of CSV from pieces that are
written once per mould, so that a million rows stream in seconds.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from random import Random
from typing import Final, NamedTuple

from connector.sandbox.headings import EVENT_HEADINGS, EVENTS, FORM_HEADINGS, FORMS
from connector.sandbox.moulds import POOL, Mould, moulds

START: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
FIRST: Final = (
    "Ada", "Ben", "Cleo", "Dana", "Emil", "Fay", "Gus", "Hana", "Ivo", "June", "Kai", "Lena",
    "Milo", "Nora", "Otto", "Pia", "Quin", "Rosa", "Sven", "Tess", "Uma", "Vito", "Wim", "Xenia",
    "Yara", "Zeno", "Jürgen", "Zoë", "Chloé", "Björn", "Íñigo", "Łucja",
)  # fmt: skip
LAST: Final = (
    "Abbey", "Brook", "Cliff", "Dale", "Ember", "Field", "Grove", "Heath", "Islip", "Joyce", "Kerr",
    "Lane", "Moor", "North", "Orme", "Pike", "Quay", "Ridge", "Shaw", "Thorne", "Ullman", "Vale",
    "Weir", "Yates", "Zeller", "Bauer", "Moreau", "Rossi", "Silva", "Visser", "O'Hara", "Müller",
)  # fmt: skip
FIRMS: Final = tuple(
    f"{name} {kind}"
    for name in ("Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Gorse", "Hazel")
    for kind in ("Ltd", "GmbH", "Tools, Inc.", "Freight")
)
PLAIN: Final = str.maketrans("üëéöÍñŁ", "ueeoInL", "' ")
SPREAD: Final = 0x9E3779B97F4A7C15
STIR: Final = 0xBF58476D1CE4E5B9
WORD: Final = 0xFFFFFFFFFFFFFFFF
SCORES: Final = 1024
LISTED_OF: Final = 10_000
LISTED: Final = {
    "optout": 300, "hardbounce": 100, "spamcomplaint": 20, "Sales contact": 50,
    "Product news": 60, "Events": 60, "Newsletter": 30,
}  # fmt: skip
"""How many of 10,000 addresses stand on a list from the start."""


class Places:
    """Which numbers stand in one list: those with some remainders, in order."""

    def __init__(self, period: int, remainders: Iterable[int]) -> None:
        self._period, self._remainders = period, tuple(remainders)

    def count(self, size: int) -> int:
        """Counts the members among the first ``size`` numbers."""
        whole, rest = divmod(size, self._period)
        return whole * len(self._remainders) + bisect_left(self._remainders, rest)

    def number(self, index: int) -> int:
        """Returns the number that stands at an index of the list."""
        whole, rest = divmod(index, len(self._remainders))
        return whole * self._period + self._remainders[rest]

    def index(self, number: int) -> int | None:
        """Returns where a number stands in the list, None if it does not."""
        whole, rest = divmod(number, self._period)
        at = bisect_left(self._remainders, rest)
        if at == len(self._remainders) or self._remainders[at] != rest:
            return None
        return whole * len(self._remainders) + at


_EVENTS_ONLY: Final = 11
_IN_BOTH: Final = (3, 24, 38, 45, 59, 67, 80, 94, 101, 115, 129, 136)
PERIOD: Final = 140
PLACES: Final = {
    FORMS: Places(PERIOD, (n for n in range(PERIOD) if n % 20 != _EVENTS_ONLY)),
    EVENTS: Places(PERIOD, (n for n in range(PERIOD) if n % 20 == _EVENTS_ONLY or n in _IN_BOTH)),
}
"""One in twenty people stands in the events list only, one in twelve in both lists."""


class Contact(NamedTuple):
    """Who one number is. ``score`` is a text, as Act-On has it."""

    number: int
    email: str
    first: str
    last: str
    company: str
    phone: str
    score: str
    mould: Mould


def quoted(cells: Iterable[str]) -> str:
    """Returns cells as CSV, without an end of line."""
    return ",".join(
        '"' + cell.replace('"', '""') + '"' if _SPECIAL.search(cell) else cell for cell in cells
    )


_SPECIAL: Final = re.compile(r'[",\r\n]')


@lru_cache(maxsize=4)
def _scores(seed: int) -> tuple[str, ...]:
    """Returns scores with a long tail: 8 % at 40 or above, 10 % from 24 to 39, 2 % blank."""
    chance = Random(f"{seed}/scores")  # noqa: S311  # a population, not a secret
    tail = [str(40 + min(int(chance.expovariate(1 / 22)), 400)) for _ in range(78)]
    tail += [f"{40 + chance.randrange(60)}.0" for _ in range(4)]
    watched = [str(chance.randrange(24, 40)) for _ in range(102)]
    decimal = [f"{chance.randrange(24)}.0" for _ in range(20)]
    drawn = [*tail, *watched, *decimal, *[""] * 20]
    low = [str(min(int(chance.expovariate(1 / 7)), 23)) for _ in range(SCORES - len(drawn))]
    return (*drawn, *low)


class Population:
    """``size`` people of one seed; dates lie before ``start`` (aware UTC)."""

    def __init__(self, size: int, seed: int, start: datetime) -> None:
        self.size, self.start = size, start
        self._seed = (seed * STIR + SPREAD) & WORD
        self._moulds = moulds(seed, start)
        self._scores = _scores(seed)
        self._listed = [name for name, share in LISTED.items() for _ in range(share)]

    def _stirred(self, number: int) -> int:
        mixed = (number * SPREAD + self._seed) & WORD
        mixed = ((mixed ^ (mixed >> 29)) * STIR) & WORD
        return mixed ^ (mixed >> 32)

    def contact(self, number: int) -> Contact:
        """Returns contact ``number``."""
        bits = self._stirred(number)
        mould = self._moulds[bits % POOL]
        first, last = FIRST[(bits >> 12) & 31], LAST[(bits >> 17) & 31]
        company = FIRMS[(bits >> 22) & 31]
        phone = f"{mould.dial}{bits >> 44:07d}"[:15] if mould.dial else ""
        score = self._scores[(bits >> 27) & 1023]
        email = _address(mould.address, (first, last, company), number)
        return Contact(number, email, first, last, company, phone, score, mould)

    def listed_on(self, number: int) -> str:
        """Says on which of Act-On's lists an address stands from the start, ``""`` for none."""
        roll = (self._stirred(number) >> 31) % LISTED_OF
        return self._listed[roll] if roll < len(self._listed) else ""

    def numbers_in(self, email: str) -> list[int]:
        """Returns who may have an address: every address of the population holds its number."""
        found = (int(digits) for digits in re.findall(r"\d{1,9}", email))
        return [number for number in found if number < self.size]

    def cells(self, list_id: str, number: int) -> dict[str, str]:
        """Returns somebody's row of a list, as born."""
        who = self.contact(number)
        own = {
            "First Name": who.first, "Last Name": who.last, "Company": who.company,
            "Phone": who.phone,
        }  # fmt: skip
        if list_id == FORMS:
            given = own | {"E-mail Address": who.email, "Lead Score": who.score}
            return {**who.mould.form, **given, "Submission": _numbered(
                who.mould.form["Submission"], number)}  # fmt: skip
        row, email = _event_row(who)
        given = own | {"Email": email, "Score": who.score}
        return {**row, **given, "Badge Scan": _numbered(row["Badge Scan"], number)}

    def line(self, list_id: str) -> Callable[[int, int], str]:
        """Returns what writes ``(index, number)`` as a line of CSV, without an end of line."""
        pieces = [_pieces(mould, list_id) for mould in self._moulds]
        return self._form_line(pieces) if list_id == FORMS else self._event_line(pieces)

    def _form_line(self, pieces: list[tuple[str, ...]]) -> Callable[[int, int], str]:
        def write(index: int, number: int) -> str:
            who = self.contact(number)
            job, country, consent, submission, rest = pieces[self._stirred(number) % POOL]
            if submission.endswith(":"):
                submission = f"{submission}{number}"
            return (
                f"{FORMS}:{index:x},{who.first},{who.last},{who.email},{_CSV_FIRM[who.company]},"
                f"{job},{who.phone},{country},{who.score},{consent},{submission},{rest}"
            )

        return write

    def _event_line(self, pieces: list[tuple[str, ...]]) -> Callable[[int, int], str]:
        def write(index: int, number: int) -> str:
            who = self.contact(number)
            _, email = _event_row(who)
            alone = number % 20 == _EVENTS_ONLY
            found = pieces[self._stirred(number) % POOL]
            country, consent, scan, rest = found[4:] if alone else found[:4]
            if scan.endswith(":"):
                scan = f"{scan}{number}"
            return (
                f"{EVENTS}:{index:x},{email},{who.first},{who.last},{_CSV_FIRM[who.company]},"
                f"{who.phone},{country},{who.score},{consent},{scan},{rest}"
            )

        return write


_CSV_FIRM: Final = {firm: quoted([firm]) for firm in FIRMS}


def _pieces(mould: Mould, list_id: str) -> tuple[str, ...]:
    """Returns what stays the same in the lines of a mould, between what does not."""
    if list_id == FORMS:
        form = mould.form
        return (
            _between(form, FORM_HEADINGS, "Company", "Phone"),
            _between(form, FORM_HEADINGS, "Phone", "Lead Score"),
            _between(form, FORM_HEADINGS, "Lead Score", "Submission"),
            form["Submission"],
            _between(form, FORM_HEADINGS, "Submission", ""),
        )
    return tuple(
        piece
        for row in (mould.beside, mould.alone)
        for piece in (
            _between(row, EVENT_HEADINGS, "Phone", "Score"),
            _between(row, EVENT_HEADINGS, "Score", "Badge Scan"),
            row["Badge Scan"],
            _between(row, EVENT_HEADINGS, "Badge Scan", ""),
        )
    )


def _between(row: Mapping[str, str], headings: tuple[str, ...], after: str, before: str) -> str:
    end = headings.index(before) if before else len(headings)
    return quoted(row[heading] for heading in headings[headings.index(after) + 1 : end])


def _numbered(text: str, number: int) -> str:
    return f"{text}{number}" if text.endswith(":") else text


def _event_row(who: Contact) -> tuple[Mapping[str, str], str]:
    """Returns the shared cells of somebody's events row, and how it spells the address."""
    if who.number % 20 == _EVENTS_ONLY:
        return who.mould.alone, who.email
    match who.mould.spelled:
        case "upper":
            return who.mould.beside, who.email.upper()
        case "plus":
            return who.mould.beside, who.email.replace("@", "+events@")
        case _:
            return who.mould.beside, who.email


def _address(kind: str, name: tuple[str, str, str], number: int) -> str:
    first, last = _LOCAL[name[0]], _LOCAL[name[1]]
    host = _HOST[name[2]]
    match kind:
        case "plain":
            return f"{first}.{last}{number}@{host}.example"
        case "shouted":
            return f"{first}.{last}{number}@{host}.example".upper()
        case "role":
            return f"info@{host}{number}.example"
        case "internal":
            return f"{first}{number}@acme.example"
        case "invalid":
            return f"{first}.{last}{number} at {host}"
        case _:
            return ""


_LOCAL: Final = {name: name.translate(PLAIN).lower() for name in (*FIRST, *LAST)}
_HOST: Final = {firm: firm.split()[0].lower() + firm.split()[1][:1].lower() for firm in FIRMS}
