"""Marketing lists are read as Act-On documents them."""

import pytest

FORMS, EVENTS, TAGS = "l-0001", "l-0002", "l-0900"


def test_the_listing_names_all_lists(acton):
    """Sizes are texts and stamps are milliseconds."""
    listed = {entry["id"]: entry for entry in acton.get("/api/1/list")["result"]}
    assert set(listed) == {FORMS, EVENTS, TAGS}
    assert listed[TAGS]["sourceSize"] == "0"
    assert listed[FORMS]["tsLastModified"] > 10**12
    assert acton.get("/api/1/list", listingtype="media")["result"] == []


@pytest.mark.parametrize("list_id", [FORMS, EVENTS])
def test_csv_and_json_show_the_same_rows(acton, list_id):
    """The whole list in one body equals the list in pages, cell for cell and in order."""
    pages, offset = [], 0
    while True:
        page = acton.get(f"/api/1/list/{list_id}", count=100, offset=offset)
        pages += [dict(zip(page["headers"], row, strict=True)) for row in page["data"]]
        offset += 100
        if len(page["data"]) < 100:
            break
    assert acton.rows(list_id) == pages
    assert len(pages) == page["totalCount"]


def test_the_email_column_counts_the_record_id(acton):
    """``emailColumn`` is the place in the row, with ``_contact_id_`` as 0."""
    page = acton.get(f"/api/1/list/{FORMS}", count=1)
    assert page["headers"][0] == "_contact_id_"
    assert page["headers"][page["emailColumn"]] == "E-mail Address"
    assert page["data"][0][0] == f"{FORMS}:0"


def test_pages_hold_a_thousand_rows_at_most(calling):
    """A larger ``count`` is cut to 1000."""
    assert len(calling(contacts=1200).get(f"/api/1/list/{FORMS}", count=5000)["data"]) == 1000


def test_fields_choose_columns(acton):
    """Named headings come back with the record id; with ``datequalifiers`` they are refused."""
    page = acton.get(f"/api/1/list/{FORMS}", fields="Lead Score;E-mail Address", count=1)
    assert page["headers"] == ["_contact_id_", "E-mail Address", "Lead Score"]
    both = {"fields": "Lead Score", "datequalifiers": "true"}
    assert acton("GET", f"/api/1/list/{FORMS}", params=both).status_code == 400


def test_date_qualifiers_are_milliseconds(acton):
    """Two more columns tell when a row came and changed."""
    page = acton.get(f"/api/1/list/{FORMS}", datequalifiers="true", count=1)
    assert page["headers"][-2:] == ["__created_date", "__modified_date"]
    assert all(int(stamp) > 10**12 for stamp in page["data"][0][-2:])


def test_modafter_is_in_milliseconds_and_misses_scores(acton):
    """A changed cell moves the change stamp; a score that a programme copied does not."""
    one, two = [row["E-mail Address"] for row in acton.rows(FORMS) if "." in row["E-mail Address"]][
        :2
    ]
    since = 1_795_435_200_000  # the start of the sandbox, 2026-11-23T12:00:00Z
    acton.control("advance", {"minutes": 1})
    acton.control("act", {"do": "withdraw", "email": one})
    acton.control("act", {"do": "gain_score", "email": two, "score": 77})
    page = acton.get(f"/api/1/list/{FORMS}", modafter=since)
    assert {row[page["emailColumn"]].lower() for row in page["data"]} == {one.lower()}
    in_seconds = acton.get(f"/api/1/list/{FORMS}", modafter=since // 1000)
    assert in_seconds["totalCount"] == acton.get(f"/api/1/list/{FORMS}")["totalCount"]


def test_a_missing_list_is_10004(acton):
    """An unknown list is a 400 with Act-On's code."""
    answer = acton("GET", "/api/1/list/l-4711")
    assert (answer.status_code, answer.json()["errorCode"]) == (400, 10004)


def test_a_dropped_list_is_missing(acton):
    """A list that somebody deleted is gone from the listing and from the download."""
    acton.control("drop_list", {"list": EVENTS})
    assert acton("GET", f"/api/1/list/{EVENTS}").json()["errorCode"] == 10004
    assert EVENTS not in {entry["id"] for entry in acton.get("/api/1/list")["result"]}


def test_a_dropped_column_is_gone_everywhere(acton):
    """A column that somebody deleted vanishes from CSV, JSON and the schema of Act-On Contacts."""
    acton.control("drop_column", {"list": FORMS, "heading": "OK to contact"})
    assert "OK to contact" not in acton.rows(FORMS)[0]
    assert "OK to contact" not in acton.get(f"/api/1/list/{FORMS}", count=1)["headers"]
    columns = acton.get("/ucl/v2/12345/schema/")["columns"]
    assert "OK to contact" not in {column["name"] for column in columns}


def test_lookup_finds_the_first_record_in_any_case(acton):
    """A record is keyed by heading with a stray ``.tz``; nobody is an empty object."""
    row = next(row for row in acton.rows(FORMS) if row["E-mail Address"])
    found = acton.get(f"/api/1/list/lookup/{FORMS}", email=row["E-mail Address"].upper())
    assert (found["contactID"], found[".tz"]) == (row["_contact_id_"], "")
    assert found["Lead Score"] == row["Lead Score"]
    assert acton.get(f"/api/1/list/lookup/{FORMS}", email="nobody@none.example") == {}


def test_a_record_is_a_bare_array(acton):
    """The array has one cell more than the list has headings."""
    row = acton.rows(FORMS)[5]
    record = acton.get(f"/api/1/list/{FORMS}/record/{row['_contact_id_']}")
    assert record[:-1] == list(row.values())
    assert acton.get(f"/api/1/list/{FORMS}/record/{FORMS}:zz")["errorCode"] == 10008


def test_facts_tell_the_score_as_a_number_and_the_opt_out(acton):
    """The history shows when somebody opted out."""
    row = next(row for row in acton.rows(FORMS) if row["Lead Score"].isdigit())
    acton.control("act", {"do": "opt_out", "email": row["E-mail Address"]})
    facts = acton.get(f"/api/1/list/{FORMS}/record/{row['_contact_id_']}/facts")
    assert facts["activity"]["score"] == int(row["Lead Score"])
    assert "oo" in {entry["Verb"] for entry in facts["activitylist"]}


def test_programs_can_be_chosen_by_type(acton):
    """The maintenance programme that copies scores is among the programmes."""
    assert acton.get("/api/1/program")["count"] == 2
    assert acton.get("/api/1/program", type="LIST_MAINT")["result"][0]["id"] == "a-0002"


@pytest.mark.parametrize(
    "path", ["lookup/l-4711", "l-4711/record/l-4711:1", "l-4711/record/x/facts"]
)
def test_records_of_a_missing_list_are_10004(acton, path):
    """Looking into an unknown list says so."""
    assert acton("GET", f"/api/1/list/{path}").json()["errorCode"] == 10004


def test_facts_of_nobody_are_10008_and_a_blank_score_is_0(acton):
    """An unknown record is refused; somebody without a score has none."""
    assert acton.get(f"/api/1/list/{FORMS}/record/{FORMS}:fffff/facts")["errorCode"] == 10008
    blank = next(row["_contact_id_"] for row in acton.rows(FORMS) if not row["Lead Score"])
    assert acton.get(f"/api/1/list/{FORMS}/record/{blank}/facts")["activity"]["score"] == 0
