"""The vocabulary of consent records, and what the law of a place is called in it.

Source: rules 1.1 and 5.2: terms of the W3C Data Privacy Vocabulary 2.3; what it has no word for
stands under ``gate:``.
"""

from typing import Any, Final

from connector.consent.countries import country_code
from connector.consent.decision import Decision
from connector.consent.policy import Policy
from connector.consent.profiles import Profile
from connector.consent.reasons import REASONS, Code
from connector.consent.values import word
from connector.model import Channel

Json = dict[str, Any]
REFERENCES: Final = (
    "dct:conformsTo", "dct:publisher", "dpv:hasDataProcessor", "dpv:hasJurisdiction",
    "dpv:hasApplicableLaw", "dpv:hasLegalBasis", "dpv:hasPurpose", "dpv:hasProcessing",
    "dpv:hasContext", "dpv:hasPersonalData", "dpv:hasDataSource", "dpv:hasAutomationLevel",
    "dpv:hasHumanInvolvement", "dpv:hasRecipient", "dpv:isIndicatedBy", "dpv:isExercisedAt",
)  # fmt: skip
INSTANTS: Final = (
    "dct:created", "dpv:isIndicatedAtTime", "gate:notBefore", "gate:notAfter", "gate:until",
    "gate:decidedAt", "gate:listsFetchedAt", "gate:recheckDueAt",
)  # fmt: skip
CONTEXT: Final[Json] = {
    "dpv": "https://w3id.org/dpv#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "legal-eu": "https://w3id.org/dpv/legal/eu#",
    "legal-gb": "https://w3id.org/dpv/legal/gb#",
    "pd": "https://w3id.org/dpv/pd#",
    "loc": "https://w3id.org/dpv/loc#",
    "dct": "http://purl.org/dc/terms/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "gate": "urn:gate:consent:v1#",
    **{term: {"@type": "@id"} for term in REFERENCES},
    **{term: {"@type": "xsd:dateTime"} for term in INSTANTS},
}
"""Complete, so that a record can be read without fetching anything."""
FORM_OF_27560: Final = "https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr"
ACTON_AS_PROCESSOR: Final = "gate:ActOn"
CRM_AS_PROCESSOR: Final = "gate:CrmVendor"

CONSENTS: Final = frozenset({Code.OK_CONSENT, Code.OK_RELAXED})
BASIS: Final = {
    Code.OK_CONSENT: "eu-gdpr:A6-1-a",
    Code.OK_RELAXED: "eu-gdpr:A6-1-a",
    Code.OK_REQUESTED: "eu-gdpr:A6-1-b",
    Code.OK_STATUTORY: "eu-gdpr:A6-1-f",
}
ABROAD: Final = {Profile.US: "CAN-SPAM; TCPA; 16 CFR 310", Profile.CA: "CASL"}
"""Profiles under which the GDPR binds only a controller that sits in Europe (Art. 3(1))."""
LAWS: Final = {
    Profile.UK: "legal-gb:law-GDPR",
    **dict.fromkeys(
        (Profile.DE, Profile.AT, Profile.FR, Profile.IT, Profile.EU), "legal-eu:law-GDPR"
    ),
}
SWITZERLAND: Final = "CH"
"""Judged as the EU, but bound by a law of its own."""
COUNTRY_OF: Final = {
    Profile.UK: "GB",
    **{p: p.value for p in (Profile.DE, Profile.AT, Profile.FR, Profile.IT, *ABROAD)},
}
DATA_OF: Final = {Channel.EMAIL: "pd:EmailAddress", Channel.PHONE: "pd:TelephoneNumber"}


def jurisdiction_terms(decision: Decision, policy: Policy) -> Json:
    """Names the country and the laws that bind the contact's side and the controller's."""
    country = None
    if Code.JURISDICTION_CONFLICT not in decision.codes:
        country = country_code(word(decision.grounds[0].cell("country")))
    profile = decision.profile or Profile.STRICT
    country = country or COUNTRY_OF.get(profile)
    places = [*policy.established_in, *([] if country == SWITZERLAND else [profile])]
    laws = sorted({LAWS[place] for place in places if place in LAWS})
    named: Json = {"dpv:hasJurisdiction": f"loc:{country}"} if country else {}
    return named | ({"dpv:hasApplicableLaw": laws} if laws else {})


def basis_terms(decision: Decision, policy: Policy) -> Json:
    """Names the legal bases; where the vocabulary has no term for one, the words remain."""
    codes = dict.fromkeys(ground.code for ground in decision.grounds)
    terms = dict.fromkeys(term for code in codes for term in bases_of(code, decision, policy))
    if decision.profile in ABROAD and not under_gdpr(decision, policy):
        words = [ABROAD[decision.profile]]
    else:
        words = [REASONS[code].law for code in codes]
    return ({"dpv:hasLegalBasis": list(terms)} if terms else {}) | {"gate:legalBasis": words}


def bases_of(code: Code, decision: Decision, policy: Policy) -> list[str]:
    """Returns the terms for the legal basis of a ground, none where there is no term."""
    bound = under_gdpr(decision, policy)
    terms = [BASIS[code]] if bound else []
    if not bound and code in CONSENTS:
        terms.append("dpv:ExpressedConsent")
    if code is Code.OK_STATUTORY and decision.profile is Profile.CA:
        terms.append("dpv:ImpliedConsent")  # CASL s. 10(9)
    return terms


def under_gdpr(decision: Decision, policy: Policy) -> bool:
    """Says whether the contact is judged by the GDPR, or the controller bound by it (Art. 3)."""
    return decision.profile not in ABROAD or any(p in LAWS for p in policy.established_in)
