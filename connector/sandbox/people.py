"""A made-up population: contact ``i`` follows from the seed and ``i`` alone.

Nobody here exists. Situations are spread as real accounts show them: clean opt-ins, silence,
pre-ticked boxes, lost evidence, old notices, odd dates, duplicates, role addresses, blanks.
"""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final, NamedTuple

START: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)

FORM_HEADINGS: Final = (
    "First Name", "Last Name", "E-mail Address", "Company", "Job Title", "Phone", "Country",
    "Subscriber Type", "Lead Score", "OK to contact", "OK to phone", "Consent Date",
    "Consent Source", "Consent Method", "Form", "Submission", "Privacy Notice",
    "Double Opt-in Date", "Phone Verified", "Tracking OK", "First Visit", "Request Form",
    "Request Date", "Request Channels", "Do Not Contact", "Birth Date", "Last Purchase",
    "Last Inquiry", "Last Activity", "Opted Out On",
)  # fmt: skip
EVENT_HEADINGS: Final = (
    "Email", "First Name", "Last Name", "Company", "Phone", "Country", "Score", "GDPR Consent",
    "GDPR Date", "Source", "Method", "Badge Scan", "Notice", "Double Opt-in", "Tracking",
)  # fmt: skip
FIRST: Final = [
    "Ada",
    "Ben",
    "Cleo",
    "Dana",
    "Emil",
    "Fay",
    "Gus",
    "Hana",
    "Ivo",
    "June",
    "Kai",
    "Lena",
    "Milo",
    "Nora",
    "Otto",
    "Pia",
    "Quin",
]
LAST: Final = [
    "Abbey",
    "Brook",
    "Cliff",
    "Dale",
    "Ember",
    "Field",
    "Grove",
    "Heath",
    "Islip",
    "Joyce",
    "Kerr",
    "Lane",
    "Moor",
    "North",
]
FIRMS: Final = "contoso fabrikam globex initech umbra vandelay wayside zephyr orchid".split()
JOBS: Final = ("Buyer", "Head of Sales", "Engineer", "Managing Director", "Analyst", "")
COUNTRIES: Final = (
    *("GB",) * 4, "United Kingdom", *("DE",) * 3, "Deutschland", "AT", "FR", "FR", "IT", "ES",
    "NL", "IE", "SE", "PL", *("US",) * 3, "USA", "CA", "AU", "CH", "Atlantis",
)  # fmt: skip
DOI_COUNTRIES: Final = frozenset({"DE", "Deutschland", "AT", "IT", "", "Atlantis"})
DIAL: Final = {"DE": "+4930", "AT": "+431", "FR": "+331", "US": "+1202", "CA": "+1613"}
SITUATIONS: Final = (
    ("clean", 30), ("silent", 22), ("unticked", 6), ("unproven", 7), ("pre_ticked", 4),
    ("expired", 5), ("old_notice", 7), ("newsletter", 4), ("untracked", 5), ("refused", 2),
    ("withdrawn", 1), ("phone_only", 2), ("bought", 2), ("odd_value", 1), ("odd_date", 1),
    ("undated", 1),
)  # fmt: skip
AS_FORM: Final = {
    "Email": "E-mail Address", "First Name": "First Name", "Last Name": "Last Name",
    "Company": "Company", "Phone": "Phone", "Country": "Country", "Score": "Lead Score",
    "GDPR Consent": "OK to contact", "GDPR Date": "Consent Date", "Source": "Consent Source",
    "Method": "Consent Method", "Badge Scan": "Submission", "Notice": "Privacy Notice",
    "Double Opt-in": "Double Opt-in Date", "Tracking": "Tracking OK",
}  # fmt: skip
"""Where a column of the events list stands in Act-On Contacts."""
LISTED: Final = (
    ("optout", 300), ("hardbounce", 100), ("spamcomplaint", 20), ("Sales contact", 50),
    ("Product news", 60), ("Events", 90),
)  # fmt: skip
"""How many of 10,000 addresses stand on a list from the start."""
_NAMES: Final = [name for name, _ in SITUATIONS]
_WEIGHTS: Final = [weight for _, weight in SITUATIONS]
EVENT_EVERY: Final = 7
EVENT_AT: Final = 3
DUPLICATE_EVERY: Final = 97
ODD_DATES: Final = ("03/04/2026", "45726", "0000-00-00", "9999-12-31", "10.03.2026")


class Contact(NamedTuple):
    """One person of the population, as ground truth; ``score`` is a text as Act-On has it."""

    number: int
    email: str
    situation: str
    score: str
    cells: dict[str, str]
    event: dict[str, str] | None


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def contact(seed: int, number: int) -> Contact:
    """Returns contact ``number`` of the population ``seed``."""
    chance = Random(seed * 1_000_003 + number)  # noqa: S311  # a population, not a secret
    first, last, firm = chance.choice(FIRST), chance.choice(LAST), chance.choice(FIRMS)
    country = chance.choice(COUNTRIES)
    if chance.random() < 0.05:
        country = ""
    situation = chance.choices(_NAMES, _WEIGHTS)[0]
    email = f"{first}.{last}{number}@{firm}.example".lower()
    roll = chance.random()
    if roll < 0.004:
        email = f"info@{firm}{number}.example"
    elif roll < 0.007:
        email = f"{first}{number}@acme.example".lower()
    elif roll < 0.010:
        email = ""
    elif roll < 0.013:
        email = f"{first}.{last} at {firm}"
    cells = dict.fromkeys(FORM_HEADINGS, "")
    cells |= {
        "First Name": first, "Last Name": last, "E-mail Address": email,
        "Company": f"{firm.title()} Ltd", "Job Title": chance.choice(JOBS),
        "Phone": _phone(chance, country), "Country": country, "Lead Score": _score(chance),
        "Subscriber Type": chance.choice(("", "", "corporate", "individual")),
    }  # fmt: skip
    cells |= _consent(chance, situation, country, number)
    if chance.random() < 0.006:
        cells |= {
            "Request Form": "q-0101",
            "Request Date": _stamp(START - timedelta(days=chance.randrange(1, 45), hours=2)),
        }
    if chance.random() < 0.002:
        cells["Birth Date"] = "2010-05-01"
    event = _event(chance, cells, situation) if number % EVENT_EVERY == EVENT_AT else None
    return Contact(number, email, situation, cells["Lead Score"], cells, event)


