"""What reads promise: whole or not at all, each row under its own heading, every feed complete."""

from datetime import UTC, datetime, timedelta

import pytest
import responses

from connector.acton import Column, Source
from connector.acton.pages import PAGE
from connector.acton.wire import reader
from connector.consent.times import UNREADABLE, when
from connector.consent.values import Truth, truth
from connector.errors import SourceError
from connector.model import Feed, Interval

BASE = "https://acton.test"
LIST = f"{BASE}/api/1/list/l-0001"
EMAIL = Column("email", "E-mail")
SOURCE = Source("marketing_list", "l-0001", (EMAIL, Column("name", "Name")))
UCL = Source("contacts", "all", (EMAIL, Column("score", "Score")))
SCHEMA = {
    "columns": [
        {"name": "E-mail", "columnIndex": 6, "standardFieldMapping": "EMAIL"},
        {"name": "Score", "columnIndex": 9, "standardFieldMapping": None},
    ]
}


def cell(column: Column, text: str) -> object:
    """Returns how one cell of a column is read."""
    read = reader(Source("marketing_list", "l-0001", (column,)), [column.heading])
    return read([text], "1").cells[column.field]


def contact(number: int) -> dict[str, object]:
    """Returns a contact as a page shows it."""
    return {"id": f"l:{number:x}", "email": f"p{number}@x.test", "customFields": {"9": str(number)}}


def entry(number: int) -> dict[str, object]:
    """Returns an entry of a feed."""
    return {"email": f"p{number}@x.test", "timestamp": 1567639147559 + number}


def no_feeds_but(path: str, pages: list[list[dict[str, object]]]) -> None:
    """Answers every feed with nothing, and one with the given pages."""
    responses.get(f"{BASE}/api/1/subscription/category", json=[])
    for name in ("optout", "hardbounce", "spamcomplaint"):
        shown = pages if name == path else [[]]
        for page in shown:
            responses.get(f"{BASE}/api/1/list/{name}", json={"totalCount": -1, "result": page})


@responses.activate
def test_a_list_is_read_in_one_call(acton) -> None:
    """Rows keep ids and mapped cells only; a byte-order mark and newlines in quotes are read."""
    body = '\ufeff_contact_id_,Name,Secret,E-mail\r\nl-0001:a,"Zoë\nX",s,z@x.test\r\n'
    responses.get(LIST, body=body.encode())
    rows = list(acton.rows(SOURCE))
    assert [(r.source, r.contact_id, dict(r.cells)) for r in rows] == [
        ("l-0001", "l-0001:a", {"email": "z@x.test", "name": "Zoë\nX"})
    ]
    assert len(responses.calls) == 1


@responses.activate
@pytest.mark.parametrize(
    "body",
    [
        b"E-mail,Name\r\na@x.test\r\n",
        b"E-mail,Name\r\na@x.test,A,B\r\n",
        b'E-mail,Name\r\na@x.test,"A',
        b"E-mail,Name\r\na@x.test,\xff\r\n",
        b"",
    ],
    ids=["short row", "long row", "cut in a quote", "not UTF-8", "empty"],
)
def test_a_broken_list_is_no_list(acton, body: bytes) -> None:
    """A body that is not a whole, well-formed table raises SourceError."""
    responses.get(LIST, body=body)
    with pytest.raises(SourceError):
        list(acton.rows(SOURCE))


def test_every_missing_or_doubled_heading_is_named() -> None:
    """One error names each mapped heading that vanished and each that stands twice."""
    with pytest.raises(SourceError) as caught:
        reader(SOURCE, ["Name", "Name", "Other"])
    assert "'E-mail'" in caught.value.message
    assert "'Name' twice" in caught.value.message


@pytest.mark.parametrize(
    ("said", "read"),
    [("yes", "no"), ("opted out", "withdrawn"), ("no", ""), ("0", ""), ("", ""), ("hm", "hm")],
)
def test_a_negative_column_is_turned(said: str, read: str) -> None:
    """A do-not-contact cell never turns into a yes."""
    assert cell(Column("consent_email", "DNC", negative=True), said) == read


@pytest.mark.parametrize("word", ["opt-in", "Agreed", "granted", "I consent"])
def test_a_word_of_agreement_in_a_negative_column_is_no_yes(word: str) -> None:
    """Nobody knows what *agreed* means under *do not contact*, so it stays unclear."""
    read = cell(Column("consent_email", "DNC", negative=True), word)
    assert truth(read) is Truth.AMBIGUOUS


