"""The consent record of one push: JSON-LD with W3C DPV 2.3 terms, aligned with ISO/IEC TS 27560.

Pseudonymous: no address, number, name or score. Some values (pseudonym, CRM record, submission
id) are still personal data. Source: rules 1.1 and 5.2; w3id.org/dpv/guides/consent-27560.
"""

from collections.abc import Mapping
from typing import Any, Final

from connector.consent.reasons import Code
from connector.model import Channel

CONTEXT: Final = {
    "dpv": "https://w3id.org/dpv#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "legal-eu": "https://w3id.org/dpv/legal/eu#",
    "pd": "https://w3id.org/dpv/pd#",
    "loc": "https://w3id.org/dpv/loc#",
    "dct": "http://purl.org/dc/terms/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "gate": "urn:acton-consent-connector:v1#",
}
BASIS: Final = {
    Code.OK_CONSENT: "eu-gdpr:A6-1-a",
    Code.OK_RELAXED: "eu-gdpr:A6-1-a",
    Code.OK_REQUESTED: "eu-gdpr:A6-1-b",
    Code.OK_STATUTORY: "eu-gdpr:A6-1-f",
}
KNOWN_PLACES: Final = frozenset({"DE", "AT", "FR", "IT", "US", "CA"})
DATA_OF: Final = {Channel.EMAIL: "pd:EmailAddress", Channel.PHONE: "pd:TelephoneNumber"}


def record_of(
    *,
    record_id: str,
    person: str,
    code: Code,
    channels: tuple[Channel, ...],
    proof: Mapping[str, Any],
    decision: Mapping[str, Any],
    controller: Mapping[str, str],
) -> dict[str, Any]:
    """Returns the record; ``proof`` and ``decision`` are what the state keeps of the push."""
    asked = code is Code.OK_REQUESTED
    return {
        "@context": CONTEXT,
        "@id": f"urn:uuid:{record_id}",
        "@type": "dpv:ConsentRecord",
        "dct:identifier": record_id,
        "dct:conformsTo": "https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr",
        "dct:created": decision["at"],
        "dpv:hasDataSubject": {"@id": f"urn:gate:subj:v1:{person}", "@type": "dpv:DataSubject"},
        "dpv:hasDataController": {
            "@id": "gate:controller",
            "@type": "dpv:DataController",
            "dpv:hasName": controller["name"],
            "dpv:hasContact": controller["contact"],
        },
        **_place(str(decision.get("profile") or "")),
        "dpv:hasLegalBasis": {"@id": BASIS[code]},
        "dpv:hasProcess": [_scoring(), _handover(), *map(_contact, channels)],
        "dpv:hasNotice": {
            "@type": "dpv:ConsentNotice",
            "dct:hasVersion": proof.get("notice_version", ""),
        },
        "dpv:hasConsentStatus": [_request(proof) if asked else _given(proof)],
        "dpv:hasRight": [
            _right("eu-gdpr:A7-3", controller), _right("eu-gdpr:A21", controller),
            _right("eu-gdpr:A15", controller), _right("eu-gdpr:A17", controller),
        ],
        "gate:decision": _decision(code, channels, decision, asked=asked),
    }  # fmt: skip


def _place(profile: str) -> dict[str, Any]:
    """Names jurisdiction and law where the profile is a country."""
    if profile not in KNOWN_PLACES:
        return {}
    named: dict[str, Any] = {"dpv:hasJurisdiction": {"@id": f"loc:{profile}"}}
    if profile not in {"US", "CA"}:
        named["dpv:hasApplicableLaw"] = {"@id": "legal-eu:law-GDPR"}
    return named


def _scoring() -> dict[str, Any]:
    return {
        "@id": "gate:process/scoring",
        "@type": "dpv:Process",
        "dpv:hasPurpose": {"@id": "dpv:DirectMarketing"},
        "dpv:hasProcessing": {"@id": "dpv:Profiling"},
        "dpv:hasContext": {"@id": "dpv:ScoringOfIndividuals"},
        "dpv:hasHumanInvolvement": {"@id": "dpv:HumanInvolvementForDecision"},
    }


def _handover() -> dict[str, Any]:
    return {
        "@id": "gate:process/handover",
        "@type": "dpv:Process",
        "dpv:hasPurpose": {"@id": "dpv:CustomerRelationshipManagement"},
        "dpv:hasProcessing": {"@id": "dpv:DiscloseByTransmission"},
    }


def _contact(channel: Channel) -> dict[str, Any]:
    return {
        "@id": f"gate:process/contact-{channel}",
        "@type": "dpv:Process",
        "dpv:hasPurpose": {"@id": "dpv:DirectMarketing"},
        "dpv:hasProcessing": {"@id": "dpv:Use"},
        "dpv:hasPersonalData": {"@id": DATA_OF[channel]},
        "gate:channel": channel.value,
    }


def _given(proof: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "@type": "dpv:ConsentGiven",
        "dpv:isIndicatedBy": {"@id": "dpv:DataSubject"},
        "dpv:hasIndicationMethod": f"{proof.get('consent_method', '')} on "
        f"{proof.get('consent_source', '')}",
        "dpv:isIndicatedAtTime": proof.get("given_at", ""),
        "gate:evidence": proof.get("evidence_ref", ""),
    }


def _request(proof: Mapping[str, Any]) -> dict[str, Any]:
    """A request is no consent: its status is unknown, its evidence the request itself."""
    return {
        "@type": "dpv:ConsentUnknown",
        "dpv:isIndicatedAtTime": proof.get("given_at", ""),
        "gate:evidence": f"request:{proof.get('evidence_ref', '')}",
    }


def _right(article: str, controller: Mapping[str, str]) -> dict[str, Any]:
    where = controller["preferences_url"] or controller["contact"]
    return {"@type": ["dpv:DataSubjectRight", article], "dpv:isExercisedAt": where}


def _decision(
    code: Code, channels: tuple[Channel, ...], decision: Mapping[str, Any], *, asked: bool
) -> dict[str, Any]:
    found = {
        "gate:runId": decision["run"],
        "gate:outcome": "PUSH",
        "gate:code": code.value,
        "gate:alsoCodes": list(decision["also"]),
        "gate:profile": decision.get("profile") or "",
        "gate:policyVersion": decision["policy_version"],
        "gate:policyHash": decision["policy_hash"],
        "gate:channels": [channel.value for channel in channels],
        "gate:decidedAt": decision["at"],
        "gate:crmRecord": decision["crm_record"],
        "gate:recheckDueAt": decision["recheck_due"],
    }
    return found if asked else {**found, "gate:scoreBand": "AT_OR_ABOVE_THRESHOLD"}
