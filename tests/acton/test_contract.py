"""Every call that the client makes, against the published contract and against what it never does.

The table is our own digest of Act-On's documents; docs/acton-api-notes.md says where they
contradict each other and which one is followed.
"""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import pytest
import requests

from connector.acton import ActOn, ActOnAuth, Column, Source
from connector.model import OptOut, PersonId, Tag
from connector.sandbox import serve
from connector.transport import Transport

ROOT: Final = Path(__file__).parents[2] / "connector"
PAGING: Final = {"count", "offset"}
SINCE: Final = {"createdafter"}
UCL: Final = "/ucl/v2/12345"
JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
FILE: Final = "multipart/form-data"


class Known(NamedTuple):
    """One call of the contract; ``body`` is its content type, ``""`` for none."""

    method: str
    path: str
    query: frozenset[str] = frozenset()
    body: str = ""


CONTRACT: Final = (
    Known("POST", "/token", body=FORM),
    Known("GET", "/api/1/account"),
    Known("GET", "/api/1/program"),
    Known("GET", r"/api/1/list/l-[0-9a-f]+", frozenset(PAGING | {"responseformat"})),
    Known("GET", "/api/1/list/(optout|hardbounce|spamcomplaint)", frozenset(PAGING | SINCE)),
    Known("GET", "/api/1/subscription/category"),
    Known("GET", "/api/1/subscription/optout", frozenset(PAGING | {"category"})),
    Known("GET", r"/api/1/list/\d+/status"),
    Known("GET", "/api/1/list/rejectedUploadRecords", frozenset({"filename"})),
    Known("PUT", r"/api/1/list/l-[0-9a-f]+", body=FILE),
    Known("PUT", "/api/1/list/optout", body=FILE),
    Known("PUT", "/api/1/subscription/optout", body=FORM),
    Known("GET", f"{UCL}/schema/", frozenset({"skipHidden", "skipReadOnly"})),
    Known("GET", f"{UCL}/contact/", frozenset({"page", "pageSize"})),
    Known("POST", f"{UCL}/contact/byFields", frozenset({"page", "pageSize"}), JSON),
    Known("GET", rf"{UCL}/segment/g-[0-9a-f]+/contacts", frozenset({"page", "pageSize"})),
    Known("PUT", rf"{UCL}/segment/g-[0-9a-f]+/contacts", body=JSON),
    Known("DELETE", rf"{UCL}/segment/g-[0-9a-f]+/contacts", body=JSON),
)
COLUMNS: Final = (Column("email", "E-mail Address"), Column("consent_email", "OK to contact"))
LIST: Final = Source("marketing_list", "l-0001", COLUMNS)
EVERYBODY: Final = Source("contacts", "l-unified-contacts", COLUMNS)
SECRETS: Final = ("sandbox-client", "sandbox-secret", "api@acme.example", "sandbox-password")
AT: Final = datetime(2026, 11, 24, tzinfo=UTC)


def use_everything(acton: ActOn, segment: str) -> None:
    """Makes every call that the client can make."""
    acton.account()
    acton.programs()
    for source in (LIST, EVERYBODY):
        acton.check(source)
    ids = [row.contact_id for row in acton.rows(EVERYBODY)]
    emails = [str(row.cells["email"]) for row in acton.rows(LIST)]
    assert list(acton.rows(LIST, pages=True))
    assert list(acton.suppressions())
    list(acton.suppressions(since=AT))
    person = PersonId("p1")
    acton.tag("l-0900", [Tag(person, emails[0], "HOLD", "", "", "", AT)])
    acton.opt_out([OptOut("e1", person, emails[1])])
    acton.opt_out([OptOut("e1", person, emails[1], category="Newsletter")])
    assert all(receipt.ok for receipt in acton.invite(segment, ids[:3]))
    assert all(receipt.ok for receipt in acton.uninvite(segment, ids[:2]))


def known(line: dict[str, str | list[str]]) -> bool:
    """Says whether a logged call is one of the contract."""
    return any(
        entry.method == line["method"]
        and re.fullmatch(entry.path, str(line["path"]))
        and set(line["query"]) <= entry.query
        and (not entry.body or str(line["content_type"]).startswith(entry.body))
        for entry in CONTRACT
    )


def test_every_call_is_of_the_contract(clock, ledger, quota) -> None:
    """Method, path, query and content type of each call are as published, and all succeed."""
    with serve(contacts=60, limits=(1000, 9999, 99)) as server:
        auth = ActOnAuth(server.url, SECRETS, ledger, clock)
        transport = Transport(server.url, quota=quota, clock=clock, auth=auth)
        made = requests.post(
            f"{server.url}{UCL}/segment/",
            json={"name": "Ask", "parentId": "l-unified-contacts", "type": "DIRECT_SELECT"},
            auth=auth,
            timeout=10,
        )
        start = len(requests.get(f"{server.url}/_sandbox/log", timeout=10).json())
        use_everything(ActOn(transport, "12345"), made.json()["source"]["id"])
        log = requests.get(f"{server.url}/_sandbox/log", timeout=10).json()[start:]
        transport.close()
        auth.close()
    assert [line for line in log if not known(line) or line["status"] != 200] == []
    assert {line["method"] for line in log} == {"GET", "POST", "PUT", "DELETE"}


@pytest.mark.parametrize(
    "forbidden",
    ["list/optin", '"action": "optin"', "setcategories", '"REPLACE"', "/ete/"],
)
def test_nobody_can_be_opted_in_emptied_or_mailed(forbidden: str) -> None:
    """No source of the client holds a call that re-subscribes, replaces a list or sends mail."""
    sources = [*(ROOT / "acton").glob("*.py"), *(ROOT / "transport").glob("*.py")]
    assert sources
    found = [path.name for path in sources if forbidden in path.read_text(encoding="utf-8")]
    assert found == []
