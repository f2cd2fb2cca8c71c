"""The Act-On client: few calls, whole reads, typed rows; one account behind one object."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from connector.acton.answers import ask, shape_of
from connector.acton.contacts import read_contacts, schema_of
from connector.acton.feeds import PATHS, categories_of, read_feed
from connector.acton.lists import headings_of_list, read_list
from connector.acton.segments import change_members
from connector.acton.wire import Source, places
from connector.acton.writes import opt_out, upload_tags
from connector.consent.keys import narrow_key
from connector.errors import ActOnError, SourceError
from connector.model import Feed, OptOut, Receipt, Row, Suppression, Tag
from connector.transport import Call, Transport

NOT_FOUND = 404


LARGEST_PAGE: Final = 1000
UPLOAD_CALLS: Final = 3
"""The headings of our list, an upload, and one look at its job."""


class Account(NamedTuple):
    """Whose account the credentials open."""

    id: str
    name: str
    time_zone: str


class Program(NamedTuple):
    """An automated programme of the account."""

    id: str
    name: str


class ActOn:
    """One account. ``unreadable`` counts suppression entries whose address cannot be read;
    ``fewest`` counts the calls that the same work needs at least, when nothing is repeated."""

    def __init__(self, transport: Transport, account_id: str) -> None:
        self.transport = transport
        self.account_id = account_id
        self.unreadable = 0
        self.fewest = 0

    @property
    def calls(self) -> int:
        """Calls made so far, repeated ones included."""
        return self.transport.calls

    def account(self) -> Account:
        """Returns the account of the credentials; the configured id where Act-On does not tell.

        The call is in the older documents only, so a 404 is no fault.
        """
        self.fewest += 1
        try:
            body = ask(self.transport, Call("GET", "/api/1/account", repeatable=True))
        except ActOnError as error:
            if error.status != NOT_FOUND:
                raise
            return Account(self.account_id, "", "")
        if not isinstance(body, dict) or not body.get("account_id"):
            raise SourceError(f"the account has an unknown shape: {shape_of(body)}")
        name, zone = str(body.get("account_name", "")), str(body.get("time_zone", ""))
        return Account(str(body["account_id"]), name, zone)

    def rows(self, source: Source, *, pages: bool = False) -> Iterator[Row]:
        """Yields every row of a source once; raises SourceError if it cannot be read whole.

        Nothing is yielded before all was read. A list comes as CSV in one call, or in JSON
        ``pages`` of a thousand; Act-On Contacts always come in pages.
        """
        if source.kind == "contacts":
            return self._counted(read_contacts(self.transport, self.account_id, source))
        self.fewest += 1
        return read_list(self.transport, source, pages=pages)

    def _counted(self, rows: Iterator[Row]) -> Iterator[Row]:
        """Counts the schema and the fewest pages in which so many contacts can come."""
        number = 0
        for number, row in enumerate(rows, 1):  # noqa: B007  # the last number is counted
            yield row
        self.fewest += 1 + max(1, -(-number // LARGEST_PAGE))

    def check(self, source: Source) -> None:
        """Reads only the headings of a source; raises SourceError for each that is missing."""
        if source.kind == "contacts":
            schema_of(self.transport, self.account_id, source)
        else:
            places(source, headings_of_list(self.transport, source.id))

    def categories(self) -> tuple[str, ...]:
        """Returns the names of all subscription categories."""
        self.fewest += 1
        return categories_of(self.transport)

    def suppressions(self, since: datetime | None = None) -> Iterator[Suppression]:
        """Yields every entry of every feed, or those since an instant, which may only add.

        All feeds were complete when the iterator ends without an error, and only then. An entry
        whose address cannot be read is yielded all the same, and counted in ``unreadable``.
        """
        feeds = [(feed, "") for feed in PATHS]
        feeds += [(Feed.CATEGORY, category) for category in self.categories()]
        for feed, category in feeds:
            number = 0
            for entry in read_feed(self.transport, feed, category=category, since=since):
                number += 1
                if narrow_key(entry.email) is None:
                    self.unreadable += 1
                yield entry
            self.fewest += number // LARGEST_PAGE + 1

    def tag(self, list_id: str, tags: Sequence[Tag], /) -> list[Receipt]:
        """Writes tags into the list that the connector owns, in one upload."""
        self.fewest += UPLOAD_CALLS
        return upload_tags(self.transport, list_id, tags)

    def opt_out(self, outs: Sequence[OptOut], /) -> list[Receipt]:
        """Writes opt-outs that people made elsewhere, each at its scope, in order."""
        self.fewest += len({out.category and (out.category, out.email) for out in outs})
        return opt_out(self.transport, outs)

    def invite(self, segment_id: str, contact_ids: Sequence[str]) -> list[Receipt]:
        """Puts contacts into a direct-select segment, from which Act-On's programme asks them."""
        return change_members(self.transport, self.account_id, segment_id, contact_ids, stay=True)

    def uninvite(self, segment_id: str, contact_ids: Sequence[str]) -> list[Receipt]:
        """Takes contacts out of a direct-select segment."""
        return change_members(self.transport, self.account_id, segment_id, contact_ids, stay=False)

    def programs(self) -> tuple[Program, ...]:
        """Returns the account's programmes, for the report of those that feed Sales by themselves.

        The answer is not documented; raises SourceError where it has no known shape.
        """
        body = ask(self.transport, Call("GET", "/api/1/program", repeatable=True))
        found = body.get("result") if isinstance(body, dict) else body
        if not isinstance(found, list) or not all(isinstance(p, dict) for p in found):
            raise SourceError(f"the programmes have an unknown shape: {shape_of(body)}")
        return tuple(Program(str(p.get("id", "")), str(p.get("name", ""))) for p in found)
