"""What one run promises, tried over real HTTP."""

from collections import Counter
from pathlib import Path

import pytest
import requests

from connector.errors import BreakerOpen, SourceError
from connector.house import Wish
from connector.sandbox import serve
from connector.store.state import Store
from connector.sync import approve, sync
from connector.wiring import opened

from .conftest import Account, make


def files_in(folder: Path) -> dict[str, bytes]:
    """Returns every file but the call counters, which a plan spends."""
    found = {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    return {n: b for n, b in found.items() if not n.startswith(("ledger", "run", "token"))}


def test_a_plan_writes_nothing(account: Account) -> None:
    """Without --apply no state, key or CRM is made, and Act-On is only read."""
    before = files_in(account.folder)
    report = account.run(apply=False)
    assert report.actions["push"] > 0
    assert files_in(account.folder) == before
    assert account.writes() == []


def test_a_plan_after_a_run_leaves_the_state_byte_for_byte(account: Account) -> None:
    """A plan on an existing state changes no byte of it."""
    account.run()
    account.post("advance", {"days": 2})
    before = files_in(account.folder)
    assert account.run(apply=False).actions["tag"] > 0
    assert files_in(account.folder) == before


def test_counts_add_up_and_the_crm_holds_exactly_the_pushed(account: Account) -> None:
    """Every contact has one outcome; each lead has ground, proof and a permitted channel."""
    report = account.run()
    assert sum(report.outcomes.values()) == report.contacts_seen > 0
    leads = account.leads()
    assert len(leads) == report.actions["push"] > 0
    for lead in leads.values():
        assert lead["ground"].startswith("OK_")
        assert lead["gate_email"] == "1" or lead["gate_phone"] == "1"
        assert lead["policy"]


def test_the_first_apply_needs_approval_and_approval_releases_exactly_it(account: Account) -> None:
    """Exit 5 keeps the plan; --approve RUN carries out that plan and no other."""
    with pytest.raises(BreakerOpen) as stopped:
        account.run(approve=False)
    assert account.leads() == {}
    assert account.writes() == []
    with opened(account.config, writes=True, clock=account.clock) as house:
        report = approve(house, stopped.value.run, "released")
    assert len(account.leads()) == report.actions["push"] > 0
    assert not account.run(approve=False).actions["push"]


def test_a_second_run_on_an_unchanged_world_writes_nothing(account: Account) -> None:
    """Neither Act-On nor the CRM gets a write when nothing changed."""
    account.run()
    crm = (account.folder / "crm.db").read_bytes()
    account.post("log/clear", {})
    report = account.run()
    assert sum(report.actions.values()) == 0
    assert account.writes() == []
    assert (account.folder / "crm.db").read_bytes() == crm


def test_an_opt_out_takes_the_lead_back_before_contacts_are_read(account: Account) -> None:
    """The recall is confirmed by reading, on the withdrawal clock, and never pushed again."""
    account.run()
    who = sorted(account.leads())[0]
    account.post("act", {"do": "opt_out", "email": who})
    account.post("log/clear", {})
    report = account.run()
    lead = account.leads()[who]
    assert (lead["gate_email"], lead["gate_phone"]) == ("0", "0")
    assert lead["gate_reason"] == "OPTED_OUT"
    assert report.actions["recall"] == 1
    assert len(report.withdrawal_s) == 1
    assert lead["HasOptedOutOfEmail"] == "0", "a state of ours is never written as an act"
    account.run()
    assert account.leads()[who]["gate_email"] == "0"


def test_a_withdrawal_is_recalled_even_when_the_contacts_cannot_be_read(account: Account) -> None:
    """Withdrawals do not wait for the lists: they come first."""
    account.run()
    who = sorted(account.leads())[0]
    account.post("act", {"do": "opt_out", "email": who})
    account.post("faults", [{"kind": "500", "path": "/api/1/list/l-0001", "times": 99}])
    with pytest.raises(SourceError):
        account.run()
    assert account.leads()[who]["gate_email"] == "0"


def test_consent_that_lands_releases_a_held_person(account: Account) -> None:
    """Who qualified and was held is pushed in the next run after the yes."""
    who = silent_in_britain(account)
    account.post("act", {"do": "gain_score", "email": who})
    account.run()
    before = set(account.leads())
    account.post("act", {"do": "consent", "email": who})
    account.post("advance", {"minutes": 30})
    report = account.run()
    assert set(account.leads()) - before == {who}
    assert report.actions["release"] == 1


def silent_in_britain(account: Account) -> str:
    """Returns a British contact on no list of Act-On who said nothing and has one row."""
    url = f"{account.server.url}/_sandbox/people"
    people = requests.get(url, params={"situation": "silent", "count": 400}, timeout=10).json()
    for person in people:
        row = person["rows"].get("l-0001", {})
        british = row.get("Country") in {"GB", "United Kingdom"}
        if british and len(person["rows"]) == 1 and not person["listed"]:
            return str(person["email"])
    raise AssertionError("nobody")


def test_both_roads_give_the_same_decisions(tmp_path: Path) -> None:
    """Marketing lists and Act-On Contacts lead to the same leads and outcomes."""
    with serve(contacts=300, seed=5, limits=(100_000, 1_000_000, 1_000)) as server:
        lists = make(tmp_path / "lists", server)
        contacts = make(tmp_path / "contacts", server, "contacts")
        one, other = lists.run(), contacts.run()
        assert one.outcomes == other.outcomes
        assert one.codes == other.codes
        assert set(lists.leads()) == set(contacts.leads())


def test_calls_are_reads_feeds_and_bulk_writes(account: Account) -> None:
    """No call per contact: as many calls as the same work needs at least, and few polls."""
    report = account.run()
    by_path = Counter(line["path"] for line in account.log() if line["path"] != "/token")
    assert sum(by_path.values()) == report.calls
    assert by_path["/api/1/list/l-0001"] == 1
    assert report.lower_bound <= report.calls <= report.lower_bound + 3


def test_nobody_is_ever_opted_in_and_no_message_is_sent(account: Account) -> None:
    """The recorded traffic of a life shows no forbidden call and no path that could send."""
    account.run()
    account.post("advance", {"days": 3})
    account.run()
    assert not [line for line in account.log() if line.get("forbidden")]
    assert not [line for line in account.log() if "message" in line["path"]]


def test_tags_never_name_a_consent_column(account: Account) -> None:
    """The tag list holds our five headings and the address, nothing of the sources."""
    account.run()
    tags = requests.get(f"{account.server.url}/_sandbox/tags", timeout=10).json()
    headings = {name for tag in tags.values() for name in tag}
    assert headings <= {
        "E-mail Address", "Consent_Gate_Decision", "Consent_Gate_Code", "Reperm_Route",
        "Reperm_State", "Consent_Checked_At",
    }  # fmt: skip
    asked = [t for t in tags.values() if t.get("Reperm_State") in {"INVITED", "REMINDED"}]
    assert asked
    assert all(t["Consent_Gate_Decision"] == "HOLD" for t in asked)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "429", "path": "optout", "times": 2},
        {"kind": "500", "path": "l-0001", "times": 1},
        {"kind": "502", "path": "hardbounce", "times": 1},
        {"kind": "drop", "path": "l-0002", "times": 1},
        {"kind": "truncate", "path": "l-0001", "times": 1},
        {"kind": "expire_token", "path": "l-0002", "times": 1},
        {"kind": "500", "path": "l-0900", "times": 1},
    ],
    ids=lambda fault: f"{fault['kind']} at {fault['path']}",
)
def test_a_fault_that_passes_changes_nothing_in_the_end(
    account: Account, tmp_path: Path, fault: dict[str, object]
) -> None:
    """A run through a fault ends in the same CRM as a run without one."""
    twin = make(tmp_path / "twin", account.server)
    calm = twin.run()
    account.post("faults", [fault])
    report = account.run()
    assert report.outcomes == calm.outcomes
    assert set(account.leads()) == set(twin.leads())


