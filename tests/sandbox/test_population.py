"""The people: made up, reproducible, and as mixed as a real account."""

from collections import Counter

import pytest

FORMS, EVENTS = "l-0001", "l-0002"


def key(email):
    """Returns an address as people compare it."""
    return email.strip().lower()


def test_ten_people_are_enough(calling):
    """The smallest account works like the largest."""
    acton = calling(contacts=10)
    assert len(acton.rows(FORMS)) == 11
    acton.control("advance", {"days": 30})


def test_a_person_does_not_depend_on_the_size(calling):
    """Contact 5 is the same in a small account and in a large one."""
    small, large = calling(contacts=50).rows(FORMS), calling(contacts=5000).rows(FORMS)
    assert small[:40] == large[:40]


@pytest.mark.parametrize("seed", [1, 2])
def test_scores_have_a_long_tail(calling, seed):
    """About 8 % are qualified, about 10 % watched, some blank, some decimal."""
    scores = [row["Lead Score"] for row in calling(contacts=6000, seed=seed).rows(FORMS)]
    known = [float(score) for score in scores if score]
    qualified = sum(score >= 40 for score in known) / len(scores)
    watched = sum(24 <= score < 40 for score in known) / len(scores)
    assert 0.06 < qualified < 0.10
    assert 0.08 < watched < 0.13
    assert any(score.endswith(".0") for score in scores)
    assert "" in scores


def test_addresses_are_reserved_and_sometimes_odd(calling):
    """Only example domains; role, internal, blank and broken addresses are among them."""
    rows = calling(contacts=6000).rows(FORMS)
    emails = [row["E-mail Address"] for row in rows]
    assert all(key(email).endswith(".example") for email in emails if "@" in email)
    assert {"", "info@"} <= {email[:5] if email.startswith("info@") else "" for email in emails}
    assert any(email.endswith("@acme.example") for email in emails)
    assert any(email and "@" not in email for email in emails)


def test_people_repeat(calling):
    """The same address twice, in capitals, and with a tag; and people in both lists."""
    acton = calling(contacts=3000)
    forms, events = acton.rows(FORMS), acton.rows(EVENTS)
    exact = Counter(row["E-mail Address"] for row in forms)
    folded = Counter(key(row["E-mail Address"]) for row in forms)
    assert any(count > 1 and email for email, count in exact.items())
    assert any(folded[key(email)] > exact[email] for email in exact if email)
    assert any("+news@" in email for email in exact)
    both = folded.keys() & {key(row["Email"]) for row in events}
    alone = {key(row["Email"]) for row in events} - folded.keys()
    assert len(both) > 100
    assert len(alone) > 100
    assert any("+events@" in email for email in alone)


def test_consent_is_told_in_many_ways(calling):
    """Values, dates, countries and notices are as uneven as in real accounts."""
    rows = calling(contacts=8000).rows(FORMS)
    values = {row["OK to contact"] for row in rows}
    assert {"Yes", "TRUE", "1", "No", "false", "Withdrawn", "maybe", ""} <= values
    dates = {row["Consent Date"] for row in rows}
    assert {"03/04/2026", "45726", "0000-00-00", "9999-12-31"} <= dates
    countries = {row["Country"] for row in rows}
    assert {"GB", "DE", "Deutschland", "US", "USA", "", "Atlantis"} <= countries
    assert {"PN-2024-03", "PN-2022-01", ""} <= {row["Privacy Notice"] for row in rows}
    assert {"q-0002", "q-0005"} <= {row["Form"] for row in rows}
    assert {"pre_ticked", "unticked_checkbox"} <= {row["Consent Method"] for row in rows}
    assert "purchased_list" in {row["Consent Source"] for row in rows}
    assert {"q-0101", "q-0102", "q-0103"} <= {row["Request Form"] for row in rows}


def test_lists_of_suppressed_people_have_their_share(calling):
    """About 3 % opted out, 1 % bounced, 0.2 % complained and 2 % left a category."""
    acton = calling(contacts=20_000)
    share = {f: acton.get(f"/api/1/list/{f}")["count"] / 20_000
             for f in ("optout", "hardbounce", "spamcomplaint")}  # fmt: skip
    left = sum(
        acton.get("/api/1/subscription/optout", category=category["name"])["totalCount"]
        for category in acton.get("/api/1/subscription/category")
    )
    assert 0.02 < share["optout"] < 0.04
    assert 0.006 < share["hardbounce"] < 0.014
    assert 0.001 < share["spamcomplaint"] < 0.004
    assert 0.012 < left / 20_000 < 0.028


def test_ground_truth_can_be_asked(acton):
    """Tests find people by situation, score, list or address, with their rows as they are now."""
    clean = acton.get("/_sandbox/people", situation="clean", min_score=40)
    assert clean
    assert all(p["situation"] == "clean" and p["score"] >= 40 for p in clean)
    person = next(p for p in clean if FORMS in p["rows"] and p["email"].islower())
    acton.control("act", {"do": "opt_out", "email": person["email"]})
    acton.control("act", {"do": "gain_score", "email": person["email"], "score": 99})
    (now,) = acton.get("/_sandbox/people", email=person["email"].upper())
    assert (now["number"], now["score"]) == (person["number"], 99)
    assert "optout" in now["listed"]
    assert now["rows"][FORMS]["Lead Score"] == "99"
    listed = acton.get("/_sandbox/people", listed="optout", count=1)
    assert len(listed) == 1
    assert acton.get("/_sandbox/people", email="nobody@none.example") == []
