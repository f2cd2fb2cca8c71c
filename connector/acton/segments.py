"""Membership of direct-select segments, which name people and carry no column at all.

Neither the size of a batch nor the answer is documented, so batches are of the one documented
size, and the answer that counts is who is in the segment afterwards.
"""

from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import quote

from connector.acton.answers import ask
from connector.acton.contacts import contact_id, page_in
from connector.model import Receipt
from connector.transport import Call, Transport

BATCH: Final = 100
"""The only documented batch of record ids."""
PAGE: Final = 100


def change_members(
    transport: Transport, account: str, segment: str, ids: Sequence[str], *, stay: bool
) -> list[Receipt]:
    """Adds or removes contacts, reads the segment back; one receipt per id, in order."""
    if not ids:
        return []
    path = f"/ucl/v2/{account}/segment/{quote(segment)}/contacts"
    for start in range(0, len(ids), BATCH):
        body = list(ids[start : start + BATCH])
        # membership is a set: saying the same twice changes nothing
        transport.send(Call("PUT" if stay else "DELETE", path, json=body, repeatable=True))
    members = set(_members(transport, path))
    fault = "is not in the segment" if stay else "is still in the segment"
    return [Receipt(i, i, "" if (i in members) is stay else fault) for i in ids]


def _members(transport: Transport, path: str) -> Iterator[str]:
    """Yields member ids until a page brings nothing new; counts and flags are not trusted."""
    seen: set[str] = set()
    number = 0
    while True:
        call = Call("GET", path, params={"page": number, "pageSize": PAGE}, repeatable=True)
        page = page_in(ask(transport, call))
        fresh = {contact_id(contact) for contact in page.contacts} - seen
        yield from fresh
        seen |= fresh
        if not fresh or (page.more is False and len(page.contacts) < PAGE):
            return
        number += 1
