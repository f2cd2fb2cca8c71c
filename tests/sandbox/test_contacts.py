"""Act-On Contacts: the same people in other shapes."""

from collections import Counter

UCL = "/ucl/v2/12345"


def everybody(acton, **more):
    """Returns all contacts, page by page."""
    found, page = [], 0
    while True:
        answer = acton.get(f"{UCL}/contact/", page=page, pageSize=100, **more)
        found += answer["data"]
        page += 1
        if not answer["hasNextPage"]:
            return found


def test_contacts_are_the_rows_of_both_lists(acton):
    """Every row is one contact that names its list and carries the same cells."""
    names = {
        str(column["columnIndex"]): column["name"]
        for column in acton.get(f"{UCL}/schema/")["columns"]
    }
    contacts = {c["legacyRecordId"]: c for c in everybody(acton)}
    forms, events = acton.rows("l-0001"), acton.rows("l-0002")
    assert set(contacts) == {row["_contact_id_"] for row in [*forms, *events]}
    for row in forms:
        contact = contacts[row["_contact_id_"]]
        custom = {names[index]: cell for index, cell in contact["customFields"].items()}
        assert (contact["email"], contact["actonPrimaryScore"]) == (
            row["E-mail Address"], row["Lead Score"],
        )  # fmt: skip
        assert custom.pop("Origin List") == "l-0001"
        assert custom == {name: row[name] for name in custom}
    for row in events:
        custom = contacts[row["_contact_id_"]]["customFields"]
        consent = next(custom[index] for index, name in names.items() if name == "OK to contact")
        assert consent == row["GDPR Consent"]


def test_custom_fields_are_keyed_by_column_index_with_gaps(acton):
    """Indexes are not consecutive and field ids are others."""
    columns = acton.get(f"{UCL}/schema/", skipHidden="false")["columns"]
    indexes = [column["columnIndex"] for column in columns]
    assert indexes == sorted(indexes)
    assert indexes[-1] - indexes[0] > len(indexes)
    score = next(column for column in columns if column["type"] == "SCORE")
    assert score["standardFieldMapping"] == "ACTON_PRIMARY_SCORE"


def test_by_fields_answers_the_named_fields_only(acton):
    """Names are read in any case; the id always comes."""
    body = ["e-mail address", "ok to contact"]
    page = acton("POST", f"{UCL}/contact/byFields?pageSize=1", json=body).json()
    (contact,) = page["data"]
    assert contact["id"].startswith("l-unified-contacts:")
    assert "email" in contact
    assert "firstName" not in contact
    assert len(contact["customFields"]) == 1


def test_pages_count_from_0_and_know_their_end(acton):
    """Two pages do not overlap, and too large a page is refused, not cut."""
    first = acton.get(f"{UCL}/contact/", pageSize=10)
    second = acton.get(f"{UCL}/contact/", pageSize=10, page=1)
    assert not {c["id"] for c in first["data"]} & {c["id"] for c in second["data"]}
    assert first["count"] == 10
    assert acton("GET", f"{UCL}/contact/", params={"pageSize": 5000}).status_code == 400


def test_an_address_shows_duplicates_two_at_a_time(acton):
    """An address is no key: the same person can come twice."""
    emails = Counter(row["E-mail Address"].lower() for row in acton.rows("l-0001"))
    email = next(address for address, count in emails.items() if address and count > 1)
    found = acton.get(f"{UCL}/contact/email/{email}")
    assert found["count"] == 2
    assert {c["email"].lower() for c in found["data"]} == {email.lower()}
    assert found["totalCount"] >= 2
    contact = found["data"][0]
    assert acton.get(f"{UCL}/contact/id/{contact['id']}") == contact


def test_updated_after_is_in_seconds(acton):
    """Only contacts that changed since come back."""
    email = next(row["E-mail Address"] for row in acton.rows("l-0001") if row["E-mail Address"])
    acton.control("advance", {"minutes": 1})
    acton.control("act", {"do": "withdraw", "email": email})
    found = acton.get(f"{UCL}/contact/", updatedAfter=1_795_435_200, pageSize=100)
    assert {c["email"].lower() for c in found["data"]} == {email.lower()}


def segment(acton, name="Gate: ask for permission"):
    """Makes a direct-select segment and returns its id."""
    body = {"name": name, "parentId": "l-unified-contacts", "type": "DIRECT_SELECT"}
    answer = acton("POST", f"{UCL}/segment/", json=body).json()
    assert answer["isSuccess"] is True
    return answer["source"]["id"]


def test_a_segment_is_filled_read_back_and_emptied(acton):
    """Members are contact ids; ids of nobody are passed over."""
    path = f"{UCL}/segment/{segment(acton)}/contacts"
    ids = [contact["id"] for contact in everybody(acton)[:3]]
    assert acton("PUT", path, json=[*ids, "l-unified-contacts:fffff"]).status_code == 200
    assert [c["id"] for c in acton.get(path)["data"]] == ids
    assert acton("DELETE", path, json=ids[:1]).status_code == 200
    assert [c["id"] for c in acton.get(path, pageSize=1, page=1)["data"]] == ids[2:]


def test_segments_refuse_what_they_should(acton):
    """More than 100 ids, a body that is no array, a taken name, an unknown segment."""
    path = f"{UCL}/segment/{segment(acton)}/contacts"
    assert acton("PUT", path, json=["x"] * 101).status_code == 400
    assert acton("DELETE", path).status_code == 400
    body = {"name": "Gate: ask for permission", "parentId": "l-unified-contacts",
            "type": "DIRECT_SELECT"}  # fmt: skip
    assert acton("POST", f"{UCL}/segment/", json=body).status_code == 409
    assert acton("GET", f"{UCL}/segment/g-ffff/contacts").status_code == 404
    assert [s["name"] for s in acton.get(f"{UCL}/segment/")["data"]] == [body["name"]]


def test_unknown_contacts_and_wrong_segments_are_refused(acton):
    """404 without a body for nobody, 400 for a segment that is no direct selection."""
    assert acton("GET", f"{UCL}/contact/id/l-unified-contacts:fffff").status_code == 404
    assert acton("GET", f"{UCL}/contact/id/l-0001:1").status_code == 404
    body = {"name": "Query", "parentId": "l-unified-contacts", "type": "QUERY"}
    assert acton("POST", f"{UCL}/segment/", json=body).status_code == 400
    assert acton("PUT", f"{UCL}/segment/g-ffff/contacts", json=[]).status_code == 404


def test_a_column_can_be_dropped_from_contacts_alone(acton):
    """The list keeps it."""
    acton.control("drop_column", {"list": "l-unified-contacts", "heading": "Tracking OK"})
    names = {column["name"] for column in acton.get(f"{UCL}/schema/")["columns"]}
    assert "Tracking OK" not in names
    assert "Tracking OK" in acton.rows("l-0001")[0]
