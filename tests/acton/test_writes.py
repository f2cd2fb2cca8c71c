"""What writes promise: tags merged to the job's end, opt-outs spelled out, nobody opted in."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs

import pytest
import responses

from connector.acton.writes import TAG_HEADINGS
from connector.errors import SourceError
from connector.model import OptOut, PersonId, Tag

BASE = "https://acton.test"
STATUS = f"{BASE}/api/1/list/77/status"
START = datetime(2026, 11, 24, 12, tzinfo=UTC)
TAG = Tag(PersonId("p1"), 'a"b@x.test', "HOLD", "", "direct", "", START)
EVERYWHERE = OptOut("e1", PersonId("p1"), "a@x.test")
NEWS = OptOut("e2", PersonId("p2"), "b@x.test", category="News")


def own_list(*headings: str) -> None:
    """Answers for the headings of the tag list."""
    page = {"headers": ["_contact_id_", *headings], "data": [], "totalCount": 0}
    responses.get(f"{BASE}/api/1/list/l-0900", json=page)


def upload(*statuses: object) -> None:
    """Shows the tag list's headings, takes an upload and answers for its job in turn."""
    own_list(*TAG_HEADINGS)
    responses.put(f"{BASE}/api/1/list/l-0900", json={"status": "success", "jobId": "77"})
    for status in statuses:
        responses.get(STATUS, json=status)


def done(rejected: int = 0) -> dict[str, object]:
    """Returns the status of a job that ended."""
    return {"status": "success", "details": {"status": "ok", "rejectedCount": rejected}}


@responses.activate
def test_tags_are_merged_in_one_upload(acton, clock) -> None:
    """One multipart upload merges by address, blanks included, and its job is followed."""
    upload({"status": "The job is pending"}, {"status": "The job is running"}, done())
    receipts = acton.tag("l-0900", [TAG])
    assert [(r.external_id, r.ok) for r in receipts] == [("p1", True)]
    assert clock.slept
    sent = responses.calls[1].request.body.decode()
    assert '"mergeMode": "UPSERT"' in sent
    assert "REPLACE" not in sent
    assert "DOUBLE_QUOTE" in sent
    assert 'name="putEmptyValues"\r\n\r\nY' in sent
    assert '"a""b@x.test","HOLD","","direct","","2026-11-24T12:00:00Z"' in sent


@responses.activate
@pytest.mark.parametrize(
    "headings",
    [TAG_HEADINGS[:-1], (*TAG_HEADINGS, "OK to contact"), (*TAG_HEADINGS, TAG_HEADINGS[1])],
    ids=["one missing", "a column of the customer", "one twice"],
)
def test_a_list_that_is_not_ours_takes_no_tags(acton, headings: tuple[str, ...]) -> None:
    """A list with a column more or less than the tags is never uploaded to."""
    own_list(*headings)
    with pytest.raises(SourceError):
        acton.tag("l-0900", [TAG])
    assert [call.request.method for call in responses.calls] == ["GET"]


@responses.activate
def test_tags_go_in_the_order_of_the_list(acton) -> None:
    """Columns and their indexes follow the list, wherever its e-mail column stands."""
    own_list(*TAG_HEADINGS[::-1])
    responses.put(f"{BASE}/api/1/list/l-0900", json={"status": "success", "jobId": "77"})
    responses.get(STATUS, json=done())
    assert acton.tag("l-0900", [TAG])[0].ok
    sent = responses.calls[1].request.body.decode()
    assert '"2026-11-24T12:00:00Z","","direct","","HOLD","a""b@x.test"' in sent
    assert (
        '"columnHeading": "E-mail Address", "columnIndex": 5, "ignoreColumn": "N", "columnType"'
        in sent
    )


@responses.activate
def test_only_the_rejected_rows_fail_where_they_are_named(acton) -> None:
    """The file of rejected rows tells which tags were not written; the others are done."""
    status = done(rejected=1)
    status["details"]["rejectedRecordsUrl"] = "bad.csv"
    upload(status)
    path = f"{BASE}/api/1/list/rejectedUploadRecords"
    responses.get(path, body="E-mail Address\nB@x.test\n")
    receipts = acton.tag("l-0900", [TAG, replace(TAG, email="b@x.test")])
    assert [r.ok for r in receipts] == [True, False]


