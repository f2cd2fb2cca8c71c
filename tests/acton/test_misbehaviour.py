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


def schema(*columns: dict[str, object]) -> None:
    """Answers for the schema."""
    responses.get(f"{BASE}/ucl/v2/12345/schema/", json=SCHEMA | {"columns": columns or
                  SCHEMA["columns"]})  # fmt: skip


def feed(name: str, *pages: list[object]) -> None:
    """Answers for one feed, page by page, and for all others with nothing."""
    responses.get(f"{BASE}/api/1/subscription/category", json=[])
    for path in ("optout", "hardbounce", "spamcomplaint"):
        for found in pages if path == name else [[]]:
            responses.get(f"{BASE}/api/1/list/{path}", json={"totalCount": -1, "result": found})


def entries(numbers: range) -> list[object]:
    """Returns entries of a feed."""
    return [{"email": f"p{n}@x.test", "timestamp": 1567639147559} for n in numbers]


@responses.activate
def test_an_opt_out_that_slid_to_a_page_already_read_is_found(acton) -> None:
    """When an entry vanishes between two pages the feed is read again: nobody slips through."""
    feed(
        "optout",
        entries(range(1000)), entries(range(1000, 1507)),
        entries(range(1, 1001)), entries(range(1000, 1507)),
    )  # fmt: skip
    found = [s.email for s in acton.suppressions()]
    assert found == [f"p{n}@x.test" for n in range(1, 1507)]


@responses.activate
@pytest.mark.parametrize("cap", [255, 500])
def test_a_capped_page_of_a_feed_is_not_its_end(acton, cap: int) -> None:
    """A page that is short by a round number may have been cut by the server."""
    feed("spamcomplaint", entries(range(cap)), entries(range(cap - 1, cap + 7)))
    assert len(list(acton.suppressions())) == cap + 7


@responses.activate
def test_a_feed_that_moves_all_the_time_is_an_error(acton) -> None:
    """A feed that is never the same at its seams raises SourceError after bounded reads."""
    feed("optout", *[entries(range(1000)), entries(range(5))] * 3)
    with pytest.raises(SourceError):
        list(acton.suppressions())


@responses.activate
def test_odd_entries_of_a_feed_are_counted_and_stand(acton) -> None:
    """An entry of another shape is counted; a stamp in seconds, as text, or none is no loss."""
    odd = ["a@x.test", {"email": 7, "timestamp": 1567639147559}]
    good = [
        {"email": "s@x.test", "timestamp": 1567639147},
        {"email": "t@x.test", "timestamp": "1567639147559"},
        {"email": "u@x.test", "timestamp": None},
        {"email": "v@x.test", "timestamp": 10**40},
    ]
    feed("hardbounce", [*odd, *good])
    found = list(acton.suppressions())
    assert acton.unreadable == 2
    assert [s.email for s in found] == ["", "", "s@x.test", "t@x.test", "u@x.test", "v@x.test"]
    assert [s.at is not None and s.at.earliest.year for s in found[2:]] == [
        2019,
        2019,
        False,
        False,
    ]


@responses.activate
def test_an_undated_entry_passes_every_window(acton) -> None:
    """An opt-out without a readable date is never filtered away."""
    feed("optout", [{"email": "a@x.test", "timestamp": None}])
    assert list(acton.suppressions(since=datetime(2026, 11, 1, tzinfo=UTC)))


@responses.activate
def test_a_truncated_body_without_announced_end_is_no_list(acton) -> None:
    """Where HTTP tells no length, a last line without its end may be cut inside a cell."""
    responses.get(LIST, body=b"E-mail,Name\na@x.test,An")
    with pytest.raises(SourceError):
        list(acton.rows(SOURCE))
    assert len(responses.calls) == 3


@responses.activate
def test_a_body_cut_once_is_read_again(acton) -> None:
    """One cut costs one more call, and no row comes twice."""
    responses.get(LIST, body=Broken(table(list(range(5000)))))
    responses.get(LIST, body=table(list(range(5000))))
    rows = list(acton.rows(SOURCE))
    assert (len(rows), len({row.contact_id for row in rows})) == (5000, 5000)


