"""Act-On Contacts: names resolved through the schema, pages read whole, shapes never guessed.

Source: ``/ucl/v2`` of the published API. Most answers are not documented, so the known envelopes
are accepted and any other one stops the run, naming keys and never values. Mapped fields alone
are asked for where ``byFields`` answers; else whole contacts are read and the rest is dropped.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from connector.acton.answers import ask, shape_of
from connector.acton.spool import BrokenOff, Spool, doubt_about, whole
from connector.acton.wire import Source, needed, places, reader
from connector.errors import ActOnError, SourceError
from connector.model import Row
from connector.transport import Call, Transport

STANDARD: Final = {
    "EMAIL": "email", "FIRST_NAME": "firstName", "MIDDLE_NAME": "middleName",
    "LAST_NAME": "lastName", "COMPANY": "company", "TITLE": "title", "DEPARTMENT": "department",
    "BUSINESS_STREET": "businessStreet", "BUSINESS_CITY": "businessCity",
    "BUSINESS_STATE": "businessState", "BUSINESS_ZIP": "businessZip",
    "BUSINESS_COUNTRY": "businessCountry", "BUSINESS_PHONE": "businessPhone",
    "BUSINESS_FAX": "businessFax", "BUSINESS_WEBSITE": "businessWebsite",
    "PERSONAL_STREET": "personalStreet", "PERSONAL_CITY": "personalCity",
    "PERSONAL_STATE": "personalState", "PERSONAL_ZIP": "personalZip",
    "PERSONAL_COUNTRY": "personalCountry", "PERSONAL_WEBSITE": "personalWebsite",
    "HOME_PHONE": "homePhone", "MOBILE_PHONE": "mobilePhone", "PICTURE": "picture",
    "TIMEZONE": "timezone", "DATE_OF_BIRTH": "dateOfBirth",
    "ACTON_PRIMARY_SCORE": "actonPrimaryScore", "STATUS": "status", "LEAD_SOURCE": "leadSource",
}  # fmt: skip
"""The key under which a contact carries a standard field (OpenAPI, contact schema)."""
ENVELOPES: Final = ("data", "content", "contacts", "items")
IDS: Final = ("id", "contactId", "contact_id", "contactid", "_contact_id_")
"""The names that the documents give a contact's id."""
PAGE_SIZES: Final = (500, 100, 50)
"""The largest page is not documented: a refused size is followed by a smaller one."""
TRY_ANOTHER_WAY: Final = frozenset({400, 404, 405, 406})
_ABSENT: Final = object()


class Found(NamedTuple):
    """A page: its contacts, Act-On's count of all (-1 for none), and whether it says there is more.

    Counts and flags are known to be wrong at times, so no single one ends a reading.
    """

    contacts: list[Mapping[str, Any]]
    total: int = -1
    more: bool | None = None


class Taking(NamedTuple):
    """How one mapped heading is taken from a contact."""

    heading: str
    column: str
    standard: str

    def of(self, contact: Mapping[str, Any]) -> object:
        """Returns the raw value, ``_ABSENT`` where the contact does not carry the field."""
        if self.standard and self.standard in contact:
            return contact[self.standard]
        custom = contact.get("customFields")
        if isinstance(custom, Mapping) and self.column in custom:
            return custom[self.column]
        return contact.get(self.heading, contact.get(self.heading.casefold(), _ABSENT))


def schema_of(transport: Transport, account: str, source: Source) -> list[Taking]:
    """Returns how each needed heading is taken; raises SourceError for those that vanished."""
    call = Call(
        "GET",
        f"/ucl/v2/{account}/schema/",
        # both default to true, against their own description
        params={"skipHidden": "false", "skipReadOnly": "false"},
        repeatable=True,
    )
    schema = ask(transport, call)
    columns = schema.get("columns") if isinstance(schema, dict) else None
    if not isinstance(columns, list) or not all(isinstance(c, dict) for c in columns):
        raise SourceError(f"the schema has an unknown shape: {shape_of(schema)}")
    at = places(source, [str(column.get("name")) for column in columns])
    return [_taking(heading, columns[at[heading]]) for heading in needed(source)]


def _taking(heading: str, column: Mapping[str, Any]) -> Taking:
    standard = STANDARD.get(str(column.get("standardFieldMapping") or ""), "")
    return Taking(heading, str(column.get("columnIndex")), standard)