def _phone(chance: Random, country: str) -> str:
    if chance.random() < 0.35:
        return ""
    return f"{DIAL.get(country, '+4420')}{chance.randrange(10**6, 10**7)}"


def _score(chance: Random) -> str:
    roll = chance.random()
    if roll < 0.02:
        return ""
    if roll < 0.10:
        return str(chance.randrange(40, 140))
    if roll < 0.20:
        return str(chance.randrange(24, 40))
    if roll < 0.22:
        return f"{chance.randrange(0, 24)}.0"
    return str(chance.randrange(0, 24))


def listed_on(seed: int, number: int) -> str:
    """Says on which of Act-On's lists the address stands from the start, ``""`` for none."""
    roll = (number * 2_654_435_761 + seed * 97) % 10_000
    for name, share in LISTED:
        if roll < share:
            return name
        roll -= share
    return ""


def _consent(chance: Random, situation: str, country: str, number: int) -> dict[str, str]:
    given = START - timedelta(days=chance.randrange(20, 560), minutes=chance.randrange(1440))
    clean = {
        "OK to contact": chance.choice(("Yes", "yes", "TRUE", "on", "1")),
        "OK to phone": chance.choice(("", "", "Yes")),
        "Consent Date": _stamp(given),
        "Consent Source": "web_form",
        "Consent Method": "unticked_checkbox",
        "Form": "q-0002",
        "Submission": f"form:q-0002/sub:{number}",
        "Privacy Notice": "PN-2024-03",
        "Tracking OK": "Yes",
        "First Visit": _stamp(given - timedelta(days=3)),
        "Last Activity": _stamp(START - timedelta(days=chance.randrange(1, 90))),
    }
    if country in DOI_COUNTRIES and chance.random() < 0.7:
        clean["Double Opt-in Date"] = _stamp(given + timedelta(minutes=11))
    old = START - timedelta(days=chance.randrange(740, 1_000))
    earlier = {"Consent Date": _stamp(old), "Privacy Notice": "PN-2022-01", "Form": ""}
    change: dict[str, dict[str, str]] = {
        "clean": {},
        "silent": dict.fromkeys(clean, "") | {"Privacy Notice": chance.choice(("", "PN-2024-03"))},
        "unticked": dict.fromkeys(clean, "") | {"OK to contact": "false", "Form": "q-0002"},
        "unproven": {"Submission": "", "Form": "", "Consent Method": ""},
        "pre_ticked": {"Consent Method": "pre_ticked", "Form": ""},
        "expired": {"Consent Date": _stamp(old), "Form": "", "Privacy Notice": "PN-2022-01"},
        "old_notice": {"Privacy Notice": "PN-2022-01", "Form": ""},
        "newsletter": {"Form": "q-0005"},
        "untracked": {"Tracking OK": "", "First Visit": _stamp(old)},
        "refused": {"OK to contact": "No"},
        "withdrawn": {"OK to contact": "Withdrawn"},
        "phone_only": {"OK to contact": "", "OK to phone": "Yes", "Form": ""},
        "bought": {"Consent Source": "purchased_list", "Form": "", "Submission": "batch 7"},
        "odd_value": {"OK to contact": chance.choice(("x", "maybe", "ok"))},
        "odd_date": {"Consent Date": chance.choice(ODD_DATES)},
        "undated": {"Consent Date": ""},
    }
    return clean | (earlier if situation == "expired" else {}) | change[situation]


def _event(chance: Random, cells: dict[str, str], situation: str) -> dict[str, str]:
    """Returns the same person's row in the events list, sometimes spelled otherwise."""
    email = cells["E-mail Address"]
    spelled = chance.choice((email, email, email.upper(), email.replace("@", "+events@")))
    row = {
        "Email": spelled, "First Name": cells["First Name"], "Last Name": cells["Last Name"],
        "Company": cells["Company"], "Phone": "", "Country": "", "Score": cells["Lead Score"],
        "GDPR Consent": "", "GDPR Date": "", "Source": "", "Method": "", "Badge Scan": "",
        "Notice": "", "Double Opt-in": "", "Tracking": "",
    }  # fmt: skip
    roll = chance.random()
    if situation == "silent" and roll < 0.3:
        at = START - timedelta(days=chance.randrange(10, 300))
        row |= {
            "GDPR Consent": "True", "GDPR Date": _stamp(at), "Source": "event",
            "Method": "signature", "Badge Scan": f"scan:{chance.randrange(10**6)}",
            "Notice": "PN-2024-03", "Double Opt-in": _stamp(at + timedelta(days=1)),
            "Tracking": "Yes",
        }  # fmt: skip
    elif roll < 0.04:
        row |= {"GDPR Consent": "No", "GDPR Date": _stamp(START - timedelta(days=5))}
    elif roll < 0.06:
        row |= {"GDPR Consent": "No"}
    return row
