"""Jurisdiction profiles: what the law of a place asks for, one line per profile.

Source: rule 2.4. DOI, phone proof, channel law and routes follow the contact; tracking consent
and expiry follow the stricter of the contact and the places where the controller is established
(GDPR Art. 3(1)).
"""

from enum import StrEnum
from typing import Final, NamedTuple


class Profile(StrEnum):
    """The set of national rules that a person is judged by."""

    UK = "UK"
    DE = "DE"
    AT = "AT"
    FR = "FR"
    IT = "IT"
    EU = "EU"
    US = "US"
    CA = "CA"
    ROW = "ROW"
    STRICT = "STRICT"


class Demands(NamedTuple):
    """What a profile asks for before a consent counts."""

    doi: bool
    phone_proof: bool
    tracking: bool
    expiry: bool


DEMANDS: Final[dict[Profile, Demands]] = {
    #                       doi    phone  track  expiry
    Profile.UK: Demands(False, False, True, True),  # PECR 6; UK GDPR Art. 7
    Profile.DE: Demands(True, True, True, True),  # BGH I ZR 164/09; UWG 7a; TDDDG 25
    Profile.AT: Demands(True, True, True, True),  # TKG 2021 174
    Profile.FR: Demands(False, False, True, True),  # CPCE L34-5; LIL 82
    Profile.IT: Demands(True, False, True, True),  # Garante 330/2025
    Profile.EU: Demands(False, False, True, True),  # ePrivacy 13(1), 5(3)
    Profile.US: Demands(False, False, False, False),  # CAN-SPAM; TCPA
    Profile.CA: Demands(False, False, False, False),  # CASL
    Profile.ROW: Demands(False, False, True, True),  # judged as EU
    Profile.STRICT: Demands(True, True, True, True),  # all requirements of all profiles
}

EEA_AND_SWITZERLAND: Final = """BE BG HR CY CZ DK EE ES FI GR HU IE LT LU LV MT NL PL PT RO SE SI SK
    IS LI NO CH""".split()  # noqa: SIM905  # reads as a list of codes
_OF_COUNTRY: Final[dict[str, Profile]] = {
    "GB": Profile.UK,
    "DE": Profile.DE,
    "AT": Profile.AT,
    "FR": Profile.FR,
    "IT": Profile.IT,
    "US": Profile.US,
    "CA": Profile.CA,
    **dict.fromkeys(EEA_AND_SWITZERLAND, Profile.EU),
}


def profile_of(country: str) -> Profile:
    """Returns the profile of an alpha-2 code; a territory with its own code is ROW."""
    return _OF_COUNTRY.get(country, Profile.ROW)