@responses.activate
def test_nothing_is_yielded_of_a_list_that_breaks_off(acton) -> None:
    """Rows come only when all were read, so a caller never holds a part."""
    responses.get(LIST, body=table(list(range(5000))) + "cut")
    rows = acton.rows(SOURCE)
    with pytest.raises(SourceError):
        next(rows)


@responses.activate
def test_an_empty_list_has_no_rows_and_is_no_error(acton) -> None:
    """Headings alone are a list without contacts; the caller knows whether it had some."""
    responses.get(LIST, body="E-mail,Name\n")
    assert list(acton.rows(SOURCE)) == []


@responses.activate
def test_odd_headings_are_only_names(acton) -> None:
    """Quotes, dots, commas and line ends in headings are read as they are."""
    odd = 'What "is", your\nname?'
    source = Source("marketing_list", "l-0001", (EMAIL, Column("name", odd)))
    body = '_contact_id_,"What ""is"", your\nname?",E-mail\nl-0001:1,Zoë,z@x.test\n'
    responses.get(LIST, body=body.encode())
    assert [row.cells["name"] for row in acton.rows(source)] == ["Zoë"]


@responses.activate
@pytest.mark.parametrize(
    "second",
    [
        {"headers": ["_contact_id_", "Name", "E-mail"], "totalCount": 2000},
        {"headers": ["_contact_id_", "E-mail", "Name"], "totalCount": 1999},
    ],
    ids=["headings moved", "count moved"],
)
def test_list_pages_that_disagree_are_read_again(acton, second: dict[str, object]) -> None:
    """Pages that do not belong together are thrown away, all of them."""
    names = ["_contact_id_", "E-mail", "Name"]
    rows = [[f"l:{n}", f"p{n}@x.test", "N"] for n in range(1200)]
    first = {"headers": names, "data": rows[:1000], "totalCount": 1200}
    responses.get(LIST, json=first)
    responses.get(LIST, json={"data": rows[999:], **second})
    responses.get(LIST, json=first)
    responses.get(LIST, json={"headers": names, "data": rows[999:], "totalCount": 1200})
    found = list(acton.rows(SOURCE, pages=True))
    assert [r.cells["email"] for r in found] == [row[1] for row in rows]


@responses.activate
@pytest.mark.parametrize("body", [[], {"data": []}, {"headers": ["E-mail", "Name"], "data": [[]]}])
def test_a_list_page_of_unknown_shape_stops(acton, body: object) -> None:
    """A page without headings, rows or record ids is not guessed at."""
    responses.get(LIST, json=body)
    with pytest.raises(SourceError):
        list(acton.rows(SOURCE, pages=True))


@responses.activate
def test_a_server_that_caps_contact_pages_loses_nobody(acton) -> None:
    """Fewer contacts on a page than asked for is not the end while more are counted."""
    schema()
    for start in (0, 100, 200):
        page(range(start, min(start + 100, 250)), 250)
    assert len(list(acton.rows(UCL))) == 250


@responses.activate
def test_without_a_count_pages_are_read_until_nothing_is_new(acton) -> None:
    """A bare list tells no count, so only a page without anything new ends it."""
    schema()
    for ids in (range(2), range(2, 3), range(0)):
        responses.post(PAGES, json=[{"id": f"l:{n}", "email": f"p{n}@x.test"} for n in ids])
    assert [r.contact_id for r in acton.rows(UCL)] == ["l:0", "l:1", "l:2"]


@responses.activate
def test_a_wrong_count_is_believed_to_be_wrong_when_nothing_moved(acton) -> None:
    """Two readings up to an empty page that find the same contacts outweigh Act-On's count."""
    schema()
    for _ in range(2):
        page(range(2), 9)
        page(range(0), 9)
    assert len(list(acton.rows(UCL))) == 2


@responses.activate
def test_a_refused_page_size_is_followed_by_a_smaller_one(acton) -> None:
    """The largest page is not documented: 400 leads to smaller pages, down to the default."""
    schema()
    responses.post(PAGES, status=400, json={})
    page(range(1), 1)
    assert len(list(acton.rows(UCL))) == 1
    asked = [call.request.params["pageSize"] for call in responses.calls[1:]]
    assert asked == [str(size) for size in PAGE_SIZES[:2]]


