"""Uploads, jobs and single records: what arrives, what is refused, and when it counts."""

import json
from collections import Counter

import pytest

TAGS = "l-0900"
HEADINGS = ["E-mail Address", "Consent_Gate_Decision", "Consent_Gate_Code"]


def upload(acton, rows, list_id=TAGS, **changes):
    """Sends a merge upload; ``changes`` replace parts of the form or of the merge."""
    specs = [
        {"columnHeading": heading, "columnIndex": place, "ignoreColumn": "N"}
        | ({"columnType": "EMAIL"} if place == 0 else {})
        for place, heading in enumerate(HEADINGS)
    ]
    merge = {"dstListId": list_id, "mergeMode": "UPSERT", "columnMap": []} | changes.pop(
        "merge", {}
    )
    form = {
        "headings": "Y", "fieldseparator": "COMMA", "quotecharacter": "DOUBLE_QUOTE",
        "uploadspecs": json.dumps(specs), "mergespecs": json.dumps([merge]),
    } | changes  # fmt: skip
    text = "\r\n".join(",".join(row) for row in [HEADINGS, *rows])
    files = {"file": ("tags.csv", text, "text/csv")}
    return acton("PUT", f"/api/1/list/{list_id}", data=form, files=files)


def finished(acton, answer):
    """Polls a job to its end and returns what it said on the way."""
    job, said = answer.json()["jobId"], []
    while True:
        status = acton.get(f"/api/1/list/{job}/status")
        said.append(status)
        if status["status"] == "success":
            return said


def tags(acton):
    """Returns what stands in the tag list."""
    return {row["E-mail Address"]: row["Consent_Gate_Decision"] for row in acton.rows(TAGS)}


def test_an_upload_is_merged_by_its_job(acton):
    """The answer does not mean merged: the job is pending, runs, and then the rows are there."""
    answer = upload(acton, [["ada@one.example", "HOLD", "X"], ["ben@two.example", "OK", ""]])
    assert answer.json()["message"] == "Upload completed"
    assert isinstance(answer.json()["jobId"], str)
    assert tags(acton) == {}
    *waiting, last = finished(acton, answer)
    assert [step["status"] for step in waiting] == ["The job is pending", "The job is running"]
    assert json.loads(last["jobDetails"]) == last["details"]
    assert (last["details"]["appendCount"], last["details"]["status"]) == (2, "ok")
    assert tags(acton) == {"ada@one.example": "HOLD", "ben@two.example": "OK"}


def test_a_job_ends_without_being_asked(acton):
    """Time alone finishes a merge."""
    upload(acton, [["ada@one.example", "HOLD", "X"]])
    acton.control("advance", {"seconds": 2})
    assert acton.get("/_sandbox/tags") == {
        "ada@one.example": dict(zip(HEADINGS, ["ada@one.example", "HOLD", "X"], strict=True))
        | {"Reperm_Route": "", "Reperm_State": "", "Consent_Checked_At": ""}
    }


def test_blanks_overwrite_only_when_told(acton):
    """``putEmptyValues`` is N by default."""
    finished(acton, upload(acton, [["ada@one.example", "HOLD", "X"]]))
    finished(acton, upload(acton, [["ADA@one.example", "", ""]]))
    assert acton.rows(TAGS)[0]["Consent_Gate_Decision"] == "HOLD"
    finished(acton, upload(acton, [["ada@one.example", "", ""]], putEmptyValues="Y"))
    assert acton.rows(TAGS)[0]["Consent_Gate_Decision"] == ""


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("UPSERT", ["ada:NEW", "ben:NEW"]),
        ("UPDATE_ONLY", ["ada:NEW"]),
        ("APPEND_NO_DUPLICATES", ["ada:OLD", "ben:NEW"]),
        ("APPEND", ["ada:OLD", "ada:NEW", "ben:NEW"]),
        ("REPLACE", ["ada:NEW", "ben:NEW"]),
    ],
)
def test_merge_modes(acton, mode, expected):
    """Each mode does what its name says; REPLACE deletes what is not in the file."""
    finished(acton, upload(acton, [["ada@one.example", "OLD", ""]]))
    rows = [["ada@one.example", "NEW", ""], ["ben@two.example", "NEW", ""]]
    finished(acton, upload(acton, rows, merge={"mergeMode": mode}))
    found = [
        f"{row['E-mail Address'][:3]}:{row['Consent_Gate_Decision']}" for row in acton.rows(TAGS)
    ]
    assert found == expected


