"""Judged by the real rules, the people are a realistic mix, whichever way they are read."""

import tomllib
from collections import Counter, defaultdict
from datetime import UTC, datetime

import pytest

from connector.consent.decide import evaluate
from connector.consent.evidence import Evidence, Suppressions
from connector.consent.keys import broad_key, narrow_key
from connector.model import Band, Feed, Interval, Outcome, Row, Suppression
from connector.policy_file import load_policy
from connector.qualification import band_of
from connector.sandbox import config_files

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
FEEDS = {"optout": Feed.OPTOUT, "hardbounce": Feed.HARDBOUNCE, "spamcomplaint": Feed.SPAM}
UCL = "/ucl/v2/12345"
KEYS = {"EMAIL": "email", "FIRST_NAME": "firstName", "LAST_NAME": "lastName",
        "COMPANY": "company", "TITLE": "title", "BUSINESS_PHONE": "businessPhone",
        "BUSINESS_COUNTRY": "businessCountry", "DATE_OF_BIRTH": "dateOfBirth",
        "ACTON_PRIMARY_SCORE": "actonPrimaryScore"}  # fmt: skip


def mapped(source):
    """Returns heading by field of one source of connector.toml."""
    columns = source["columns"].items()
    return {field: c if isinstance(c, str) else c["column"] for field, c in columns}


def from_lists(acton):
    """Returns the rows of both lists by their own column maps."""
    for source in tomllib.loads(config_files(acton.url)["connector.toml"])["source"]:
        columns = mapped(source)
        for row in acton.rows(source["id"]):
            cells = {field: row[heading] for field, heading in columns.items()}
            yield Row(source["id"], row["_contact_id_"], cells)


def from_contacts(acton):
    """Returns Act-On Contacts by the column map of the other file, under their list of origin."""
    (source,) = tomllib.loads(config_files(acton.url, "contacts")["connector.toml"])["source"]
    columns = mapped(source) | {"origin": source["origin"]}
    schema = {column["name"]: column for column in acton.get(f"{UCL}/schema/")["columns"]}
    more, page = True, 0
    while more:
        answer = acton.get(f"{UCL}/contact/", page=page, pageSize=1000)
        more, page = answer["hasNextPage"], page + 1
        for contact in answer["data"]:
            cells = {f: cell_of(contact, schema[heading]) for f, heading in columns.items()}
            yield Row(cells.pop("origin"), contact["id"], cells)


def cell_of(contact, column):
    """Returns one cell of a contact: a standard field, or a custom field by column index."""
    if column["standardFieldMapping"]:
        return contact[KEYS[column["standardFieldMapping"]]]
    return contact["customFields"][str(column["columnIndex"])]


def suppressed(acton):
    """Returns all entries of all feeds, by broad key."""
    found = defaultdict(list)
    paths = {f"/api/1/list/{name}": (feed, "") for name, feed in FEEDS.items()}
    for category in acton.get("/api/1/subscription/category"):
        path = f"/api/1/subscription/optout?category={category['name']}"
        paths[path] = (Feed.CATEGORY, category["name"])
    for path, (feed, category) in paths.items():
        for entry in acton.get(path)["result"]:
            at = datetime.fromtimestamp(entry["timestamp"] / 1000, UTC)
            listed = Suppression(feed, entry["email"], Interval(at, at), category)
            found[broad_key(narrow_key(entry["email"]))].append(listed)
    return found


def decisions(acton, rows, policy):
    """Returns band, outcome, codes and channels by narrow key."""
    own, kin, listed = defaultdict(list), defaultdict(list), suppressed(acton)
    for row in rows:
        key = narrow_key(row.cells["email"])
        if key is not None:
            own[key].append(row)
            kin[broad_key(key)].append(row)
    found = {}
    for key, mine in own.items():
        broad = broad_key(key)
        lists = Suppressions(True, NOW, tuple(listed[broad]))
        decision = evaluate(Evidence(key, tuple(kin[broad]), lists), policy, NOW)
        band = band_of(mine, policy.score)
        found[key] = (band, decision.outcome, decision.codes, decision.channels)
    return found


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    """The sandbox's own policy, read as a company's file is."""
    path = tmp_path_factory.mktemp("policy") / "policy.toml"
    path.write_text(config_files("http://127.0.0.1:1")["policy.toml"])
    return load_policy(path, today=NOW.date()).policy


def test_both_roads_lead_to_the_same_decisions(calling, policy):
    """Two lists and Act-On Contacts show the same evidence of everybody."""
    acton = calling(contacts=2000)
    by_lists = decisions(acton, from_lists(acton), policy)
    assert by_lists == decisions(acton, from_contacts(acton), policy)
    assert len(by_lists) > 1900


def test_a_quarter_to_a_third_of_the_qualified_may_be_pushed(calling, policy):
    """All outcomes occur among the qualified, and a push is not the rule."""
    acton = calling(contacts=12_000)
    found = decisions(acton, from_lists(acton), policy).values()
    qualified = Counter(outcome for band, outcome, *_ in found if band is Band.QUALIFIED)
    assert set(qualified) == set(Outcome)
    assert 0.25 <= qualified[Outcome.PUSH] / qualified.total() <= 0.36
    codes = {code.value for _, _, found_codes, _ in found for code in found_codes}
    assert {"OK_REQUESTED", "DOI_REQUIRED", "CONSENT_CONFLICT", "MINOR", "OBJECTED"} <= codes