def page_in(body: object) -> Found:
    """Reads a page in any known envelope; raises SourceError, naming keys only, for another."""
    found: object = body
    if isinstance(body, dict):
        found = next((body[key] for key in ENVELOPES if key in body), None)
        if isinstance(found, dict):
            found = next((found[key] for key in ENVELOPES if key in found), None)
        headings = body.get("headers")
        if isinstance(headings, list) and isinstance(found, list):
            found = [dict(zip(headings, row, strict=False)) for row in found]
    if not isinstance(found, list) or not all(isinstance(c, dict) and contact_id(c) for c in found):
        raise SourceError(
            f"a page of contacts has an unknown shape: {shape_of(body)}",
            hint="report this shape; until it is known, use marketing lists as the source",
        )
    told = body if isinstance(body, dict) else {}
    total, more = told.get("totalCount"), told.get("hasNextPage")
    known = isinstance(total, int) and not isinstance(total, bool)
    return Found(found, int(total or 0) if known else -1, more if isinstance(more, bool) else None)


def contact_id(contact: Mapping[str, Any]) -> str:
    """Returns the id under whichever name it comes, "" for none."""
    return next((str(contact[key]) for key in IDS if contact.get(key)), "")


def read_contacts(transport: Transport, account: str, source: Source) -> Iterator[Row]:
    """Yields every contact once, when all were read; raises SourceError.

    ``source`` of a row is its list of origin where the source names a heading for that.
    """
    takings = schema_of(transport, account, source)
    read = reader(source, needed(source))
    pages = _Pages(transport, account, takings)
    for key, cells in whole(source.id, pages.read):
        yield read(cells, key)


class _Pages:
    """Reads pages one after another, by the road and in the size that Act-On answers to."""

    def __init__(self, transport: Transport, account: str, takings: list[Taking]) -> None:
        self._transport = transport
        self._base = f"/ucl/v2/{account}/contact/"
        self._takings = takings
        self._ways = [(True, size) for size in PAGE_SIZES] + [(False, s) for s in PAGE_SIZES]

    def read(self, spool: Spool) -> str:
        """Fills the spool; returns a doubt or raises BrokenOff."""
        carried: set[str] = set()
        counts: set[int] = set()
        number = before = 0
        while True:
            page = self._first() if number == 0 else self._page(number)
            counts.add(page.total)
            for contact in page.contacts:
                values = [(t.heading, t.of(contact)) for t in self._takings]
                carried.update(heading for heading, value in values if value is not _ABSENT)
                spool.add(contact_id(contact), [_text(value) for _, value in values])
            distinct = spool.distinct()
            if self._ended(page, distinct, fresh=distinct - before):
                break
            number, before = number + 1, distinct
        self._check(carried, spool)
        moved = "the count changed between pages" if len(counts) > 1 else ""
        return moved or doubt_about(spool, page.total)

    def _ended(self, page: Found, distinct: int, *, fresh: int) -> bool:
        """Says whether this was the last page; raises BrokenOff where one came twice.

        A short page does not end a reading that lacks rows: the server may cap its pages.
        """
        if not page.contacts:
            return True
        if fresh == 0 and distinct < page.total:
            raise BrokenOff("a page came twice")
        if fresh == 0:
            return True
        full = len(page.contacts) >= self._ways[0][1]
        if page.total >= 0:
            return distinct >= page.total and (page.more is False or not full)
        return page.more is False

    def _first(self) -> Found:
        """Returns the first page by the first way that is answered with all mapped fields."""
        while True:
            last_way = len(self._ways) == 1
            try:
                page = self._page(0)
            except ActOnError as error:
                if last_way or error.status not in TRY_ANOTHER_WAY:
                    raise
            else:
                by_fields, _ = self._ways[0]
                if last_way or not by_fields or self._carries_all(page):
                    return page
                self._ways = [way for way in self._ways if not way[0]]
                continue
            self._ways.pop(0)

    def _carries_all(self, page: Found) -> bool:
        return not page.contacts or all(
            any(taking.of(contact) is not _ABSENT for contact in page.contacts)
            for taking in self._takings
        )

    def _page(self, number: int) -> Found:
        by_fields, size = self._ways[0]
        call = Call(
            "POST" if by_fields else "GET",
            self._base + ("byFields" if by_fields else ""),
            params={"page": number, "pageSize": size},
            json=[taking.heading for taking in self._takings] if by_fields else None,
            repeatable=True,
        )
        return page_in(ask(self._transport, call))

    def _check(self, carried: set[str], spool: Spool) -> None:
        """Raises SourceError for a field that no contact at all carries: it may hide a refusal."""
        lost = [t.heading for t in self._takings if t.heading not in carried]
        if lost and spool.added:
            raise SourceError(
                f"no contact carries {', '.join(map(repr, lost))}, though the schema has it",
                hint="unmap the column, or read the marketing list that it comes from",
            )


def _text(value: object) -> str:
    """Returns a JSON value as a cell; several values of one field are joined and thus unclear."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is _ABSENT or value is None:
        return ""
    if isinstance(value, list):
        return ";".join(map(_text, value))
    return f"unreadable: {shape_of(value)}" if isinstance(value, dict) else str(value)
