"""The Act-On client: few calls, whole reads, typed rows.

Marketing lists are read as CSV, the whole list in one call: a change stamp may not move when only
a score does, and pages of a list that is being edited can skip rows.
"""

import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryFile
from typing import IO, Any, Final, NamedTuple
from urllib.parse import quote

import requests

from connector.acton.answers import json_of
from connector.acton.contacts import headings_of, read_contacts, readings
from connector.acton.wire import Source, csv_rows, places, reader
from connector.acton.writes import opt_out, upload_tags
from connector.consent.keys import narrow_key
from connector.consent.times import point
from connector.errors import ActOnError, SourceError
from connector.model import Feed, OptOut, Receipt, Row, Suppression, Tag
from connector.transport import Call, Transport

PAGE: Final = 1000
"""Act-On's largest page of ``/api/1``."""
CONTACTS_PAGE: Final = 500
"""The largest page of Act-On Contacts is not documented; a smaller one costs only calls."""
OVERLAP: Final = timedelta(minutes=15)
"""Bounds of time filters are not documented, so windows overlap and are filtered here."""
MOST_READS: Final = 3
CHUNK_BYTES: Final = 65_536
NOT_FOUND: Final = 404
UPLOAD_CALLS: Final = 2
"""An upload and one look at its job."""
FEED_PATHS: Final = {
    Feed.OPTOUT: "/api/1/list/optout",
    Feed.HARDBOUNCE: "/api/1/list/hardbounce",
    Feed.SPAM: "/api/1/list/spamcomplaint",
}


class Account(NamedTuple):
    """Whose account the credentials open."""

    id: str
    name: str
    time_zone: str


