"""Feeds of those who must not be contacted, and the writes that Act-On makes dangerous."""

import pytest

FEEDS = ("optout", "hardbounce", "spamcomplaint")
START = 1_795_435_200


@pytest.mark.parametrize("feed", FEEDS)
def test_account_lists_never_tell_their_total(calling, feed):
    """The total is -1 and the pages are whole."""
    acton = calling(contacts=4000)
    whole = acton.get(f"/api/1/list/{feed}", count=1000)
    assert whole["totalCount"] == -1
    paged = [
        entry
        for offset in range(0, len(whole["result"]) + 2, 2)
        for entry in acton.get(f"/api/1/list/{feed}", count=2, offset=offset)["result"]
    ]
    assert paged == whole["result"]
    assert whole["result"]
    assert all(entry["timestamp"] > 10**12 for entry in paged)


def test_without_count_everything_comes(calling):
    """The early documents answer a call without ``count`` with the whole list."""
    acton = calling(contacts=40_000)
    assert acton.get("/api/1/list/optout")["count"] > 1000
    assert acton.get("/api/1/list/optout", count=5000)["count"] == 1000


@pytest.mark.parametrize(
    ("act", "feed"),
    [("opt_out", "optout"), ("complain", "spamcomplaint"), ("bounce", "hardbounce"),
     ("unsubscribe", "optout")],
)  # fmt: skip
def test_acts_arrive_on_their_lists(acton, act, feed):
    """What a person does is on the list at once, dated by simulated time; seconds filter it."""
    email = next(row["E-mail Address"] for row in acton.rows("l-0001")[50:] if row["OK to contact"])
    acton.control("advance", {"minutes": 5})
    acton.control("act", {"do": act, "email": email})
    newest = acton.get(f"/api/1/list/{feed}", count=1000, createdafter=START)["result"]
    assert [(e["email"], e["timestamp"]) for e in newest] == [(email, (START + 300) * 1000)]
    late = acton.get(f"/api/1/list/{feed}", count=1000, createdafter=START * 1000)
    assert late["result"] == []


def test_categories_have_text_ids(acton):
    """The four categories of the account, with ids as texts."""
    found = acton.get("/api/1/subscription/category")
    assert [(c["id"], c["name"]) for c in found] == [
        ("1", "Sales contact"), ("2", "Product news"), ("3", "Events"), ("4", "Newsletter"),
    ]  # fmt: skip


def test_category_opt_outs_tell_their_total(acton):
    """Here the total is real, and an unknown category is refused."""
    person = {"do": "category_opt_out", "email": "x.y@z.example", "category": "Product news"}
    before = acton.get("/api/1/subscription/optout", category="Product news")["totalCount"]
    acton.control("act", person)
    after = acton.get("/api/1/subscription/optout", category="Product news", count=1000)
    assert after["totalCount"] == len(after["result"]) == before + 1
    assert acton("GET", "/api/1/subscription/optout?category=Nope").status_code == 404


def test_an_opt_out_upload_succeeds_with_rejects(acton):
    """The answer says success although an address was rejected; the reject has a file."""
    text = "ada@one.example\r\nnot an address\r\n\r\napi@acme.example\r\n"
    answer = acton("PUT", "/api/1/list/optout", files={"file": ("o.csv", text, "text/csv")}).json()
    assert (answer["status"], answer["rejectedRecords"]) == ("success", 2)
    assert answer["emptyRecords"] == 1
    name = answer["rejectedRecordsUrl"]
    file = acton("GET", f"/api/1/list/rejectedUploadRecords?filename={name}").text
    assert "not an address" in file
    listed = acton.get("/api/1/list/optout")["result"]
    assert "ada@one.example" in {entry["email"] for entry in listed}
    assert acton("GET", "/api/1/list/rejectedUploadRecords?filename=no").status_code == 400


def test_an_opt_out_without_a_file_is_10003(acton):
    """The file part is required."""
    assert acton("PUT", "/api/1/list/optout").json()["errorCode"] == 10003


def test_a_repeated_opt_out_keeps_its_date(acton):
    """Whoever stands on the list stays there since the first time."""
    first = acton.get("/api/1/list/optout")["result"][0]
    acton.control("act", {"do": "opt_out", "email": first["email"].swapcase()})
    again = acton.get("/api/1/list/optout")["result"]
    assert [e for e in again if e["email"].lower() == first["email"].lower()] == [first]


def category_call(acton, **form):
    """Writes a category choice and returns the message."""
    form = {"email": "ada@one.example", "category": "Product news"} | form
    return acton("PUT", "/api/1/subscription/optout", data=form).json()["message"]


def opted_out(acton):
    """Returns who opted out of Product news."""
    found = acton.get("/api/1/subscription/optout", category="Product news", count=1000)
    return {entry["email"] for entry in found["result"]}


def test_a_missing_action_opts_in(acton):
    """The documented trap: the URL says optout, the default is opt-in, and the log tells."""
    assert category_call(acton, action="optout").startswith("OptOut entry added")
    assert "ada@one.example" in opted_out(acton)
    assert category_call(acton).startswith("OptIn entry added")
    assert "ada@one.example" not in opted_out(acton)
    found = acton.get("/api/1/subscription/category", email="ada@one.example")
    assert [category["name"] for category in found] == ["Product news"]
    flags = [line["forbidden"] for line in acton.get("/_sandbox/log") if line["method"] == "PUT"]
    assert flags == [False, True]


def test_set_categories_without_one_opts_out_of_all(acton):
    """The other trap, logged as forbidden."""
    acton("PUT", "/api/1/subscription/setcategories", data={"email": "ada@one.example"})
    assert "ada@one.example" in opted_out(acton)
    assert acton.get("/_sandbox/log")[-2]["forbidden"] is True


def test_opt_in_uploads_work_and_are_logged(acton):
    """Re-subscribing works as at Act-On, so that a test sees what it would do."""
    listed = acton.get("/api/1/list/optout")["result"][0]["email"]
    acton("PUT", "/api/1/list/optin", files={"file": ("o.csv", listed, "text/csv")})
    assert listed not in {e["email"] for e in acton.get("/api/1/list/optout")["result"]}
    assert any(line["forbidden"] for line in acton.get("/_sandbox/log"))
