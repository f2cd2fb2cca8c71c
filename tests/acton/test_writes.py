"""What writes promise: tags merged to the job's end, opt-outs spelled out, nobody opted in."""

from datetime import UTC, datetime
from urllib.parse import parse_qs

import pytest
import responses

from connector.errors import SourceError
from connector.model import OptOut, PersonId, Tag

BASE = "https://acton.test"
STATUS = f"{BASE}/api/1/list/77/status"
START = datetime(2026, 11, 24, 12, tzinfo=UTC)
TAG = Tag(PersonId("p1"), 'a"b@x.test', "HOLD", "", "direct", "", START)
EVERYWHERE = OptOut("e1", PersonId("p1"), "a@x.test")
NEWS = OptOut("e2", PersonId("p2"), "b@x.test", category="News")


def upload(*statuses: object) -> None:
    """Takes an upload and answers for its job in turn."""
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
    sent = responses.calls[0].request.body.decode()
    assert '"mergeMode": "UPSERT"' in sent
    assert "REPLACE" not in sent
    assert "DOUBLE_QUOTE" in sent
    assert 'name="putEmptyValues"\r\n\r\nY' in sent
    assert '"a""b@x.test","HOLD","","direct","","2026-11-24T12:00:00Z"' in sent


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