def test_do_not_contact_is_never_turned() -> None:
    """A yes under *do not contact* stays a yes, whatever polarity the map declares."""
    assert cell(Column("do_not_contact", "DNC", negative=True), "yes") == "yes"


@pytest.mark.parametrize(
    ("form", "zone", "text", "earliest", "latest"),
    [
        ("%d/%m/%Y %H:%M", "Europe/London", "25/10/2026 01:30",
         "2026-10-25T00:30:00+00:00", "2026-10-25T01:30:00+00:00"),
        ("%d/%m/%Y", "Europe/London", "25/10/2026",
         "2026-10-24T23:00:00+00:00", "2026-10-25T23:59:59.999999+00:00"),
        ("%d/%m/%Y", None, "02/01/2026",
         "2026-01-01T10:00:00+00:00", "2026-01-03T12:00:00+00:00"),
        ("%Y-%m-%d %H:%M %z", None, "2026-01-02 10:00 +0200",
         "2026-01-02T08:00:00+00:00", "2026-01-02T08:00:00+00:00"),
    ],
    ids=["clocks go back", "a day of 25 hours", "no zone", "an offset"],
)  # fmt: skip
def test_a_declared_format_gives_an_honest_interval(
    form: str, zone: str | None, text: str, earliest: str, latest: str
) -> None:
    """What the clock left open stays open: both ends are told."""
    read = cell(Column("at", "At", date_format=form, time_zone=zone), text)
    assert isinstance(read, Interval)
    assert (read.earliest.isoformat(), read.latest.isoformat()) == (earliest, latest)


@pytest.mark.parametrize("text", ["", "n/a", "0", "01/01/1970", "30/12/1899"])
def test_no_date_is_no_date(text: str) -> None:
    """Empty cells and what systems write in their place are missing, not unreadable."""
    assert cell(Column("at", "At", date_format="%d/%m/%Y", time_zone="UTC"), text) == ""


@pytest.mark.parametrize(
    ("form", "text"),
    [("%d/%m/%Y", "31/12/9999"), ("%d/%m/%Y", "31/02/2026"), ("%m/%Y", "02/2026"),
     ("%d %b", "2 Jan"), ("%d/%m/%Y", "01/01/0001x")],
)  # fmt: skip
def test_what_tells_no_instant_is_unreadable(form: str, text: str) -> None:
    """Impossible days, the calendar's end and formats without day or year never parse."""
    read = cell(Column("at", "At", date_format=form, time_zone="Pacific/Auckland"), text)
    assert isinstance(read, Interval) or read == f"unreadable: {text}"
    assert when(read) is UNREADABLE or text.endswith("9999")


@pytest.mark.parametrize(
    ("text", "latest"),
    [
        ("2026-01-02", "2026-01-03T07:59:59.999999+00:00"),
        ("2026-01-02 10:00:00", "2026-01-02T18:00:00+00:00"),
    ],
)
def test_a_declared_zone_alone_narrows_iso_texts(text: str, latest: str) -> None:
    """An ISO text without an offset is read in the column's zone."""
    read = cell(Column("at", "At", time_zone="US/Pacific"), text)
    assert isinstance(read, Interval)
    assert read.latest.isoformat() == latest


@pytest.mark.parametrize("text", ["2026-01-02T10:00:00Z", "02/01/2026", ""])
def test_a_declared_zone_leaves_other_texts_alone(text: str) -> None:
    """Texts with an offset, and those that are no ISO dates, pass as they are."""
    assert cell(Column("at", "At", time_zone="US/Pacific"), text) == text


def test_a_row_without_origin_belongs_to_its_source() -> None:
    """Where a contact names no list of origin, the source itself stands for it."""
    source = Source("contacts", "all", (EMAIL,), "Origin")
    read = reader(source, ["E-mail", "Origin"])
    assert [read(["a", " l-7 "], "1").source, read(["a", " "], "1").source] == ["l-7", "all"]


def test_a_day_is_the_local_day() -> None:
    """A date-only cell spans the whole day of its declared zone."""
    column = Column("at", "At", date_format="%d/%m/%Y", time_zone="US/Pacific")
    read = cell(column, "02/01/2026")
    assert isinstance(read, Interval)
    assert read.earliest == datetime(2026, 1, 2, 8, tzinfo=UTC)
    assert read.latest - read.earliest == timedelta(days=1) - timedelta(microseconds=1)


def test_a_text_outside_its_format_never_parses() -> None:
    """A cell that does not fit its declared format is marked unreadable, with its text."""
    column = Column("at", "At", date_format="%d/%m/%Y", time_zone="UTC")
    assert cell(column, "2026-01-02") == "unreadable: 2026-01-02"


