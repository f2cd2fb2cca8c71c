"""The client against the sandbox over real HTTP: every road, every fault, every write."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from connector.acton import ActOn, ActOnAuth, Column, Source
from connector.acton.contacts import PAGE_SIZES
from connector.acton.pages import PAGE
from connector.errors import ActOnError, ConnectorError, CredentialsError, SourceError
from connector.model import Feed, OptOut, PersonId, Tag
from connector.sandbox import Server, serve
from connector.transport import Transport

SECRETS = ("sandbox-client", "sandbox-secret", "api@acme.example", "sandbox-password")
FORMS = Source(
    "marketing_list",
    "l-0001",
    (
        Column("email", "E-mail Address"),
        Column("score", "Lead Score"),
        Column("consent_email", "OK to contact", also=("consent_phone",)),
        Column("consent_ts", "Consent Date"),
    ),
)
EVENTS = Source(
    "marketing_list", "l-0002", (Column("email", "Email"), Column("consent_email", "GDPR Consent"))
)
EVERYBODY = Source("contacts", "l-unified-contacts", FORMS.columns, "Origin List")
CONTACTS = 1500
KINDS = ("429", "500", "502", "drop", "truncate", "expire_token", "duplicate_page", "move_row")
READS: dict[str, tuple[str, Callable[[ActOn], Any]]] = {
    "csv": ("/api/1/list/l-0001", lambda a: list(a.rows(FORMS))),
    "pages": ("/api/1/list/l-0001", lambda a: list(a.rows(FORMS, pages=True))),
    "contacts": ("/ucl/v2", lambda a: list(a.rows(EVERYBODY))),
    "suppressions": ("/api/1/(list|subscription)/", lambda a: list(a.suppressions())),
}


@pytest.fixture(scope="module")
def world() -> Iterator[Server]:
    """Serves one account for all tests that change nothing in it."""
    with serve(contacts=CONTACTS, seed=7, limits=(100_000, 1_000_000, 100_000)) as server:
        yield server


@contextmanager
def opened(server: Server, clock, ledger, quota, secrets=SECRETS) -> Iterator[ActOn]:
    """Opens a client on a server; closes its connections."""
    auth = ActOnAuth(server.url, secrets, ledger, clock)
    transport = Transport(server.url, quota=quota, clock=clock, auth=auth)
    try:
        yield ActOn(transport, "12345")
    finally:
        transport.close()
        auth.close()


@pytest.fixture
def client(world, clock, ledger, quota) -> Iterator[ActOn]:
    """Opens a client on the shared account."""
    with opened(world, clock, ledger, quota) as acton:
        yield acton


def tell(server: Server, what: str, body: object) -> None:
    """Uses a control of the sandbox."""
    requests.post(f"{server.url}/_sandbox/{what}", json=body, timeout=10).raise_for_status()


def struck(server: Server, acton: ActOn, read: str, fault: dict[str, object]) -> object:
    """Reads under a fault; returns what was read, or the error that it ended in."""
    tell(server, "faults", [fault])
    try:
        return READS[read][1](acton)
    except ConnectorError as error:
        return error
    finally:
        tell(server, "faults", [])


def as_set(found: object) -> set[str]:
    """Returns rows in a form whose order does not count."""
    assert isinstance(found, list)
    return {repr((*entry[:2], dict(entry[2]) if hasattr(entry, "cells") else entry[2:]))
            for entry in found}  # fmt: skip


def test_all_roads_lead_to_the_same_people(client) -> None:
    """CSV, JSON pages and Act-On Contacts show the same rows of a list, each once."""
    csv, pages = list(client.rows(FORMS)), list(client.rows(FORMS, pages=True))
    contacts = [row for row in client.rows(EVERYBODY) if row.source == "l-0001"]
    assert PAGE < len(csv) < 2 * PAGE
    assert as_set(csv) == as_set(pages)
    assert sorted(map(repr, (dict(r.cells) for r in csv))) == sorted(
        map(repr, (dict(r.cells) for r in contacts))
    )


def test_both_lists_are_in_act_on_contacts(client) -> None:
    """Contacts name their list of origin, and no row is missing."""
    lists = len(list(client.rows(FORMS))) + len(list(client.rows(EVENTS)))
    found = list(client.rows(EVERYBODY))
    assert len(found) == lists == len({row.contact_id for row in found})
    assert {row.source for row in found} == {"l-0001", "l-0002"}


def test_reads_cost_what_they_must(client) -> None:
    """A list is one CSV call, or a page call for each thousand; contacts a call for each page."""
    client.account()
    spent = []
    for read in (
        lambda: client.rows(FORMS),
        lambda: client.rows(FORMS, pages=True),
        lambda: client.rows(EVERYBODY),
    ):
        before = client.calls
        rows = len(list(read()))
        spent.append(client.calls - before)
    assert spent == [1, 2, 1 + -(-rows // PAGE_SIZES[0])]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("read", READS)
def test_any_fault_at_any_call_ends_well(clock, ledger, quota, kind: str, read: str) -> None:
    """One fault, at each call in turn, is met and ends in the whole result all the same."""
    path, _ = READS[read]
    limits = (100_000, 1_000_000, 100_000)
    with (
        serve(contacts=CONTACTS, seed=7, limits=limits) as server,
        opened(server, clock, ledger, quota) as acton,
    ):
        acton.account()
        before = acton.calls
        whole = as_set(READS[read][1](acton))
        clean = acton.calls - before
        extra = 0
        for nth in range(1, clean + 1):
            before = acton.calls
            found = struck(server, acton, read, {"kind": kind, "path": path, "nth": nth})
            assert not isinstance(found, ConnectorError), found
            assert as_set(found) == whole
            extra += acton.calls - before - clean
        # what comes in one page has none that could shift; every other fault must have been met
        one_page = read in {"csv", "suppressions"}
        assert extra > 0 or (one_page and kind in {"duplicate_page", "move_row"})


def test_a_fault_that_stays_is_an_error(world, client) -> None:
    """A list that is cut each time it is read raises SourceError after bounded reads."""
    before = client.calls
    fault = {"kind": "truncate", "path": "l-0001", "times": 99}
    assert isinstance(struck(world, client, "csv", fault), SourceError)
    assert client.calls - before == 3


def test_a_missing_list_is_told_by_its_code(client) -> None:
    """Act-On's own code for a missing list reaches the error."""
    with pytest.raises(ActOnError) as caught:
        list(client.rows(Source("marketing_list", "l-0999", FORMS.columns)))
    assert (caught.value.status, caught.value.code) == (400, "10004")