def test_replace_leaves_nothing_behind(acton):
    """What was there before is gone from every way of reading."""
    finished(acton, upload(acton, [["old@one.example", "OLD", ""]]))
    finished(acton, upload(acton, [["new@one.example", "NEW", ""]], merge={"mergeMode": "REPLACE"}))
    assert tags(acton) == {"new@one.example": "NEW"}
    assert list(acton.get("/_sandbox/tags")) == ["new@one.example"]
    assert acton.get(f"/api/1/list/lookup/{TAGS}", email="old@one.example") == {}


def test_bad_rows_are_counted_and_kept(acton):
    """Success does not mean that every row was taken; rejects are in a file that is named."""
    rows = [["ada@one.example", "HOLD", "X"], ["no address", "HOLD", "X"], ["ben@two.example"]]
    details = finished(acton, upload(acton, rows))[-1]["details"]
    assert (details["appendCount"], details["rejectedCount"]) == (1, 2)
    name = details["rejectedRecordsUrl"]
    file = acton("GET", "/api/1/list/rejectedUploadRecords", params={"filename": name})
    assert file.text.splitlines()[1:] == ["no address,HOLD,X", "ben@two.example"]


def test_an_upload_into_a_source_changes_the_first_record_only(acton):
    """Duplicates of an address are not touched."""
    rows = acton.rows("l-0001")
    emails = Counter(row["E-mail Address"].lower() for row in rows)
    twin = next(r for r in rows[::-1] if emails[r["E-mail Address"].lower()] > 1)
    specs = [
        {"columnHeading": "E-mail Address", "columnIndex": 0, "columnType": "EMAIL"},
        {"columnHeading": "Job Title", "columnIndex": 1},
    ]
    merge = {"dstListId": "l-0001", "mergeMode": "UPDATE_ONLY", "columnMap": []}
    form = {"quotecharacter": "DOUBLE_QUOTE", "uploadspecs": json.dumps(specs), "headings": "N",
            "mergespecs": json.dumps([merge])}  # fmt: skip
    files = {"file": ("x.csv", f"{twin['E-mail Address']},Astronaut", "text/csv")}
    finished(acton, acton("PUT", "/api/1/list/l-0001", data=form, files=files))
    changed = [row for row in acton.rows("l-0001") if row["Job Title"] == "Astronaut"]
    assert len(changed) == 1
    assert changed[0]["_contact_id_"] != twin["_contact_id_"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"merge": {"dstListId": "l-0001"}}, 10025),
        ({"merge": {"columnMap": [1]}}, 10000),
        ({"merge": {"mergeKeyHeading": "Reperm_State"}}, 10088),
        ({"uploadspecs": '[{"columnHeading": "Nope", "columnIndex": 0}]'}, 10010),
        ({"uploadspecs": '[{"columnHeading": "E-mail Address", "columnIndex": 9}]'}, 10088),
        ({"uploadspecs": '[{"columnHeading": "x", "columnIndex": 0, "columnType": ""}]'}, 10000),
        ({"uploadspecs": "no json"}, 10000),
        ({"uploadspecs": '["text"]'}, 10000),
        ({"quotecharacter": ""}, 10000),
    ],
)
def test_faulty_uploads_are_refused(acton, changes, code):
    """Act-On's codes for a wrong target, key, column or specification; nothing is written."""
    answer = upload(acton, [["ada@one.example", "HOLD", "X"]], **changes)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, code)
    acton.control("advance", {"seconds": 5})
    assert tags(acton) == {}


def test_uploads_need_a_list_and_a_file(acton):
    """An unknown list is 10004, a missing file 10003, an unknown job 10017."""
    assert upload(acton, [], "l-4711").json()["errorCode"] == 10004
    assert acton("PUT", f"/api/1/list/{TAGS}", data={"x": "y"}).json()["errorCode"] == 10003
    assert acton.get("/api/1/list/99/status")["errorCode"] == 10017


