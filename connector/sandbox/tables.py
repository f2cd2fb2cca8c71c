"""One marketing list: rows that follow from the population, and what changed since.

Only changes, additions and removals are kept; everything else is made when it is read.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from connector.sandbox.headings import EMAIL_OF, FORMS
from connector.sandbox.people import PLACES, Population, quoted

TWIN_EVERY: Final = 97
TWIN_KINDS: Final = 3
AGES_DAYS: Final = 700


class Moves:
    """Rows that were moved to the front of a list, last move last."""

    def __init__(self) -> None:
        self._from: list[int] = []

    def to_front(self, place: int) -> None:
        """Moves what stands at a place to the front."""
        self._from.append(place)

    def source(self, place: int) -> int:
        """Returns where what stands at a place stood before all moves."""
        for moved in reversed(self._from):
            if place == 0:
                place = moved
            elif place <= moved:
                place -= 1
        return place


class Table:
    """A list of one account; an index names a row for good, a place says where it stands now."""

    def __init__(self, list_id: str, headings: tuple[str, ...], people: Population | None) -> None:
        """Makes a list of the population, or an empty one without ``people``."""
        self.id, self.headings, self.born_with = list_id, headings, headings
        self.email = EMAIL_OF[list_id]
        self._people = people
        self._changed: dict[int, dict[str, str]] = {}
        self._modified: dict[int, datetime] = {}
        self._added: dict[int, dict[str, str]] = {}
        self._added_at: dict[int, datetime] = {}
        self._floor = 0
        self._gone: list[int] = []
        self.moves = Moves()
        self._by_email: dict[str, list[int]] = {}
        self._members = 0 if people is None else PLACES[list_id].count(people.size)
        self.born = self._members + self._twins()
        self._next = self.born

    def _twins(self) -> int:
        """Counts people who stand in the form list twice."""
        return -(-self._members // TWIN_EVERY) if self.id == FORMS else 0

    def __len__(self) -> int:
        """Counts the rows that stand in the list now."""
        return self._next - self._floor - len(self._gone)

    def _stands(self, index: int) -> bool:
        return self._floor <= index < self._next and index not in self._gone

    def number(self, index: int) -> int | None:
        """Returns whose row it is, None for one that was added."""
        if index >= self.born:
            return None
        member = index if index < self._members else (index - self._members) * TWIN_EVERY
        return PLACES[self.id].number(member)

    def index_of(self, number: int) -> int | None:
        """Returns the first row of somebody of the population, None if there is none now."""
        index = PLACES[self.id].index(number)
        return index if index is not None and self._stands(index) else None

    def cells(self, index: int) -> dict[str, str]:
        """Returns a row by heading."""
        return self._born(index) | self._changed.get(index, {})

    def _born(self, index: int) -> dict[str, str]:
        number = self.number(index)
        if number is None or self._people is None:
            return dict.fromkeys(self.born_with, "") | self._added[index]
        cells = self._people.cells(self.id, number)
        return cells if index < self._members else self._twin(index, cells)

    def _twin(self, index: int, cells: dict[str, str]) -> dict[str, str]:
        """Returns the second row of somebody: the same, in capitals, or under a plus address."""
        email = cells[self.email]
        match index % TWIN_KINDS:
            case 0:
                return cells
            case 1:
                return cells | {self.email: email.upper()}
            case _:
                return cells | {self.email: email.replace("@", "+news@"), "OK to contact": ""}

    def indices(self, start: int = 0, stop: int | None = None) -> Iterator[int]:
        """Yields which rows stand at places from ``start`` to before ``stop``."""
        end = len(self) if stop is None else min(stop, len(self))
        for place in range(start, end):
            yield self._index_at(place)

    def _index_at(self, place: int) -> int:
        place = self.moves.source(place) + self._floor
        for gone in self._gone:
            if gone > place:
                break
            place += 1
        return place

    def lines(self, headings: tuple[str, ...]) -> Iterator[str]:
        """Yields the whole list as lines of CSV after the record id, by the given headings."""
        write = None
        if self._people is not None and headings == self.born_with:
            write = self._people.line(self.id)
        for index in self.indices():
            if write is not None and index < self._members and index not in self._changed:
                yield write(index, PLACES[self.id].number(index))
            else:
                yield quoted(self.row(index, headings))

    def row(self, index: int, headings: tuple[str, ...]) -> list[str]:
        """Returns ``[record id, *cells]``."""
        cells = self.cells(index)
        return [self.record(index), *(cells.get(heading, "") for heading in headings)]

    def record(self, index: int) -> str:
        """Returns the record id; its second part is hexadecimal."""
        return f"{self.id}:{index:x}"

    def index_in(self, record: str) -> int | None:
        """Reads a record id; None if there is no such row."""
        list_id, _, digits = record.rpartition(":")
        try:
            index = int(digits, 16)
        except ValueError:
            return None
        return index if list_id == self.id and self._stands(index) else None

    def find(self, email: str) -> list[int]:
        """Returns the rows with an address in any case, first row first."""
        wanted = email.strip().lower()
        found = set(self._by_email.get(wanted, ()))
        for number in [] if self._people is None else self._people.numbers_in(email):
            member = PLACES[self.id].index(number)
            if member is None:
                continue
            found.add(member)
            if self.id == FORMS and member % TWIN_EVERY == 0:
                found.add(self._members + member // TWIN_EVERY)
        return [index for index in sorted(found) if self._is(index, wanted)]

    def _is(self, index: int, email: str) -> bool:
        return self._stands(index) and self.cells(index)[self.email].strip().lower() == email

    def change(self, index: int, cells: Mapping[str, str], at: datetime | None) -> None:
        """Writes cells of a row; without ``at`` its change stamp stays, as for a score."""
        self._changed.setdefault(index, {}).update(cells)
        if self.email in cells:
            self._by_email.setdefault(cells[self.email].strip().lower(), []).append(index)
        if at is not None:
            self._modified[index] = at

    def add(self, cells: Mapping[str, str], at: datetime) -> int:
        """Appends a row and returns its index."""
        index, self._next = self._next, self._next + 1
        self._added[index] = dict(cells)
        self._added_at[index] = at
        self._by_email.setdefault(cells.get(self.email, "").strip().lower(), []).append(index)
        return index

    def remove(self, index: int) -> None:
        """Takes a row out; its record id is not used again."""
        self._gone = sorted({*self._gone, index})

    def clear(self) -> None:
        """Takes all rows out."""
        self._floor, self._gone, self.moves = self._next, [], Moves()

    def created(self, index: int) -> datetime:
        """Returns when a row came into the list."""
        if index in self._added_at or self._people is None:
            return self._added_at[index]
        return self._people.start - timedelta(days=1 + index * 37 % AGES_DAYS)

    def modified(self, index: int) -> datetime:
        """Returns when a row last changed, its score not counted."""
        return self._modified.get(index) or self.created(index)

    def changed_since(self, start: datetime, *, created: bool = False) -> Iterator[int]:
        """Yields rows that changed, or came, after an instant."""
        instant = self.created if created else self.modified
        if self._people is None or start >= self._people.start:
            touched = sorted({*self._added_at, *self._modified})
            yield from (i for i in touched if self._stands(i) and instant(i) > start)
            return
        yield from (index for index in self.indices() if instant(index) > start)

    def rows_by_address(self) -> dict[str, dict[str, str]]:
        """Returns the rows that were added, by address in small letters."""
        live = (self.cells(index) for index in self._added if self._stands(index))
        return {cells[self.email].strip().lower(): cells for cells in live}
