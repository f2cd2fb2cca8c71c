"""What happens when Act-On misbehaves: rows move, bodies break off, answers mislead."""

import io
from datetime import UTC, datetime

import pytest
import requests
import responses
from urllib3.exceptions import ProtocolError

from connector.acton import Column, Source
from connector.acton.auth import ActOnAuth
from connector.acton.contacts import PAGE_SIZES
from connector.acton.table import CHUNK_BYTES
from connector.errors import SourceError
from connector.model import OptOut, PersonId

BASE = "https://acton.test"
LIST = f"{BASE}/api/1/list/l-0001"
PAGES = f"{BASE}/ucl/v2/12345/contact/byFields"
EMAIL = Column("email", "E-mail")
SOURCE = Source("marketing_list", "l-0001", (EMAIL, Column("name", "Name")))
UCL = Source("contacts", "all", (EMAIL,))
SCHEMA = {"columns": [{"name": "E-mail", "columnIndex": 6, "standardFieldMapping": "EMAIL"}]}
PERSON = PersonId("p1")
EVERYWHERE = OptOut("e1", PERSON, "a@x.test")
NEWS = OptOut("e2", PERSON, "a@x.test", category="News")


class Broken(io.BufferedReader):
    """A body that gives one chunk and then breaks off."""

    def __init__(self, text: str) -> None:
        super().__init__(io.BytesIO())
        self.chunks = [text.encode()[:CHUNK_BYTES]]

    def read(self, _size: int | None = -1, /) -> bytes:
        """Gives the chunk, then fails as a cut connection does."""
        if not self.chunks:
            raise ProtocolError("cut")
        return self.chunks.pop()


def table(numbers: list[int]) -> str:
    """Returns a list as CSV, a row for each number."""
    return "E-mail,Name\n" + "".join(f"p{n:06}@x.test,N\n" for n in numbers)


def page(ids: range, total: int) -> None:
    """Answers for the next page of contacts."""
    found = [{"id": f"l:{n}", "email": f"p{n}@x.test"} for n in ids]
    responses.post(PAGES, json={"data": found, "totalCount": total})


@responses.activate
def test_one_persons_two_opt_outs_have_two_answers(acton) -> None:
    """A rejected global opt-out is not done because a category opt-out of the person was."""
    responses.put(f"{BASE}/api/1/list/optout", json={"status": "success", "rejectedRecords": 1})
    answer = {"status": "success", "message": "OptOut entry added"}
    responses.put(f"{BASE}/api/1/subscription/optout", json=answer)
    assert [r.ok for r in acton.opt_out([EVERYWHERE, NEWS])] == [False, True]


@pytest.mark.parametrize(
    "answer",
    [
        {
            "status": "success",
            "message": "OptIn entry added for subscription category : OptOut tips",
        },
        {"status": "error", "message": "optout failed"},
    ],
    ids=["opted in", "refused"],
)
@responses.activate
def test_a_category_opt_out_needs_an_answer_that_confirms_it(acton, answer: object) -> None:
    """An answer that opts in, or reports an error, is a fault whatever words stand in it."""
    responses.put(f"{BASE}/api/1/subscription/optout", json=answer)
    assert not acton.opt_out([NEWS])[0].ok


@responses.activate
def test_an_opt_out_that_was_read_as_empty_is_not_done(acton) -> None:
    """A row that Act-On took for empty opted nobody out."""
    answer = {"status": "success", "emptyRecords": 1, "rejectedRecords": 0}
    responses.put(f"{BASE}/api/1/list/optout", json=answer)
    assert not acton.opt_out([EVERYWHERE])[0].ok


@responses.activate
def test_an_answer_that_is_no_json_is_a_connector_error(acton) -> None:
    """A page of HTML under status 200 ends in SourceError with its exit code."""
    responses.put(f"{BASE}/api/1/list/optout", body="<html>")
    with pytest.raises(SourceError):
        acton.opt_out([EVERYWHERE])


@responses.activate
def test_a_list_that_moved_while_it_broke_off_loses_nobody(acton) -> None:
    """A row that changed place between two reads is neither lost nor doubled."""
    numbers = list(range(5000))
    responses.get(LIST, body=Broken(table(numbers)))
    responses.get(LIST, body=table(numbers[::-1]))
    emails = [row.cells["email"] for row in acton.rows(SOURCE)]
    assert len(responses.calls) == 2
    assert (len(emails), len(set(emails))) == (5000, 5000)


@responses.activate
@pytest.mark.parametrize("mark", ["\u2028", "\x85", "\x0b"])
def test_only_line_feeds_end_a_line(acton, mark: str) -> None:
    """A Unicode separator in an unquoted cell does not stop the whole list."""
    responses.get(LIST, body=f"E-mail,Name\na@x.test,A{mark}B\n".encode())
    assert [row.cells["name"] for row in acton.rows(SOURCE)] == [f"A{mark}B"]


@responses.activate
def test_a_count_that_moves_is_read_again(acton) -> None:
    """A contact that slid to a page already read, when another vanished, is found again."""
    responses.get(f"{BASE}/ucl/v2/12345/schema/", json=SCHEMA)
    size = PAGE_SIZES[0]
    page(range(size), size + 2)
    page(range(size + 1, size + 2), size + 1)
    page(range(1, size + 1), size + 1)
    page(range(size + 1, size + 2), size + 1)
    assert f"l:{size}" in [row.contact_id for row in acton.rows(UCL)]


@responses.activate
def test_a_page_that_comes_twice_is_read_again(acton) -> None:
    """One repeated page costs another read, not the run."""
    responses.get(f"{BASE}/ucl/v2/12345/schema/", json=SCHEMA)
    size = PAGE_SIZES[0]
    for ids in (range(size), range(size), range(size), range(size, size + 1)):
        page(ids, size + 1)
    assert len(list(acton.rows(UCL))) == size + 1


@responses.activate
def test_old_entries_are_filtered_here(acton) -> None:
    """Entries before the window are dropped where Act-On ignores its filter."""
    responses.get(f"{BASE}/api/1/subscription/category", json=[])
    old = {"result": [{"email": "a@x.test", "timestamp": 1567639147559}]}
    for name in ("optout", "hardbounce", "spamcomplaint"):
        responses.get(f"{BASE}/api/1/list/{name}", json=old)
    assert not list(acton.suppressions(since=datetime(2026, 11, 1, tzinfo=UTC)))


@responses.activate
def test_a_malformed_grant_does_not_lock_credentials_out(clock, ledger) -> None:
    """Only 401 and 403 speak of the credentials."""
    responses.post(f"{BASE}/token", status=400, json={"error": "invalid_request"})
    auth = ActOnAuth(BASE, ("c", "s", "u", "p"), ledger, clock)
    with pytest.raises(SourceError):
        auth(requests.Request("GET", BASE).prepare())
    assert not ledger.bad