class ActOn:
    """One account. ``unreadable`` counts suppression entries whose address cannot be read;
    ``fewest`` counts the calls that the same work needs when nothing is repeated."""

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
        """Returns the account of the credentials; the configured id where Act-On does not tell."""
        try:
            body = self._get("/api/1/account")
        except ActOnError as error:
            if error.status != NOT_FOUND:
                raise
            return Account(self.account_id, "", "")
        return Account(
            str(body.get("account_id", "")),
            str(body.get("account_name", "")),
            str(body.get("time_zone", "")),
        )

    def rows(self, source: Source) -> Iterator[Row]:
        """Yields every row of a source once; raises SourceError if it cannot be read whole."""
        if source.kind == "contacts":
            yield from self._contacts(source)
            return
        with TemporaryFile() as body:
            self._download(source, body)
            body.seek(0)
            text = io.TextIOWrapper(body, encoding="utf-8", errors="strict", newline="")
            try:
                yield from csv_rows(source, text)
            except UnicodeDecodeError as error:
                raise SourceError(f"{source.id} is not UTF-8: {error.reason}") from error

    def _download(self, source: Source, body: IO[bytes]) -> None:
        """Fetches a whole list to disk; one that breaks off is fetched anew from its start."""
        call = Call(
            "GET",
            f"/api/1/list/{quote(source.id)}",
            params={"responseformat": "CSV"},
            repeatable=True,
            stream=True,
            accept="text/csv",
        )
        for attempt in range(1, MOST_READS + 1):
            body.seek(0)
            body.truncate()
            try:
                with self.transport.send(call) as answer:
                    for chunk in answer.iter_content(CHUNK_BYTES):
                        body.write(chunk)
            except requests.RequestException as error:
                if attempt == MOST_READS:
                    raise SourceError(
                        f"{source.id} broke off {MOST_READS} times: {type(error).__name__}",
                        hint="run again; nothing was pushed",
                    ) from error
            else:
                self.fewest += 1
                return

    def _contacts(self, source: Source) -> Iterator[Row]:
        schema = self._get(
            f"/ucl/v2/{self.account_id}/schema/",
            {"skipHidden": "false", "skipReadOnly": "false"},
        )
        headings = headings_of(schema, source)
        takes = readings(schema, source)
        read = reader(source, headings)
        count = 0
        for contact in read_contacts(self.transport, self.account_id, headings, CONTACTS_PAGE):
            count += 1
            yield read([take(contact) for take in takes], str(contact["id"]))
        self.fewest += max(1, -(-count // CONTACTS_PAGE))

    def check(self, source: Source) -> None:
        """Reads only the headings of a source; raises SourceError for each that is missing."""
        if source.kind == "contacts":
            headings_of(self._get(f"/ucl/v2/{self.account_id}/schema/",
                {"skipHidden": "false", "skipReadOnly": "false"}), source)  # fmt: skip
            return
        body = self._get(f"/api/1/list/{quote(source.id)}", {"count": 1, "offset": 0})
        places(source, [str(heading) for heading in body.get("headers", ())])

    def categories(self) -> tuple[str, ...]:
        """Returns the names of all subscription categories."""
        body = self._get("/api/1/subscription/category")
        if not isinstance(body, list):
            raise SourceError("the subscription categories have an unknown shape")
        return tuple(str(category["name"]) for category in body)

    def suppressions(self, since: datetime | None = None) -> Iterator[Suppression]:
        """Yields every entry of every feed, or those since an instant, which may only add.

        A feed is read until a page is shorter than it may be: its count is always -1.
        """
        for feed, path in FEED_PATHS.items():
            yield from self._feed(feed, path, {}, since)
        for category in self.categories():
            path = "/api/1/subscription/optout"
            yield from self._feed(Feed.CATEGORY, path, {"category": category}, since)

    def _feed(
        self, feed: Feed, path: str, query: dict[str, str], since: datetime | None
    ) -> Iterator[Suppression]:
        offset = 0
        window = {} if since is None else {"createdafter": int((since - OVERLAP).timestamp())}
        seen: set[tuple[str, object]] = set()
        while True:
            body = self._get(path, {**query, **window, "count": PAGE, "offset": offset})
            entries = body.get("result") if isinstance(body, dict) else None
            if not isinstance(entries, list):
                raise SourceError(f"the {feed} list has an unknown shape")
            fresh = [e for e in entries if (e.get("email"), e.get("timestamp")) not in seen]
            if entries and not fresh:
                raise SourceError(f"the {feed} list gave the same page twice", hint="run again")
            for entry in fresh:
                seen.add((entry.get("email"), entry.get("timestamp")))
                found = self._entry(feed, entry, query.get("category", ""))
                if since is None or found.at is None or found.at.latest >= since - OVERLAP:
                    yield found
            if len(entries) < PAGE:
                return
            offset += PAGE

    def _entry(self, feed: Feed, entry: dict[str, Any], category: str) -> Suppression:
        email, stamp = str(entry.get("email") or ""), entry.get("timestamp")
        if narrow_key(email) is None:
            self.unreadable += 1
        at = None
        if isinstance(stamp, int | float) and stamp > 0:
            at = point(datetime.fromtimestamp(stamp / 1000, UTC))
        return Suppression(feed, email, at, category)

    def tag(self, list_id: str, tags: Sequence[Tag]) -> list[Receipt]:
        """Writes tags into the list that the connector owns, in one upload."""
        self.fewest += UPLOAD_CALLS
        return upload_tags(self.transport, list_id, tags)

    def opt_out(self, outs: Sequence[OptOut]) -> list[Receipt]:
        """Writes opt-outs that people made elsewhere, each at its scope."""
        self.fewest += len({out.category and (out.category, out.email) for out in outs})
        return opt_out(self.transport, outs)

    def programs(self) -> list[tuple[str, str]]:
        """Returns (id, name) of the account's automated programmes."""
        body = self._get("/api/1/program")
        found = body.get("result", ()) if isinstance(body, dict) else body
        return [(str(p.get("id", "")), str(p.get("name", ""))) for p in found]

    def _get(self, path: str, params: dict[str, Any] | None = None) -> Any:
        found = json_of(self.transport, Call("GET", path, params=params, repeatable=True))
        self.fewest += 1
        return found
