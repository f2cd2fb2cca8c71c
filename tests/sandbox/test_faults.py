"""Every kind of misbehaviour can be planned, and strikes exactly where it was planned."""

import time

import pytest
import requests

FORMS = "/api/1/list/l-0001"
UCL = "/ucl/v2/12345/contact/"


@pytest.mark.parametrize("kind", ["429", "500", "502"])
def test_refusals_strike_the_nth_call(acton, kind):
    """The second call and the third are refused in the gateway's envelope, then all is well."""
    acton.control("faults", [{"kind": kind, "path": FORMS, "nth": 2, "times": 2}])
    seen = [acton("GET", FORMS, params={"count": 1}).status_code for _ in range(4)]
    assert seen == [200, int(kind), int(kind), 200]
    assert acton("GET", "/api/1/account").status_code == 200


def test_faults_can_be_narrowed_to_a_method(acton):
    """A fault for PUT leaves GET alone."""
    acton.control("faults", [{"kind": "500", "path": "l-0900", "method": "PUT"}])
    assert acton("GET", "/api/1/list/l-0900").status_code == 200
    assert acton("PUT", "/api/1/list/l-0900").status_code == 500


def test_drop_closes_without_an_answer(acton):
    """The client sees a broken connection, the log a status of 0."""
    acton.control("faults", [{"kind": "drop", "path": FORMS}])
    with pytest.raises(requests.ConnectionError):
        acton("GET", FORMS)
    assert acton.get("/_sandbox/log")[-1]["status"] == 0
    assert acton("GET", FORMS, params={"count": 1}).status_code == 200


def test_slow_answers_late(acton):
    """The answer comes, after the given seconds."""
    acton.control("faults", [{"kind": "slow", "path": FORMS, "seconds": 0.3}])
    before = time.monotonic()
    assert acton("GET", FORMS, params={"count": 1}).status_code == 200
    assert time.monotonic() - before >= 0.3


@pytest.mark.parametrize("shape", [{"responseformat": "CSV"}, {"count": 100}])
def test_truncated_bodies_end_in_the_middle(acton, shape):
    """CSV has no last chunk, JSON is shorter than announced: no client can take it for whole."""
    acton.control("faults", [{"kind": "truncate", "path": FORMS}])
    broken = (requests.exceptions.ChunkedEncodingError, requests.ConnectionError)
    with pytest.raises(broken):
        acton("GET", FORMS, params=shape)
    assert acton("GET", FORMS, params=shape).status_code == 200


def test_a_truncated_list_of_many_chunks_has_begun(calling):
    """Thousands of rows arrive before the body ends too early."""
    acton = calling(contacts=6000)
    acton.control("faults", [{"kind": "truncate", "path": FORMS}])
    got: list[bytes] = []
    broken = (requests.exceptions.ChunkedEncodingError, requests.ConnectionError)
    with acton("GET", FORMS, params={"responseformat": "CSV"}, stream=True) as answer:
        chunks = answer.iter_content(4096)
        with pytest.raises(broken):
            got.extend(chunks)
    assert 2000 < b"".join(got).count(b"\n") < 5000


def test_an_expired_token_stays_dead(acton):
    """The call gets 401 and so do all others until a new token comes."""
    acton.control("faults", [{"kind": "expire_token", "path": FORMS}])
    assert acton("GET", FORMS).status_code == 401
    assert acton("GET", "/api/1/account").status_code == 401
    acton.login()
    assert acton("GET", "/api/1/account").status_code == 200


@pytest.mark.parametrize(
    ("path", "first", "second", "rows"),
    [
        (FORMS, {"count": 10}, {"count": 10, "offset": 10}, "data"),
        (UCL, {"pageSize": 10}, {"pageSize": 10, "page": 1}, "data"),
        ("/api/1/list/optout", {"count": 3}, {"count": 3, "offset": 3}, "result"),
    ],
)
def test_a_duplicate_page_is_the_one_before(acton, path, first, second, rows):
    """The page of the offset before is sent again."""
    acton.control("faults", [{"kind": "duplicate_page", "path": path, "nth": 2}])
    one, two = acton.get(path, **first)[rows], acton.get(path, **second)[rows]
    assert one == two
    assert acton.get(path, **second)[rows] != one


@pytest.mark.parametrize(
    ("path", "size", "place"), [(FORMS, "count", "offset"), (UCL, "pageSize", "page")]
)
def test_a_moved_row_is_missed_by_paging(acton, path, size, place):
    """One row moves to the front after the first page: paging sees one twice and misses one."""
    step = 100 if place == "offset" else 1
    acton.control("faults", [{"kind": "move_row", "path": path}])
    ids = []
    for number in range(4):
        page = acton.get(path, **{size: 100, place: number * step})
        ids += [row[0] if isinstance(row, list) else row["id"] for row in page["data"]]
    assert len(ids) == page["totalCount"]
    assert len(set(ids)) == len(ids) - 1
    again = []
    for number in range(4):
        page = acton.get(path, **{size: 100, place: number * step})
        again += [row[0] if isinstance(row, list) else row["id"] for row in page["data"]]
    assert len(set(again)) == page["totalCount"]


def test_an_unknown_fault_is_refused(acton):
    """A typing error in a plan is an error, not a test that passes for no reason."""
    assert "known" in acton.control("faults", [{"kind": "explode"}])["unknown"]
    assert acton("POST", "/_sandbox/faults", json=[{"kinds": "429"}]).status_code == 400


def test_an_empty_plan_ends_all_faults(acton):
    """A new plan replaces the old one."""
    acton.control("faults", [{"kind": "500", "times": 99}])
    assert acton("GET", FORMS).status_code == 500
    acton.control("faults", [])
    assert acton("GET", FORMS).status_code == 200
