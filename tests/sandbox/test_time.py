"""Time moves on when told, and people act meanwhile, the same way every time."""

from datetime import UTC, datetime, timedelta

import pytest

from connector.sandbox import Limits

FORMS = "l-0001"
START = datetime(2026, 11, 23, 12, tzinfo=UTC)


def instant(text):
    """Reads what the sandbox says of time."""
    return datetime.fromisoformat(text)


def test_time_starts_where_told_and_moves_by_command(calling):
    """Days, hours and seconds add up; time does not go back."""
    start = datetime(2027, 1, 2, 3, tzinfo=UTC)
    acton = calling(start=start)
    assert instant(acton.get("/_sandbox/now")["now"]) == start
    moved = acton.control("advance", {"days": 1, "hours": 2, "seconds": 3})["now"]
    assert instant(moved) == start + timedelta(days=1, hours=2, seconds=3)
    assert acton("POST", "/_sandbox/advance", json={"days": -1}).status_code == 400
    assert acton("POST", "/_sandbox/advance", json={"weeks": 1}).status_code == 400


def test_time_goes_on_by_itself(calling):
    """Elapsed seconds are part of simulated time."""
    elapsed = [0.0]
    acton = calling(tick=lambda: elapsed[0])
    elapsed[0] = 90.0
    assert instant(acton.get("/_sandbox/now")["now"]) == START + timedelta(seconds=90)


def worlds(acton):
    """Returns everything that people can change."""
    lists = [acton.rows("l-0001"), acton.rows("l-0002")]
    return [*lists, *(acton.get(f"/api/1/list/{f}") for f in ("optout", "hardbounce"))]


def test_the_same_seed_lives_the_same_days(calling):
    """Two sandboxes with one seed stay equal; another seed has other people and other acts."""
    wide = {"contacts": 2000, "limits": Limits(10_000, 10_000, 100)}
    one, two, other = calling(seed=7, **wide), calling(seed=7, **wide), calling(seed=8, **wide)
    for acton in (one, two, other):
        acton.control("advance", {"days": 3})
        acton.login()
    assert worlds(one) == worlds(two)
    assert worlds(one) != worlds(other)


def test_one_long_step_equals_many_short_ones(calling):
    """People live every day, however the days pass."""
    one, many = calling(contacts=2000), calling(contacts=2000)
    one.control("advance", {"days": 4})
    for _ in range(4):
        many.control("advance", {"days": 1})
    one.login()
    many.login()
    assert worlds(one) == worlds(many)


def test_people_browse_ask_and_opt_out(calling):
    """Within ten days scores rise, demos are asked for and lists grow, after the start only."""
    acton = calling(contacts=5000)
    before, opted_out = acton.rows(FORMS), acton.get("/api/1/list/optout")["count"]
    acton.control("advance", {"days": 10})
    acton.login()
    after = acton.rows(FORMS)
    pairs = list(zip(before, after[: len(before)], strict=True))
    raised = [new for old, new in pairs if old["Lead Score"] != new["Lead Score"]]
    asked = [row for row in after if row["Request Date"] > "2026-11-23T12"]
    newest = acton.get("/api/1/list/optout", createdafter=int(START.timestamp()))["result"]
    assert len(raised) > 200
    assert len(asked) > 10
    assert len(newest) == acton.get("/api/1/list/optout")["count"] - opted_out > 10


def tag(acton, rows, **cells):
    """Writes tags for some rows' addresses, as the connector would."""
    for row in rows:
        email = row["E-mail Address"]
        acton("PUT", "/api/1/list/l-0900/record", params={"email": email},
              json={"E-mail Address": email, **cells})  # fmt: skip


@pytest.mark.parametrize(
    ("route", "state", "least", "most"),
    [("direct", "INVITED", 30, 60), ("direct", "AWAITING_APPROVAL", 2, 25),
     ("passive", "HELD", 2, 25), ("none", "LAPSED", 0, 0)],
)  # fmt: skip
def test_those_who_were_asked_answer(calling, route, state, least, most):
    """Within three days many of those who got a mail say yes with full evidence; of those who may
    only come by, few; of those who must not be asked, nobody."""
    acton = calling(contacts=3000)
    silent = [r for r in acton.rows(FORMS) if not r["OK to contact"] and "@" in r["E-mail Address"]]
    tag(acton, silent[:100], Reperm_Route=route, Reperm_State=state)
    acton.control("advance", {"days": 3})
    acton.login()
    asked = {row["E-mail Address"].lower() for row in silent[:100]}
    yes = [
        row
        for row in acton.rows(FORMS)
        if row["Consent Source"] == "preference_centre" and row["E-mail Address"].lower() in asked
    ]
    assert least <= len(yes) <= most
    for row in yes:
        assert (row["OK to contact"], row["Privacy Notice"]) == ("Yes", "PN-2026-06")
        assert row["Submission"]
        assert row["Consent Date"] < row["Double Opt-in Date"]