@pytest.mark.parametrize("source", [FORMS, EVERYBODY], ids=["list", "contacts"])
def test_a_vanished_column_stops_the_read(clock, ledger, quota, source: Source) -> None:
    """A column that the customer removed is named, by the check and by the read."""
    with serve(contacts=20) as server, opened(server, clock, ledger, quota) as acton:
        acton.check(source)
        tell(server, "drop_column", {"list": source.id, "heading": "OK to contact"})
        for attempt in (acton.check, lambda s: list(acton.rows(s))):
            with pytest.raises(SourceError) as caught:
                attempt(source)
            assert "'OK to contact'" in caught.value.message


def test_the_feeds_are_complete_and_a_window_only_narrows(world, client) -> None:
    """Every feed has entries; a window gives a part of them, and one from the start all."""
    everything = set(client.suppressions())
    assert {entry.feed for entry in everything} == set(Feed)
    assert client.unreadable == 0
    first = min(entry.at.earliest for entry in everything if entry.at)
    assert set(client.suppressions(since=first)) == everything
    middle = sorted(e.at.earliest for e in everything if e.at)[len(everything) // 2]
    assert set(client.suppressions(since=middle)) == {
        e for e in everything if e.at and e.at.latest >= middle - timedelta(minutes=15)
    }


def test_the_account_and_its_programmes_are_told(client) -> None:
    """The account of the credentials guards each run; programmes that feed Sales are named."""
    account = client.account()
    assert (account.id, account.time_zone) == ("12345", "Europe/London")
    assert "Hot leads to Sales" in {program.name for program in client.programs()}


def test_wrong_credentials_cost_one_authentication(world, clock, ledger, quota) -> None:
    """A refused password is a CredentialsError and is not tried a second time."""
    for _ in range(2):
        with (
            opened(world, clock, ledger, quota, (*SECRETS[:3], "wrong")) as acton,
            pytest.raises(CredentialsError),
        ):
            acton.account()
    assert ledger.booked == 1


def test_a_token_outlives_the_process_and_is_refreshed(world, clock, ledger, quota) -> None:
    """A second client uses the kept token; after an hour it is refreshed, without the password."""
    for hours, booked in ((0, 1), (0, 1), (1, 2)):
        clock.at += timedelta(hours=hours)
        with opened(world, clock, ledger, quota) as acton:
            assert acton.account().id == "12345"
        assert ledger.booked == booked


def test_tags_and_opt_outs_arrive(clock, ledger, quota) -> None:
    """Tags stand in the list of ours, opt-outs in their feeds, and nobody else changed."""
    with serve(contacts=50, limits=(1000, 9999, 99)) as server:
        with opened(server, clock, ledger, quota) as acton:
            before = {(s.feed, s.category, s.email) for s in acton.suppressions()}
            free = [str(r.cells["email"]) for r in acton.rows(FORMS)]
            listed = {email.casefold() for _, _, email in before}
            one, two = [e for e in free if "@" in e and e.casefold() not in listed][:2]
            at = datetime(2026, 11, 24, tzinfo=UTC)
            tag = Tag(PersonId("p1"), one, "HOLD", "CONSENT_MISSING", "passive", "", at)
            assert [r.fault for r in acton.tag("l-0900", [tag])] == [""]
            outs = [
                OptOut("e1", PersonId("p1"), one),
                OptOut("e2", PersonId("p2"), two, category="Newsletter"),
            ]
            assert [r.fault for r in acton.opt_out(outs)] == ["", ""]
            after = {(s.feed, s.category, s.email) for s in acton.suppressions()}
        shown = requests.get(f"{server.url}/_sandbox/tags", timeout=10).json()
    assert shown[one.lower()]["Consent_Gate_Code"] == "CONSENT_MISSING"
    assert {(f, c, e.casefold()) for f, c, e in after - before} == {
        (Feed.OPTOUT, "", one.casefold()),
        (Feed.CATEGORY, "Newsletter", two.casefold()),
    }