def test_one_column_feeds_further_fields() -> None:
    """A column with ``also`` gives each of its fields the same cell."""
    read = reader(Source("marketing_list", "l", (Column("a", "H", also=("b",)),)), ["H"])
    assert read(["x"], "1").cells == {"a": "x", "b": "x"}


@responses.activate
@pytest.mark.parametrize("wrap", [list, lambda d: {"data": d}, lambda d: {"data": {"content": d}},
                                  lambda d: {"contacts": d}, lambda d: {"items": d}])  # fmt: skip
def test_contacts_are_read_from_any_known_envelope(acton, wrap) -> None:
    """Names go through the schema; standard and custom fields are both found."""
    responses.get(f"{BASE}/ucl/v2/12345/schema/", json=SCHEMA)
    responses.post(f"{BASE}/ucl/v2/12345/contact/byFields", json=wrap([contact(1), contact(1)]))
    rows = list(acton.rows(UCL))
    assert [dict(r.cells) for r in rows] == [{"email": "p1@x.test", "score": "1"}]


@responses.activate
def test_an_unknown_envelope_stops_and_shows_no_value(acton) -> None:
    """An unknown shape raises SourceError that names keys and never an address."""
    responses.get(f"{BASE}/ucl/v2/12345/schema/", json=SCHEMA)
    page = {"rows": [{"email": "ann@x.test"}]}
    responses.post(f"{BASE}/ucl/v2/12345/contact/byFields", json=page)
    with pytest.raises(SourceError) as caught:
        list(acton.rows(UCL))
    assert "rows" in caught.value.message
    assert "ann" not in caught.value.message


@responses.activate
def test_missed_contacts_are_read_again(acton) -> None:
    """When fewer contacts came than are counted, the pages are read again for the rest."""
    responses.get(f"{BASE}/ucl/v2/12345/schema/", json=SCHEMA)
    for numbers in ([1], [1, 2]):
        page = {"data": [contact(n) for n in numbers], "totalCount": 2}
        responses.post(f"{BASE}/ucl/v2/12345/contact/byFields", json=page)
    assert [r.contact_id for r in acton.rows(UCL)] == ["l:1", "l:2"]


@responses.activate
def test_a_feed_is_read_until_a_short_page(acton) -> None:
    """A full page is followed by another although the count is always -1."""
    no_feeds_but("optout", [[entry(n) for n in range(PAGE)], [entry(PAGE - 1), entry(PAGE)]])
    found = list(acton.suppressions())
    assert len(found) == PAGE + 1
    assert found[0].feed is Feed.OPTOUT
    assert found[0].at is not None
    assert found[0].at.earliest == datetime(2019, 9, 4, 23, 19, 7, 559000, tzinfo=UTC)


@responses.activate
def test_unreadable_addresses_are_counted_and_kept(acton) -> None:
    """An entry whose address cannot be read is yielded all the same, and counted."""
    no_feeds_but(
        "spamcomplaint", [[{"email": "", "timestamp": 1}, {"email": "no", "timestamp": 1}]]
    )
    assert len(list(acton.suppressions())) == 2
    assert acton.unreadable == 2


@responses.activate
def test_every_category_is_read(acton) -> None:
    """Each subscription category adds its opt-outs under its own name."""
    no_feeds_but("", [])
    responses.replace(
        responses.GET, f"{BASE}/api/1/subscription/category", json=[{"id": "1", "name": "News"}]
    )
    responses.get(f"{BASE}/api/1/subscription/optout", json={"result": [entry(1)]})
    assert [(s.feed, s.category) for s in acton.suppressions()] == [(Feed.CATEGORY, "News")]


@responses.activate
def test_a_failing_feed_stops_the_read(acton) -> None:
    """A feed of unknown shape raises SourceError: incomplete suppressions are never used."""
    responses.get(f"{BASE}/api/1/list/optout", json={"message": "odd"})
    with pytest.raises(SourceError):
        list(acton.suppressions())


@responses.activate
def test_a_window_is_sent_in_seconds_and_overlaps(acton) -> None:
    """``since`` asks from fifteen minutes earlier, in the unit that can only over-return."""
    no_feeds_but("optout", [[]])
    list(acton.suppressions(since=datetime(2026, 11, 24, 12, tzinfo=UTC)))
    assert "createdafter=1795520700" in responses.calls[1].request.url


@responses.activate
def test_the_account_falls_back_to_the_configured_id(acton) -> None:
    """A 404 from the undocumented account path yields the configured id."""
    responses.get(f"{BASE}/api/1/account", status=404)
    assert acton.account().id == "12345"
