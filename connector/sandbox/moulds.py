"""Moulds: the ways in which a contact's consent can stand, a few thousand of them per account.

A contact is a mould plus a name, an address and a score, so a million contacts cost no memory and
little time. Situations are spread as real accounts show them: clean opt-ins, silence, pre-ticked
boxes, lost evidence, old notices, odd dates, role addresses, blanks.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Final, NamedTuple

from connector.sandbox.headings import EVENT_HEADINGS, FORM_HEADINGS

POOL: Final = 4096
COUNTRIES: Final = {
    "GB": 17, "United Kingdom": 4, "DE": 11, "Deutschland": 4, "AT": 3, "FR": 7, "IT": 4, "ES": 4,
    "NL": 4, "IE": 3, "SE": 3, "PL": 3, "US": 11, "USA": 4, "CA": 4, "AU": 3, "CH": 3, "": 6,
    "Atlantis": 1, "Northern Isles": 1,
}  # fmt: skip
CONFIRMS: Final = frozenset({"DE", "Deutschland", "AT", "IT", "Atlantis", "Northern Isles"})
"""Where a double opt-in is usual, or the country is not known."""
DIAL: Final = {
    "DE": "+4930", "Deutschland": "+4940", "AT": "+431", "FR": "+331", "IT": "+3906", "ES": "+3491",
    "NL": "+3120", "IE": "+3531", "SE": "+468", "PL": "+4822", "US": "+1202", "USA": "+1617",
    "CA": "+1613", "AU": "+612", "CH": "+4144",
}  # fmt: skip
SITUATIONS: Final = {
    "clean": 32, "renewal_due": 3, "silent": 25, "unticked": 5, "unproven": 6, "pre_ticked": 3,
    "expired": 5, "old_notice": 5, "newsletter": 4, "untracked": 4, "refused": 2, "withdrawn": 1,
    "phone_only": 2, "bought": 2, "odd_value": 1, "odd_date": 1, "undated": 1,
}  # fmt: skip
ADDRESSES: Final = {"plain": 1000, "role": 4, "internal": 3, "blank": 3, "invalid": 3, "shouted": 4}
JOBS: Final = ("Buyer", "Head of Sales", "Engineer", "Managing Director", "Analyst", "Owner", "")
ODD_DATES: Final = ("03/04/2026", "45726", "0000-00-00", "9999-12-31", "10.03.2026", "2026-02-30")
ODD_VALUES: Final = ("x", "maybe", "ok")
YES: Final = ("Yes", "yes", "TRUE", "on", "1", "True")
TEXTS: Final = {"iso": 82, "date": 7, "millis": 6, "offset": 5}
"""How forms of different age wrote an instant."""


class Mould(NamedTuple):
    """What contacts of one kind share. ``submission`` and ``scan`` get the number where they end
    in ``:``; ``spelled`` says how the events list writes the address."""

    situation: str
    form: Mapping[str, str]
    beside: Mapping[str, str]
    alone: Mapping[str, str]
    dial: str
    address: str
    spelled: str


@lru_cache(maxsize=4)
def moulds(seed: int, start: datetime) -> tuple[Mould, ...]:
    """Returns all moulds of an account; dates lie before ``start`` (aware UTC)."""
    hand = _Hand(Random(f"{seed}/moulds"), start)  # noqa: S311  # a population, not a secret
    return tuple(_mould(hand) for _ in range(POOL))


class _Hand:
    """Draws from one source of chance, with dates before one instant."""

    def __init__(self, chance: Random, start: datetime) -> None:
        self.chance, self.start = chance, start
        self._turns: Counter[Sequence[str]] = Counter()

    def of(self, weights: Mapping[str, int]) -> str:
        return self.chance.choices(list(weights), list(weights.values()))[0]

    def next_of(self, texts: Sequence[str]) -> str:
        """Takes texts in turn, so that every rare one comes up in every account."""
        self._turns[texts] += 1
        return texts[self._turns[texts] % len(texts)]

    def often(self, share: float) -> bool:
        return self.chance.random() < share

    def ago(self, least: int, most: int) -> datetime:
        """Returns an instant so many days before the start, at a whole minute."""
        days, minutes = self.chance.randrange(least, most), self.chance.randrange(1440)
        return self.start - timedelta(days=days, minutes=minutes)

    def text(self, at: datetime) -> str:
        """Writes an instant as one of this account's forms did."""
        match self.of(TEXTS):
            case "date":
                return f"{at:%Y-%m-%d}"
            case "millis":
                return f"{int(at.timestamp())}000"
            case "offset":
                return f"{at + timedelta(hours=2):%Y-%m-%dT%H:%M:%S}+02:00"
            case _:
                return stamp(at)


