"""The consent record of one push, for the person, an auditor or a regulator.

Source: rules 1.1 and 5.2: JSON-LD with terms of the W3C Data Privacy Vocabulary 2.3, aligned with
ISO/IEC TS 27560; what the vocabulary has no word for stands under ``gate:``. The record is
pseudonymous: it shows no address, number, name or score. Subject key, CRM id and evidence
reference are personal data all the same (GDPR Art. 4(5)).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from connector.consent.decision import Decision, Ground
from connector.consent.policy import Policy
from connector.consent.profiles import Profile
from connector.consent.reasons import Code
from connector.consent.record_events import consent_events, request_event, span_of
from connector.consent.sentences import iso_utc
from connector.consent.values import Truth, truth
from connector.consent.vocabulary import (
    ACTON_AS_PROCESSOR,
    CONSENTS,
    CONTEXT,
    CRM_AS_PROCESSOR,
    DATA_OF,
    FORM_OF_27560,
    Json,
    bases_of,
    basis_terms,
    jurisdiction_terms,
    under_gdpr,
)
from connector.model import Band, Channel, Outcome, PersonId


@dataclass(frozen=True, slots=True)
class Controller:
    """Who answers for the processing, and where rights are exercised; texts may be empty."""

    name: str
    contact: str = ""
    preferences_url: str = ""


@dataclass(frozen=True, slots=True)
class RecordContext:
    """What a record says beside the decision; instants are UTC.

    ``record_id`` is the text of a UUID. ``policy`` is the one that decided. ``band`` is where the
    score stood, if it qualified the person. ``language`` and ``text_sha256`` describe the notice.
    """

    record_id: str
    created: datetime
    subject: PersonId
    controller: Controller
    policy: Policy
    run: str
    crm_record: str
    lists_fetched_at: datetime
    version: str
    band: Band | None = None
    language: str = ""
    text_sha256: str = ""

    @property
    def id(self) -> str:
        """The IRI of the record; its parts hang on it, so that records can share one graph."""
        return f"urn:uuid:{self.record_id}"

    @property
    def owner(self) -> str:
        """The IRI of the controller inside the record."""
        return f"{self.id}#controller"


def consent_record(decision: Decision, context: RecordContext) -> Json:
    """Returns the JSON-LD record of a push; raises ValueError for any other decision.

    Pure: the same arguments give the same record, which may therefore be hashed.
    """
    if decision.outcome is not Outcome.PUSH or not decision.grounds:
        raise ValueError(f"there is no consent record for {decision.outcome}")
    consented = any(ground.code in CONSENTS for ground in decision.grounds)
    record: Json = {
        "@context": CONTEXT,
        "@id": context.id,
        "@type": "dpv:ConsentRecord" if consented else "gate:PermissionRecord",
        "dct:identifier": context.record_id,
        "dct:created": iso_utc(context.created),
        "dct:creator": f"gate:connector/{context.version}",
        **_parties(context),
        **jurisdiction_terms(decision, context.policy),
        **basis_terms(decision, context.policy),
        "dpv:hasProcess": list(_processes(decision, context)),
        **_notice(decision.grounds[0], context),
        **_rights(decision, context, consented=consented),
        "gate:decision": _decided(decision, context),
    }
    if consented and under_gdpr(decision, context.policy):
        record["dct:conformsTo"] = FORM_OF_27560
    if consented:
        record["dpv:hasConsentStatus"] = list(consent_events(decision, context.policy))
    requests = [request_event(g) for g in decision.grounds if g.code is Code.OK_REQUESTED]
    return record | ({"gate:request": requests} if requests else {})


def _parties(context: RecordContext) -> Json:
    """Names the person by pseudonym, the controller, and who processes for it (Art. 28)."""
    contact = context.controller.contact
    return {
        "dct:publisher": context.owner,
        "dpv:hasDataSubject": {
            "@id": f"urn:gate:subj:v1:{context.subject}",
            "@type": "dpv:DataSubject",
        },
        "dpv:hasDataController": {
            "@id": context.owner,
            "@type": "dpv:DataController",
            "dpv:hasName": context.controller.name,
            **({"dpv:hasContact": contact} if contact else {}),
        },
        "dpv:hasDataProcessor": [ACTON_AS_PROCESSOR, CRM_AS_PROCESSOR],
    }


def _processes(decision: Decision, context: RecordContext) -> Iterator[Json]:
    """Yields what is done with the data. A request is answered, not scored (rule 2.7)."""
    first = decision.grounds[0]
    if first.code is not Code.OK_REQUESTED:
        yield _scoring(first, decision, context)
    yield {
        **_process("handover", first, decision, context),
        "dpv:hasPurpose": ["dpv:CustomerRelationshipManagement", "dpv:SellProductsToDataSubject"],
        "dpv:hasProcessing": "dpv:DiscloseByTransmission",
        "dpv:hasPersonalData": ["pd:Name", *(DATA_OF[channel] for channel in decision.channels)],
        "dpv:hasRecipient": [context.owner, CRM_AS_PROCESSOR],
    }
    for number, ground in enumerate(decision.grounds):
        asked = ground.code is Code.OK_REQUESTED
        purpose = "dpv:CustomerRelationshipManagement" if asked else "dpv:DirectMarketing"
        for channel in ground.channels:
            name = f"answer-{number}-{channel}" if asked else f"contact-{channel}"
            yield {
                **_process(name, ground, decision, context, channel),
                "dpv:hasLegalBasis": bases_of(ground.code, decision, context.policy),
                "dpv:hasPurpose": purpose,
                "dpv:hasProcessing": "dpv:Use",
                "dpv:hasPersonalData": DATA_OF[channel],
                "dpv:hasRecipient": context.owner,
                "gate:channel": channel.value,
                "gate:ground": ground.code.value,
            }


def _scoring(ground: Ground, decision: Decision, context: RecordContext) -> Json:
    """Describes the scoring, with the tracking it rests on where the policy says so."""
    tracks = context.policy.uses_tracking
    agreed = tracks and truth(ground.cell("tracking_consent")) is Truth.YES
    status: Json = {
        "dpv:hasConsentStatus": {
            "@type": "dpv:ConsentGiven",
            "gate:step": "tracking",
            "dpv:isIndicatedBy": "dpv:DataSubject",
        }
    }
    behaviour = ["pd:ServiceConsumptionBehaviour", *(["pd:BrowsingBehaviour"] if tracks else [])]
    return {
        **_process("scoring", ground, decision, context),
        "dpv:hasPurpose": "dpv:DirectMarketing",
        "dpv:hasProcessing": ["dpv:Profiling", *(["dpv:TrackingByFirstParty"] if tracks else [])],
        "dpv:hasContext": "dpv:ScoringOfIndividuals",
        "dpv:hasPersonalData": ["pd:EmailAddress", *behaviour],
        "dpv:hasDataSource": "dpv:DataSubjectDataSource",
        "dpv:hasAutomationLevel": "dpv:PartialAutomation",
        "dpv:hasHumanInvolvement": "dpv:HumanInvolvementForDecision",
        "dpv:hasRecipient": [context.owner, ACTON_AS_PROCESSOR],
        **(status if agreed else {}),
    }


def _process(
    name: str,
    ground: Ground,
    decision: Decision,
    context: RecordContext,
    channel: Channel | None = None,
) -> Json:
    """Returns the frame of a process: its name and how long the data is kept for it."""
    kept: Json = {"@type": "dpv:StorageDuration"}
    span = span_of(ground, decision, context.policy)
    german = decision.profile is Profile.DE and ground.code in CONSENTS
    if german and channel is Channel.PHONE:
        kept |= {
            "dpv:hasDuration": "P5Y",
            "gate:why": "UWG s. 7a(2): proof is kept five years from the grant and from each use",
        }
    elif span:
        kept["dpv:hasDuration"] = span
    else:
        kept["gate:why"] = "until the person objects or withdraws"
    return {
        "@id": f"{context.id}#process-{name}",
        "@type": "dpv:Process",
        "dpv:hasStorageCondition": kept,
    }


def _notice(ground: Ground, context: RecordContext) -> Json:
    """Describes the registered notice; one that nobody registered is not vouched for."""
    shown = context.policy.notices.get(ground.notice)
    if shown is None:
        return {}
    text: Json = {"dct:language": context.language, "gate:textSha256": context.text_sha256}
    return {
        "dpv:hasNotice": {
            "@id": f"{context.id}#notice",
            "@type": "dpv:ConsentNotice" if ground.code in CONSENTS else "gate:Notice",
            "dct:hasVersion": shown.version,
            "dct:date": shown.effective_from.date().isoformat(),
            **{term: value for term, value in text.items() if value},
            "gate:disclosesScoring": shown.discloses_scoring,
            "gate:disclosesHandoverToSales": shown.discloses_handover,
        }
    }


def _rights(decision: Decision, context: RecordContext, *, consented: bool) -> Json:
    """Says where consent is managed and rights are exercised (GDPR Art. 7(3), 12(2)); a place
    that is no address on the web is left to the contact of the controller."""
    page = context.controller.preferences_url
    contact = context.controller.contact
    desk = f"mailto:{contact}" if "@" in contact else contact
    rights = [("eu-gdpr:A7-3", page)] if consented else []
    rights += [("eu-gdpr:A21", page), ("eu-gdpr:A15", desk), ("eu-gdpr:A17", desk)]
    bound = under_gdpr(decision, context.policy)
    found: Json = {
        "dpv:hasRight": [
            {
                "@type": ["dpv:DataSubjectRight", *([article] if bound else [])],
                **({"dpv:isExercisedAt": place} if ":" in place else {}),
            }
            for article, place in rights
        ]
    }
    if consented and page:
        control = {"@type": ["dpv:WithdrawConsent", "dpv:ManageConsent"]}
        found["dpv:hasConsentControl"] = {**control, "dpv:isExercisedAt": page}
    return found


def _decided(decision: Decision, context: RecordContext) -> Json:
    """Returns the decision; a score band only where the score was what qualified the person."""
    found: Json = {
        "gate:runId": context.run,
        "gate:outcome": decision.outcome.value,
        "gate:code": decision.code.value,
        "gate:alsoCodes": [code.value for code in decision.also],
        "gate:profile": (decision.profile or Profile.STRICT).value,
        "gate:policyVersion": decision.policy_version,
        "gate:policyHash": decision.policy_hash,
        "gate:channels": [channel.value for channel in decision.channels],
        "gate:decidedAt": iso_utc(context.created),
        "gate:listsFetchedAt": iso_utc(context.lists_fetched_at),
        "gate:listsComplete": True,
        "gate:crmRecord": context.crm_record,
    }
    if context.band is not None and decision.code is not Code.OK_REQUESTED:
        found["gate:scoreBand"] = context.band.value
    if decision.look_again_at is not None:
        found["gate:recheckDueAt"] = iso_utc(decision.look_again_at)
    return found