class Killed(BaseException):
    """Stands for a process that is gone."""


def test_a_run_killed_anywhere_and_started_again_ends_the_same(
    account: Account, tmp_path: Path
) -> None:
    """No lead is lost or doubled, whichever look at the clock was the last one."""
    whole = make(tmp_path / "whole", account.server)
    whole.run()
    expected = set(whole.leads())
    for moment in range(1, 60, 6):
        home = make(tmp_path / f"killed-{moment}", account.server)
        home.clock.adjust()
        fatal = Fatal(home, moment)
        try:
            home.run(clock=fatal)
        except Killed:
            home.run()
        rows = [row["email"] for row in home.crm.leads()]
        assert sorted(rows) == sorted(set(rows)), f"doubled after {moment}"
        assert set(rows) == expected, f"lost after {moment}"
        with Store.open(f"sqlite:///{home.folder / 'state.db'}", read_only=True) as store:
            assert store.unfinished() == {}


class Fatal:
    """A clock that kills the run at its n-th look."""

    def __init__(self, account: Account, moment: int) -> None:
        self.clock, self.left = account.clock, moment

    def now(self) -> object:
        """Returns the time, or ends everything."""
        self.left -= 1
        if self.left == 0:
            raise Killed
        return self.clock.now()

    def sleep(self, seconds: float, /) -> None:
        """Waits."""
        self.clock.sleep(seconds)

    def jitter(self) -> float:
        """Is no chance."""
        return 0.0


def test_a_list_that_is_suddenly_empty_stops_the_run(account: Account) -> None:
    """A source that had contacts and has none now pushes and recalls nobody."""
    account.run()
    account.edit("connector.toml", 'id = "l-0002"', 'id = "l-0900"')
    account.edit("connector.toml", 'list = "l-0900"', 'list = "l-0002"')
    with pytest.raises(SourceError):
        account.run()


def test_only_looks_at_one_person(account: Account) -> None:
    """--only decides on that person alone; everyone else is left as they are."""
    account.clock.adjust()
    who = silent_in_britain(account)
    with opened(account.config, writes=False, clock=account.clock) as house:
        report = sync(house, Wish("only", only=who))
    assert sum(report.actions.values()) <= 1


def test_more_opt_outs_than_the_cap_need_a_person(account: Account) -> None:
    """Opt-outs cannot be undone here, so a plan with more of them than the policy allows stops."""
    account.run()
    first, second = sorted(account.leads())[:2]
    account.edit(
        "policy.toml", "[tracking]", '[optout]\ncodes = ["OPTED_OUT"]\ncap = 1\n\n[tracking]'
    )
    for who in (first, second):
        account.post("act", {"do": "opt_out", "email": who})
    with pytest.raises(BreakerOpen, match="cannot be undone"):
        account.run(approve=False)
    assert account.leads()[first]["HasOptedOutOfEmail"] == "0"
    account.run()
    assert account.leads()[first]["HasOptedOutOfEmail"] == "1"
    assert account.leads()[first]["DoNotCall"] == "1"
