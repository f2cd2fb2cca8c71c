"""From a country cell to the profile of a person (rules 1.4 and 2.4)."""

import pytest

from connector.consent.countries import CODES, country_code
from connector.consent.policy import Policy
from connector.consent.profiles import DEMANDS, Profile, profile_of
from connector.consent.reasons import Code
from connector.consent.values import normal
from tests.consent.people import ABSENT, decide, facts, policy_of, row, ruled

LISTED = {
    **dict.fromkeys(("UK", "Great Britain", "England", "Scotland", "Wales"), "GB"),
    **dict.fromkeys(("Northern Ireland", "United Kingdom", "gb"), "GB"),
    **dict.fromkeys(("Deutschland", "Germany", "de"), "DE"),
    **dict.fromkeys(("Österreich", "Austria"), "AT"),
    **dict.fromkeys(("Schweiz", "Switzerland"), "CH"),
    **dict.fromkeys(("United States", "USA", "U.S.A.", "us"), "US"),
    "Italia": "IT",
    "España": "ES",
    "The Netherlands": "NL",
    "EL": "GR",
    "Greece": "GR",
    "Norway": "NO",
    "no": "NO",
    "France": "FR",
    "Canada": "CA",
    "Namibia": "NA",
}


def test_listed_names_are_known() -> None:
    """Codes, short names and the everyday names of the rules, in any case."""
    for name, code in LISTED.items():
        assert country_code(normal(f" {name.upper()} ")) == code, name


def test_all_codes_of_the_standard_are_there() -> None:
    """249 officially assigned codes, each known by itself."""
    codes = set(CODES.values())
    assert len(codes) == 249
    assert all(country_code(normal(code)) == code for code in codes)


@pytest.mark.parametrize("name", ["XK", "Atlantis", "GER", "Europe", "EU", "44", "England, UK"])
def test_other_names_are_unlisted(name: str) -> None:
    """What the list does not hold is not guessed."""
    assert country_code(normal(name)) is None


@pytest.mark.parametrize(
    ("country", "profile"),
    [
        *(("GB", Profile.UK), ("DE", Profile.DE), ("AT", Profile.AT), ("FR", Profile.FR)),
        *(("IT", Profile.IT), ("US", Profile.US), ("CA", Profile.CA), ("ES", Profile.EU)),
        *(("CH", Profile.EU), ("NO", Profile.EU), ("IS", Profile.EU), ("LI", Profile.EU)),
        *(("IE", Profile.EU), ("AU", Profile.ROW), ("GG", Profile.ROW), ("PR", Profile.ROW)),
        *(("GF", Profile.ROW), ("JE", Profile.ROW)),
    ],
)
def test_countries_have_a_profile(country: str, profile: Profile) -> None:
    """A territory with a code of its own is the rest of the world."""
    assert profile_of(country) is profile


@pytest.mark.parametrize(
    ("profile", "doi", "phone_proof", "tracking", "expiry"),
    [
        (Profile.UK, False, False, True, True),
        (Profile.DE, True, True, True, True),
        (Profile.AT, True, True, True, True),
        (Profile.FR, False, False, True, True),
        (Profile.IT, True, False, True, True),
        (Profile.EU, False, False, True, True),
        (Profile.US, False, False, False, False),
        (Profile.CA, False, False, False, False),
        (Profile.ROW, False, False, True, True),
        (Profile.STRICT, True, True, True, True),
    ],
)
def test_profiles_ask_for_what_table_2_4_says(
    profile: Profile, doi: bool, phone_proof: bool, tracking: bool, expiry: bool
) -> None:
    """DOI, phone proof, tracking consent and expiry, one line per profile."""
    assert DEMANDS[profile] == (doi, phone_proof, tracking, expiry)
    assert len(DEMANDS) == len(Profile)


@pytest.mark.parametrize(
    ("cells", "policy", "push", "route", "codes"),
    [
        (["GB"], "consent_only", Profile.UK, Profile.UK, ()),
        (["GB", "Scotland", ""], "consent_only", Profile.UK, Profile.UK, ()),
        ([""], "consent_only", *(Profile.STRICT,) * 2, (Code.JURISDICTION_UNKNOWN,)),
        (["NA"], "consent_only", *(Profile.STRICT,) * 2, (Code.JURISDICTION_UNKNOWN,)),
        ([""], "consent_only_uk", Profile.UK, Profile.STRICT, (Code.JURISDICTION_UNKNOWN,)),
        (["Atlantis"], "consent_only_uk", *(Profile.STRICT,) * 2, (Code.JURISDICTION_UNKNOWN,)),
        (["GB", "DE"], "consent_only_uk", *(Profile.STRICT,) * 2, (Code.JURISDICTION_CONFLICT,)),
        (
            ["GB", "Atlantis"],
            "consent_only",
            *(Profile.STRICT,) * 2,
            (Code.JURISDICTION_UNKNOWN, Code.JURISDICTION_CONFLICT),
        ),
    ],
)
def test_jurisdiction_of_a_person(
    cells: list[str], policy: str, push: Profile, route: Profile, codes: tuple[Code, ...]
) -> None:
    """Blank: the home profile for a push only; unlisted or conflicting: the strictest."""
    found = facts(*(row(country=cell) for cell in cells), policy=policy)
    assert (found.profile, found.local, found.jurisdiction) == (push, route, codes)


def test_kin_rows_do_not_name_the_country() -> None:
    """Only own rows say where the person is."""
    kin = row(country="DE", email="ann.lee+x@contoso.example")
    assert facts(row(), kin).profile is Profile.UK


def test_unknown_country_is_reported_beside_a_push() -> None:
    """The reader learns that the home profile was used."""
    decision = decide(row(country=ABSENT), policy="consent_only_uk")
    assert decision.codes == (Code.OK_CONSENT, Code.JURISDICTION_UNKNOWN)
    assert decision.profile is Profile.UK


@pytest.mark.parametrize(
    ("policy", "us", "uk"),
    [
        (policy_of("consent_only"), False, True),
        (policy_of("consent_only_uk"), True, True),
        (ruled(established_in=(Profile.US, Profile.CA)), False, True),
        (ruled(established_in=(Profile.US, Profile.DE)), True, True),
        (ruled(established_in=()), False, True),
        (policy_of("forms_only"), None, None),
    ],
)
def test_tracking_and_expiry_follow_the_stricter_of_contact_and_controller(
    policy: Policy, us: bool | None, uk: bool | None
) -> None:
    """Art. 3(1): one European establishment is enough; without tracking none is needed."""
    assert policy.tracking_needed(Profile.US) is bool(us)
    assert policy.tracking_needed(Profile.UK) is bool(uk)
    if us is not None:
        assert policy.expires(Profile.US) is us
        assert policy.expires(Profile.UK) is uk