def stamp(at: datetime) -> str:
    """Returns the form in which this account's newer forms write dates."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _mould(hand: _Hand) -> Mould:
    country, situation = hand.of(COUNTRIES), hand.of(SITUATIONS)
    form = dict.fromkeys(FORM_HEADINGS, "")
    form |= {
        "Job Title": hand.chance.choice(JOBS), "Country": country,
        "Subscriber Type": hand.chance.choice(("", "", "corporate", "individual")),
    }  # fmt: skip
    form |= _consent(hand, situation, country) | _beyond_consent(hand)
    dial = DIAL.get(country, "+4420") if hand.often(0.65) else ""
    spelled = hand.of({"same": 2, "upper": 1, "plus": 1})
    beside, alone = _beside(hand, situation), _alone(hand, form, country)
    return Mould(situation, form, beside, alone, dial, hand.of(ADDRESSES), spelled)


def _consent(hand: _Hand, situation: str, country: str) -> dict[str, str]:
    """Returns the consent cells of a form row."""
    match situation:
        case "silent":
            return {"Privacy Notice": hand.chance.choice(("", "", "PN-2024-03"))}
        case "unticked":
            unticked = {"OK to contact": hand.chance.choice(("false", "0", "off"))}
            return unticked | {"Form": "q-0002", "Privacy Notice": "PN-2024-03"}
        case "renewal_due":
            return _given(hand, country, hand.ago(645, 715))
        case "expired":
            return _given(hand, country, hand.ago(735, 980))
        case _:
            clean = _given(hand, country, hand.ago(20, 640))
            return clean | _flaw(hand, situation)


def _flaw(hand: _Hand, situation: str) -> dict[str, str]:
    """Returns what is wrong with a consent that is clean otherwise."""
    nothing: dict[str, str] = {}
    return {
        "unproven": hand.chance.choice(
            ({"Submission": ""}, {"Form": "", "Consent Method": ""}, {"Form": "", "Submission": ""})
        ),
        "pre_ticked": {"Consent Method": "pre_ticked", "Form": ""},
        "old_notice": {"Privacy Notice": "PN-2022-01", "Form": ""},
        "newsletter": {"Form": "q-0005"},
        "untracked": {
            "Tracking OK": hand.chance.choice(("", "", "", "No")),
            "First Visit": stamp(hand.ago(1000, 1200)),
        },
        "refused": {"OK to contact": "No", "OK to phone": ""},
        "withdrawn": {"OK to contact": hand.chance.choice(("Withdrawn", "unsubscribed"))},
        "phone_only": {"OK to contact": "", "OK to phone": "Yes", "Form": ""},
        "bought": {"Consent Source": "purchased_list", "Form": "", "Submission": "batch 7"},
        "odd_value": {
            "OK to contact": hand.next_of(ODD_VALUES) if situation == "odd_value" else ""
        },
        "odd_date": {"Consent Date": hand.next_of(ODD_DATES) if situation == "odd_date" else ""},
        "undated": {"Consent Date": ""},
    }.get(situation, nothing)


def _given(hand: _Hand, country: str, at: datetime) -> dict[str, str]:
    """Returns the cells of a consent with all its evidence."""
    asked = hand.often(0.85)
    cells = {
        "OK to contact": hand.chance.choice(YES),
        "OK to phone": hand.chance.choice(("", "", "Yes")),
        "Consent Date": hand.text(at),
        "Consent Source": "web_form",
        "Consent Method": "unticked_checkbox",
        "Form": "q-0002",
        "Submission": "form:q-0002/sub:",
        "Privacy Notice": "PN-2024-03",
        "Tracking OK": "Yes" if asked or at < hand.start - timedelta(days=600) else "",
        "First Visit": stamp(at - timedelta(days=3)),
        "Last Activity": stamp(hand.ago(1, 90)),
    }
    if hand.often(0.9 if country in CONFIRMS else 0.3):
        # Bots click within seconds; people take minutes.
        took = timedelta(seconds=4) if hand.often(0.02) else timedelta(minutes=11)
        cells["Double Opt-in Date"] = stamp(at + took)
    if cells["OK to phone"] and hand.often(0.5):
        cells["Phone Verified"] = stamp(at + timedelta(hours=2))
    return cells


def _beyond_consent(hand: _Hand) -> dict[str, str]:
    """Returns requests, objections, age and dealings: rare, each drawn alone."""
    cells: dict[str, str] = {}
    if hand.often(0.008):
        cells |= {
            "Request Form": hand.chance.choice(("q-0101", "q-0101", "q-0102", "q-0103")),
            "Request Date": stamp(hand.ago(1, 45)),
            "Request Channels": hand.chance.choice(("", "", "phone", "email+phone")),
        }
    if hand.often(0.006):
        cells["Do Not Contact"] = hand.chance.choice(("Yes", "yes", "No", "unsubscribed", "?"))
    if hand.often(0.004):
        cells["Opted Out On"] = stamp(hand.ago(5, 400))
    if hand.often(0.05):
        cells["Birth Date"] = "2010-05-01" if hand.often(0.04) else "1979-08-15"
    if hand.often(0.08):
        cells["Last Purchase"] = stamp(hand.ago(30, 900))
    if hand.often(0.05):
        cells["Last Inquiry"] = stamp(hand.ago(5, 400))
    return cells


def _beside(hand: _Hand, situation: str) -> dict[str, str]:
    """Returns the events row of somebody who is in the form list too: it may contradict."""
    cells = dict.fromkeys(EVENT_HEADINGS, "")
    if situation in {"silent", "unticked"} and hand.often(0.3):
        return cells | _scanned(hand, hand.ago(10, 300))
    if hand.often(0.02):
        return cells | {"GDPR Consent": "No", "GDPR Date": stamp(hand.ago(3, 10))}
    if hand.often(0.02):
        return cells | {"GDPR Consent": "No"}
    return cells


def _alone(hand: _Hand, form: Mapping[str, str], country: str) -> dict[str, str]:
    """Returns the events row of somebody who is in no other list."""
    cells = dict.fromkeys(EVENT_HEADINGS, "") | {"Country": country}
    if hand.often(0.4):
        return cells | _scanned(hand, hand.ago(10, 600))
    if hand.often(0.3):
        bought = {"Source": "purchased_list", "Method": "assumed", "GDPR Consent": "True"}
        return cells | bought | {"GDPR Date": stamp(hand.ago(30, 600))}
    return cells | {"Notice": form["Privacy Notice"]}


def _scanned(hand: _Hand, at: datetime) -> dict[str, str]:
    return {
        "GDPR Consent": "True", "GDPR Date": stamp(at), "Source": "event", "Method": "signature",
        "Badge Scan": "scan:", "Notice": "PN-2024-03",
        "Double Opt-in": stamp(at + timedelta(days=1)) if hand.often(0.5) else "",
        "Tracking": hand.chance.choice(("Yes", "Yes", "Yes", "")),
    }  # fmt: skip