@responses.activate
def test_an_unknown_upload_answer_is_an_error(acton) -> None:
    """An upload that names no job is not taken for done."""
    own_list(*TAG_HEADINGS)
    responses.put(f"{BASE}/api/1/list/l-0900", json={"status": "success"})
    with pytest.raises(SourceError):
        acton.tag("l-0900", [TAG])


@responses.activate
def test_rejected_tags_are_never_reported_done(acton) -> None:
    """A job that rejected a row gives no tag of its upload a good receipt."""
    upload(done(rejected=1))
    assert [r.ok for r in acton.tag("l-0900", [TAG])] == [False]


@responses.activate
@pytest.mark.parametrize(
    "status", [{"status": "error"}, {"status": "success", "details": {"status": "failed"}}]
)
def test_a_failed_job_is_an_error(acton, status: object) -> None:
    """Only success with details that say ok is success."""
    upload(status)
    with pytest.raises(SourceError):
        acton.tag("l-0900", [TAG])


@responses.activate
def test_a_job_without_end_is_given_up(acton) -> None:
    """A job that stays pending ends in an error and not in an endless wait."""
    upload({"status": "The job is pending"})
    with pytest.raises(SourceError):
        acton.tag("l-0900", [TAG])


@responses.activate
def test_a_global_opt_out_is_a_file_of_addresses(acton) -> None:
    """The global list takes one column without a heading."""
    responses.put(f"{BASE}/api/1/list/optout", json={"status": "success", "rejectedRecords": 0})
    assert [(r.external_id, r.ok) for r in acton.opt_out([EVERYWHERE])] == [("e1", True)]
    assert b"\r\n\r\na@x.test\r\n" in responses.calls[0].request.body


@responses.activate
def test_a_rejected_global_opt_out_is_not_done(acton) -> None:
    """Success with rejects is no success."""
    responses.put(f"{BASE}/api/1/list/optout", json={"status": "success", "rejectedRecords": 1})
    assert not acton.opt_out([EVERYWHERE])[0].ok


@responses.activate
@pytest.mark.parametrize(("word", "ok"), [("OptOut", True), ("OptIn", False)])
def test_a_category_opt_out_is_spelled_out_and_confirmed(acton, word: str, ok: bool) -> None:
    """The form always says optout, and an answer that says OptIn is a fault."""
    message = f"{word} entry added for subscription category : News"
    responses.put(
        f"{BASE}/api/1/subscription/optout", json={"status": "success", "message": message}
    )
    assert acton.opt_out([NEWS])[0].ok is ok
    form = parse_qs(str(responses.calls[0].request.body))
    assert form == {"email": ["b@x.test"], "category": ["News"], "action": ["optout"]}


SEGMENT = f"{BASE}/ucl/v2/12345/segment/g-1/contacts"


@responses.activate
def test_a_segment_takes_a_hundred_at_a_time_and_is_read_back(acton) -> None:
    """Only contacts that stand in the segment afterwards count as invited."""
    ids = [f"l:{n}" for n in range(150)]
    responses.put(SEGMENT, json={"isSuccess": True})
    responses.get(SEGMENT, json={"data": [{"id": i} for i in ids[:100]], "hasNextPage": True})
    responses.get(SEGMENT, json={"data": [{"id": i} for i in ids[100:-1]], "hasNextPage": False})
    receipts = acton.invite("g-1", ids)
    assert [len(json.loads(c.request.body)) for c in responses.calls[:2]] == [100, 50]
    assert [r.external_id for r in receipts if not r.ok] == ["l:149"]


@responses.activate
def test_who_stays_in_a_segment_was_not_taken_out(acton) -> None:
    """Removal sends a JSON body with DELETE and believes only what it reads afterwards."""
    responses.delete(SEGMENT, json={"isSuccess": True})
    responses.get(SEGMENT, json={"data": [{"id": "l:2"}], "hasNextPage": False})
    receipts = acton.uninvite("g-1", ["l:1", "l:2"])
    assert [r.ok for r in receipts] == [True, False]
    assert responses.calls[0].request.body == b'["l:1", "l:2"]'


def test_nobody_to_invite_costs_no_call(acton) -> None:
    """An empty batch is not sent."""
    assert acton.invite("g-1", []) == []
    assert acton.calls == 0