@responses.activate
@pytest.mark.parametrize("status", [200, 404], ids=["fields left out", "not there"])
def test_whole_contacts_are_read_where_fields_cannot_be_chosen(acton, status: int) -> None:
    """Where byFields fails, or leaves mapped fields out, contacts are read whole."""
    schema()
    responses.post(PAGES, status=status, json=[{"id": "l:1", "Surname": "X"}])
    whole = {"data": [{"id": "l:1", "email": "a@x.test", "secret": "s"}], "totalCount": 1}
    responses.get(f"{BASE}/ucl/v2/12345/contact/", json=whole)
    assert [dict(r.cells) for r in acton.rows(UCL)] == [{"email": "a@x.test"}]


@responses.activate
def test_a_field_that_no_contact_carries_stops(acton) -> None:
    """A mapped field that is in the schema and in no contact at all is a fault, not empty."""
    schema()
    responses.post(PAGES, status=404)
    responses.get(f"{BASE}/ucl/v2/12345/contact/", json={"data": [{"id": "l:1"}], "totalCount": 1})
    with pytest.raises(SourceError) as caught:
        list(acton.rows(UCL))
    assert "'E-mail'" in caught.value.message


@responses.activate
def test_the_older_table_shape_is_read(acton) -> None:
    """Headings beside rows of cells, as the older documents show them, are a known envelope."""
    schema()
    body = {"headers": ["_contact_id_", "E-mail"], "data": [["l:cc", "a@x.test"]], "totalCount": 1}
    responses.post(PAGES, json=body)
    assert [(r.contact_id, r.cells["email"]) for r in acton.rows(UCL)] == [("l:cc", "a@x.test")]


@responses.activate
def test_values_of_json_become_text(acton) -> None:
    """Booleans, numbers and lists read as JSON writes them; an object is unreadable."""
    names = ["E-mail", "a", "b", "c", "d", "e"]
    schema(*({"name": name, "columnIndex": n} for n, name in enumerate(names)))
    custom = {"0": "x", "1": True, "2": 12.0, "3": ["yes", "no"], "4": {"k": "v"}, "5": None}
    responses.post(PAGES, json={"data": [{"id": 7, "customFields": custom}], "totalCount": 1})
    columns = (EMAIL, *(Column(name, name) for name in names[1:]))
    (row,) = acton.rows(Source("contacts", "all", columns))
    assert row.contact_id == "7"
    assert [row.cells[n] for n in names[1:]] == [
        "true",
        "12.0",
        "yes;no",
        "unreadable: {k: str}",
        "",
    ]


@responses.activate
@pytest.mark.parametrize(
    "body", [[], {"columns": None}, {"columns": ["E-mail"]}], ids=["list", "no columns", "texts"]
)
def test_a_schema_of_unknown_shape_stops(acton, body: object) -> None:
    """Names are never guessed where the schema cannot be read."""
    responses.get(f"{BASE}/ucl/v2/12345/schema/", json=body)
    with pytest.raises(SourceError):
        list(acton.rows(UCL))


@responses.activate
@pytest.mark.parametrize(
    "body", [{"isSuccess": False, "errorMessage": "no ann@x.test"}, {"errors": ["no"]}]
)
def test_an_error_under_status_200_is_an_error(acton, body: object) -> None:
    """Act-On's later envelopes may say no under status 200."""
    responses.get(f"{BASE}/ucl/v2/12345/schema/", json=body)
    with pytest.raises(SourceError) as caught:
        list(acton.rows(UCL))
    assert "ann" not in caught.value.message


@responses.activate
@pytest.mark.parametrize("body", [{}, [1], {"account_name": "x"}])
def test_an_account_without_an_id_stops(acton, body: object) -> None:
    """The guard against the wrong account does not guess."""
    responses.get(f"{BASE}/api/1/account", json=body)
    with pytest.raises(SourceError):
        acton.account()


@responses.activate
@pytest.mark.parametrize("body", [{}, [{"id": "1"}], ["News"]])
def test_categories_of_unknown_shape_stop(acton, body: object) -> None:
    """A category without a name could not be asked for its opt-outs."""
    responses.get(f"{BASE}/api/1/subscription/category", json=body)
    with pytest.raises(SourceError):
        acton.categories()
