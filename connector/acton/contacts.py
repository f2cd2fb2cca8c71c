"""Act-On Contacts: names resolved through the schema, pages read whole, shapes never guessed.

Source: ``/ucl/v2`` of the published API. Most answers are not documented, so the known envelopes
are accepted and any other one stops the run, naming keys and never values.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from connector.acton.answers import json_of
from connector.acton.wire import Source, places
from connector.errors import SourceError
from connector.transport import Call, Transport

STANDARD: Final = {
    "EMAIL": "email", "FIRST_NAME": "firstName", "MIDDLE_NAME": "middleName",
    "LAST_NAME": "lastName", "COMPANY": "company", "TITLE": "title", "DEPARTMENT": "department",
    "BUSINESS_STREET": "businessStreet", "BUSINESS_CITY": "businessCity",
    "BUSINESS_STATE": "businessState", "BUSINESS_ZIP": "businessZip",
    "BUSINESS_COUNTRY": "businessCountry", "BUSINESS_PHONE": "businessPhone",
    "BUSINESS_FAX": "businessFax", "BUSINESS_WEBSITE": "businessWebsite",
    "HOME_PHONE": "homePhone", "MOBILE_PHONE": "mobilePhone", "TIMEZONE": "timezone",
    "DATE_OF_BIRTH": "dateOfBirth", "ACTON_PRIMARY_SCORE": "actonPrimaryScore",
    "PERSONAL_COUNTRY": "personalCountry",
}  # fmt: skip
"""The key under which a contact carries a standard field (OpenAPI, contact schema)."""
ENVELOPES: Final = ("data", "content", "contacts", "items")
MOST_READS: Final = 3


def readings(schema: Mapping[str, Any], source: Source) -> list[Callable[[Mapping[str, Any]], str]]:
    """Returns, for the headings of ``headings_of``, how each is taken from a contact."""
    return [_taking(column) for column in _columns(schema, source)]


def headings_of(schema: Mapping[str, Any], source: Source) -> list[str]:
    """Returns the mapped names that the schema has, in its order; checks that none is missing."""
    names = [str(column["name"]) for column in _columns(schema, source)]
    places(source, names)
    return names


def _columns(schema: Mapping[str, Any], source: Source) -> list[Mapping[str, Any]]:
    columns = schema.get("columns")
    if not isinstance(columns, list):
        raise SourceError(f"the schema has an unknown shape: {shape_of(schema)}")
    wanted = {column.heading for column in source.columns} | {source.origin}
    return [column for column in columns if column.get("name") in wanted]


def _taking(column: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], str]:
    key = STANDARD.get(str(column.get("standardFieldMapping") or ""))
    if key is not None:
        return lambda contact: _text(contact.get(key))
    index = str(column["columnIndex"])
    return lambda contact: _text((contact.get("customFields") or {}).get(index))


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def contacts_in(page: object) -> list[Mapping[str, Any]]:
    """Returns the contacts of a page in any known envelope; raises SourceError for another."""
    found: object = page
    if isinstance(page, dict):
        found = next((page[key] for key in ENVELOPES if key in page), None)
        if isinstance(found, dict):
            found = next((found[key] for key in ENVELOPES if key in found), None)
    if isinstance(found, list) and all(isinstance(c, dict) and "id" in c for c in found):
        return found
    raise SourceError(
        f"a page of contacts has an unknown shape: {shape_of(page)}",
        hint="report this shape; until it is known, use marketing lists as the source",
    )


def shape_of(value: object) -> str:
    """Describes JSON by its keys and types, never by its values."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {shape_of(v)}" for key, v in sorted(value.items())) + "}"
    if isinstance(value, list):
        return f"[{shape_of(value[0])}]" if value else "[]"
    return type(value).__name__


def read_contacts(
    transport: Transport, account: str, names: Sequence[str], page_size: int
) -> Iterator[Mapping[str, Any]]:
    """Yields every contact once.

    Rows may move between pages while they are read: what was seen is not yielded again, and if
    fewer came than the account counts, all pages are read again for those that were missed.
    """
    seen: set[str] = set()
    for _ in range(MOST_READS):
        totals: set[object] = set()
        before: list[str] = []
        repeated = False
        for page in _pages(transport, account, names, page_size):
            totals.add(page.get("totalCount") if isinstance(page, dict) else None)
            found = contacts_in(page)
            ids = [str(contact["id"]) for contact in found]
            repeated = bool(ids) and ids == before
            if repeated:
                break
            before = ids
            for contact, key in zip(found, ids, strict=True):
                if key not in seen:
                    seen.add(key)
                    yield contact
        if not repeated and _agrees(totals, len(seen)):
            return
    raise SourceError(
        "contacts moved between pages each time they were read",
        hint="run again when no import or programme changes the contacts",
    )


def _agrees(totals: set[object], seen: int) -> bool:
    """Says whether one count stood on every page, and that many contacts came."""
    total = next(iter(totals)) if len(totals) == 1 else -1
    return total is None or (isinstance(total, int) and 0 <= total <= seen)


def _pages(
    transport: Transport, account: str, names: Sequence[str], page_size: int
) -> Iterator[Any]:
    number = 0
    while True:
        call = Call(
            "POST",
            f"/ucl/v2/{account}/contact/byFields",
            params={"page": number, "pageSize": page_size},
            json=list(names),
            repeatable=True,
        )
        page = json_of(transport, call)
        yield page
        more = page.get("hasNextPage") if isinstance(page, dict) else None
        if more is False or len(contacts_in(page)) < page_size:
            return
        number += 1