def test_semicolons_and_single_quotes(acton):
    """Other dialects are read as they are declared, NONE included."""
    text = "'ada@one.example';'HO''LD';'X'"
    specs = [{"columnHeading": h, "columnIndex": p} for p, h in enumerate(HEADINGS)]
    merge = {"dstListId": TAGS, "mergeMode": "UPSERT", "columnMap": [], "mergeKeyHeading": "EMAIL"}
    form = {"quotecharacter": "SINGLE_QUOTE", "fieldseparator": "SEMICOLON", "headings": "N",
            "uploadspecs": json.dumps(specs), "mergespecs": json.dumps([merge])}  # fmt: skip
    files = {"file": ("x.csv", text, "text/csv")}
    finished(acton, acton("PUT", f"/api/1/list/{TAGS}", data=form, files=files))
    form |= {"quotecharacter": "NONE"}
    files = {"file": ("x.csv", 'ben@two.example;"H";X', "text/csv")}
    finished(acton, acton("PUT", f"/api/1/list/{TAGS}", data=form, files=files))
    assert tags(acton) == {"ada@one.example": "HO'LD", "ben@two.example": '"H"'}


def test_an_upsert_updates_or_inserts(acton):
    """A record write names headings or system usages; what is left out stays."""
    path = f"/api/1/list/{TAGS}/record"
    body = {"E-mail Address": "ada@one.example", "Consent_Gate_Code": "X"}
    first = acton("PUT", path, params={"email": "ada@one.example"}, json=body).json()
    assert (first["message"], first["id"]) == ("Record inserted", first["contact_id"])
    body = {"EMAIL": "ada@one.example", "Consent_Gate_Decision": "HOLD"}
    again = acton("PUT", path, params={"email": "ADA@one.example"}, json=body).json()
    assert (again["message"], again["id"]) == ("Record updated", first["id"])
    (row,) = acton.rows(TAGS)
    assert (row["Consent_Gate_Decision"], row["Consent_Gate_Code"]) == ("HOLD", "X")


def test_a_record_is_updated_by_id(acton):
    """The row shows the new cell in CSV and JSON, and the rest as before."""
    before = acton.rows("l-0001")[3]
    path = f"/api/1/list/l-0001/record/{before['_contact_id_']}"
    answer = acton("PUT", path, json={"Job Title": "Pilot, first class"})
    assert answer.json()["message"] == "Record updated"
    assert acton.rows("l-0001")[3] == before | {"Job Title": "Pilot, first class"}
    page = acton.get("/api/1/list/l-0001", offset=3, count=1)
    assert page["data"][0] == list(acton.rows("l-0001")[3].values())


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("l-4711/record?email=a@b.example", {}, 10004),
        ("l-4711/record/l-4711:1", {}, 10004),
        ("l-0001/record/l-0001:fffff", {}, 10008),
        ("l-0900/record?email=none", {}, 10008),
        ("l-0900/record?email=a@b.example", {"Nope": "1"}, "10010"),
        ("l-0001/record/l-0001:1", {"Nope": "1"}, "10010"),
        ("l-0001/record/l-0001:1", [], "10010"),
    ],
)
def test_faulty_record_writes_are_refused(acton, path, body, code):
    """Unknown lists, records and columns; the column's code is a text."""
    answer = acton("PUT", f"/api/1/list/{path}", json=body)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, code)


def test_another_column_can_be_the_merge_key(acton):
    """Rows are then found by the cell of that column, and those without one are rejected."""
    finished(acton, upload(acton, [["ada@one.example", "HOLD", "K1"]]))
    rows = [["new@one.example", "OK", "K1"], ["ben@two.example", "OK", ""]]
    answer = upload(acton, rows, merge={"mergeKeyHeading": "Consent_Gate_Code"})
    details = finished(acton, answer)[-1]["details"]
    assert (details["updateCount"], details["rejectedCount"]) == (1, 1)
    assert tags(acton) == {"new@one.example": "OK"}