def test_members_of_a_segment_answer_too(calling):
    """A direct-select segment is another way to be asked."""
    acton = calling(contacts=2000)
    page = acton.get("/ucl/v2/12345/contact/", pageSize=100)["data"]
    body = {"name": "Ask", "parentId": "l-unified-contacts", "type": "DIRECT_SELECT"}
    made = acton("POST", "/ucl/v2/12345/segment/", json=body).json()["source"]["id"]
    ids = [contact["id"] for contact in page]
    acton("PUT", f"/ucl/v2/12345/segment/{made}/contacts", json=ids)
    acton.control("advance", {"days": 2})
    acton.login()
    yes = [r for r in acton.rows(FORMS)[:100] if r["Consent Source"] == "preference_centre"]
    assert len(yes) > 15


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        ({"do": "consent"}, {"OK to contact": "Yes", "Consent Method": "button"}),
        (
            {"do": "withdraw"},
            {"OK to contact": "Withdrawn", "Consent Date": "2026-11-23T12:00:00Z"},
        ),
        ({"do": "refuse"}, {"OK to contact": "No"}),
        ({"do": "object"}, {"Do Not Contact": "Yes"}),
        ({"do": "request_demo"}, {"Request Form": "q-0101"}),
        ({"do": "request_demo", "form": "q-0102", "channels": "phone"},
         {"Request Form": "q-0102", "Request Channels": "phone"}),
        ({"do": "gain_score", "score": 64}, {"Lead Score": "64"}),
        ({"do": "edit", "cells": {"Country": "FR"}}, {"Country": "FR"}),
    ],
)  # fmt: skip
def test_acts_change_the_first_row(acton, act, expected):
    """Each act writes what a form or page would have written."""
    row = next(r for r in acton.rows(FORMS) if r["E-mail Address"].islower())
    acton.control("act", {**act, "email": row["E-mail Address"]})
    after = next(r for r in acton.rows(FORMS) if r["_contact_id_"] == row["_contact_id_"])
    assert after == after | expected


def test_a_gained_score_qualifies_in_every_row(acton):
    """Without a number the score crosses the threshold, in both lists."""
    forms = {r["E-mail Address"].lower() for r in acton.rows(FORMS)}
    both = next(r for r in acton.rows("l-0002") if r["Email"] in forms)
    acton.control("act", {"do": "gain_score", "email": both["Email"]})
    for list_id, email, score in ((FORMS, "E-mail Address", "Lead Score"),
                                  ("l-0002", "Email", "Score")):  # fmt: skip
        rows = [r for r in acton.rows(list_id) if r[email].lower() == both["Email"]]
        assert rows
        assert all(float(row[score]) >= 40 for row in rows)


def test_people_of_the_events_list_act_there(acton):
    """Somebody who is in no form list answers in the events list, and asks by a new form row."""
    forms = {r["First Name"] + r["Last Name"] + r["Company"] for r in acton.rows(FORMS)}
    alone = next(
        r for r in acton.rows("l-0002")
        if r["First Name"] + r["Last Name"] + r["Company"] not in forms and r["Email"].islower()
    )  # fmt: skip
    acton.control("act", {"do": "object", "email": alone["Email"]})
    row = next(r for r in acton.rows("l-0002") if r["Email"] == alone["Email"])
    assert row["GDPR Consent"] == "No"
    acton.control("act", {"do": "request_demo", "email": alone["Email"]})
    assert acton.rows(FORMS)[-1]["E-mail Address"] == alone["Email"]
    assert acton.rows(FORMS)[-1]["Request Form"] == "q-0101"


def test_rows_can_join_and_vanish(acton):
    """A row that is taken out is gone from every reading; the other ids stay."""
    before = acton.rows(FORMS)
    gone = before[4]
    acton.control("act", {"do": "vanish", "email": gone["E-mail Address"]})
    assert acton.rows(FORMS) == [r for r in before if r["_contact_id_"] != gone["_contact_id_"]]
    acton.control("act", {"do": "join", "email": "new@one.example", "cells": {"Country": "GB"}})
    last = acton.rows(FORMS)[-1]
    assert (last["E-mail Address"], last["Country"]) == ("new@one.example", "GB")
    found = acton.get("/ucl/v2/12345/contact/email/new@one.example")["data"]
    assert [c["businessCountry"] for c in found] == ["GB"]


@pytest.mark.parametrize(
    "act",
    [
        {"do": "withdraw", "email": "nobody@none.example"},
        {"do": "fly", "email": "nobody@none.example"},
        {"do": "category_opt_out", "email": "a@b.example", "category": "Nope"},
        {"email": "a@b.example"},
    ],
)
def test_an_impossible_act_is_refused(acton, act):
    """An act that nobody can do is an error of the test, said at once."""
    assert acton("POST", "/_sandbox/act", json=act).status_code == 400
