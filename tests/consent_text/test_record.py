"""What the consent record of a push promises to an auditor, and what it must never show."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from rdflib import RDF, XSD, Graph, Literal, Namespace, URIRef

from connector.consent.decide import evaluate
from connector.consent.decision import Decision
from connector.consent.policy import Policy
from connector.consent.profiles import Profile
from connector.consent.reasons import Code
from connector.consent.record import Controller, RecordContext, consent_record
from connector.model import Band, Cell, Interval, Outcome, PersonId, Row
from connector.policy_file import load_policy
from connector.policy_trial import Case, judge_case, read_cases

pytestmark = pytest.mark.filterwarnings(
    "ignore:ConjunctiveGraph is deprecated:DeprecationWarning"  # raised inside the parser itself
)
HERE = Path(__file__).parent
CASES = HERE.parent / "consent_cases"
TERMS = frozenset(
    line for line in (HERE / "dpv_terms.txt").read_text().splitlines() if not line.startswith("#")
)
DPV = Namespace("https://w3id.org/dpv#")
GDPR = Namespace("https://w3id.org/dpv/legal/eu/gdpr#")
GATE = Namespace("urn:gate:consent:v1#")
LOC = Namespace("https://w3id.org/dpv/loc#")
DCT = Namespace("http://purl.org/dc/terms/")
PREFIXES = {
    str(DPV): "dpv",
    str(GDPR): "eu-gdpr",
    str(LOC): "loc",
    "https://w3id.org/dpv/legal/eu#": "legal-eu",
    "https://w3id.org/dpv/legal/gb#": "legal-gb",
    "https://w3id.org/dpv/pd#": "pd",
}
UUID = "4f0d0b0e-7a54-4c0e-9b1e-2f6f4d0f7c11"
ME = URIRef(f"urn:uuid:{UUID}")
NOON = datetime(2026, 11, 23, 12, 0, 4, tzinfo=UTC)
SUBJECT = PersonId("182134404f7a20aab36863820e0972be")
TELLTALE: dict[str, Cell] = {
    "email": "zebediah.quux@tell-tale.example",
    "phone": "+44 7700 900 461",
    "first_name": "Zebediah",
    "last_name": "Quuxworthy",
    "score": 8675309,
}


@cache
def case_of(name: str) -> Case:
    """Returns a written case."""
    return next(case for case in read_cases(CASES / "cases.csv") if case.id == name)


@cache
def policy_of(name: str) -> Policy:
    """Returns a case policy."""
    path = CASES / "policies" / f"{name}.toml"
    return load_policy(path, today=date(2026, 11, 24)).policy


@cache
def pushed() -> dict[str, tuple[Decision, Policy]]:
    """Returns the decision and the policy of every written case that is a push."""
    found = {}
    for case in read_cases(CASES / "cases.csv"):
        policy = policy_of(case.policy)
        decision = judge_case(case, policy).decision
        if decision.outcome is Outcome.PUSH:
            found[case.id] = (decision, policy)
    return found


def context_for(policy: Policy, **changes: Any) -> RecordContext:
    """Returns what a run adds to a record."""
    context = RecordContext(
        record_id=UUID,
        created=NOON,
        subject=SUBJECT,
        controller=Controller(
            "ACME GmbH", "privacy@acme.example", "https://acme.example/preferences"
        ),
        policy=policy,
        run="2026-11-23T12:00:00Z/7",
        crm_record="Lead/00Q-DEMO",
        lists_fetched_at=datetime(2026, 11, 23, 11, 50, tzinfo=UTC),
        version="0.1.0",
        band=Band.QUALIFIED,
        language="en",
        text_sha256="6f5a2eb9",
    )
    return replace(context, **changes)


def record_of(name: str, **changes: Any) -> dict[str, Any]:
    """Returns the record of a written case."""
    decision, policy = pushed()[name]
    return consent_record(decision, context_for(policy, **changes))


def graph_of(record: dict[str, Any]) -> Graph:
    """Parses a record as JSON-LD, without a network: its context is inside."""
    return Graph().parse(data=json.dumps(record), format="json-ld")


def by_code(code: Code) -> list[str]:
    """Names the written cases that push under a code."""
    return [name for name, (decision, _) in pushed().items() if decision.code is code]


def terms_in(graph: Graph) -> set[str]:
    """Returns every term of the published vocabularies that a graph uses, with its prefix."""
    found = set()
    for node in {node for triple in graph for node in triple if isinstance(node, URIRef)}:
        for space, prefix in PREFIXES.items():
            if str(node).startswith(space):
                found.add(f"{prefix}:{str(node).removeprefix(space)}")
    return found


def judged(case: str, **cells: Cell) -> tuple[Decision, Policy]:
    """Decides a written case again, with other cells in every row."""
    written = case_of(case)
    rows = tuple(
        Row(row.source, row.contact_id, {**row.cells, **cells}) for row in written.evidence.rows
    )
    subject = str(cells.get("email", written.evidence.subject))
    evidence = replace(written.evidence, rows=rows, subject=subject)
    policy = policy_of(written.policy)
    return evaluate(evidence, policy, written.now), policy


def test_every_push_has_a_record_that_parses_and_uses_published_terms_only() -> None:
    """All pushes of the written cases give JSON-LD whose terms are in the committed list."""
    for name in pushed():
        graph = graph_of(record_of(name))
        assert (ME, RDF.type, None) in graph, name
        assert terms_in(graph) <= TERMS, name
        assert not [o for o in graph.objects() if isinstance(o, Literal) and o.ill_typed], name


def test_no_term_of_the_vocabulary_hides_in_a_text() -> None:
    """A prefixed term is always a link, so that a machine finds it; no literal looks like one."""
    prefixes = tuple(f"{prefix}:" for prefix in PREFIXES.values())
    for name in pushed():
        for node in graph_of(record_of(name)).objects():
            assert not (isinstance(node, Literal) and str(node).startswith(prefixes)), (name, node)


def test_a_german_record_says_what_the_worked_example_says() -> None:
    """Subject, controller, basis, country, law, purposes and every step of the proof are there."""
    decision, policy = judged(
        "V001",
        country="DE",
        consent_phone="Yes",
        phone_verified_ts="2026-03-11T10:00:00Z",
        form_id="q-0002",
    )
    graph = graph_of(consent_record(decision, context_for(policy)))
    assert (ME, RDF.type, DPV.ConsentRecord) in graph
    assert (ME, DPV.hasDataSubject, URIRef(f"urn:gate:subj:v1:{SUBJECT}")) in graph
    assert (ME, DPV.hasLegalBasis, GDPR["A6-1-a"]) in graph
    assert (ME, DPV.hasJurisdiction, LOC.DE) in graph
    assert (
        ME,
        DPV.hasApplicableLaw,
        URIRef("https://w3id.org/dpv/legal/eu#law-GDPR"),
    ) in graph
    assert {str(o) for o in graph.objects(None, GATE.step)} == {
        "double_opt_in",
        "phone_verified",
        "tracking",
    }
    times = {str(o) for o in graph.objects(None, DPV.isIndicatedAtTime)}
    assert times == {
        "2026-03-10T09:30:00+00:00",
        "2026-03-10T09:41:12+00:00",
        "2026-03-11T10:00:00+00:00",
    }
    assert (None, GATE.evidence, Literal("form:q-0002/sub:81723")) in graph
    assert (
        None,
        DPV.hasIndicationMethod,
        Literal("unticked_checkbox on web form q-0002"),
    ) in graph
    processes = {str(p).partition("#process-")[2] for p in graph.objects(ME, DPV.hasProcess)}
    assert processes == {"scoring", "handover", "contact-email", "contact-phone"}
    phone = URIRef(f"{ME}#process-contact-phone")
    condition = graph.value(phone, DPV.hasStorageCondition)
    assert graph.value(condition, DPV.hasDuration) == Literal("P5Y")
    notice = graph.value(ME, DPV.hasNotice)
    assert graph.value(notice, DCT.hasVersion) == Literal("PN-2024-03")
    assert graph.value(notice, GATE.disclosesHandoverToSales) == Literal(True)
    assert (None, RDF.type, GDPR["A7-3"]) in graph


def test_proof_of_the_number_belongs_to_a_permitted_call_only() -> None:
    """Without consent to calls no telephone proof is shown, and e-mail is kept for its term."""
    decision, policy = judged("V001", country="DE", phone_verified_ts="2026-03-11T10:00:00Z")
    graph = graph_of(consent_record(decision, context_for(policy)))
    assert (None, GATE.step, Literal("phone_verified")) not in graph
    condition = graph.value(URIRef(f"{ME}#process-contact-email"), DPV.hasStorageCondition)
    assert graph.value(condition, DPV.hasDuration) == Literal("P24M")


def test_the_record_names_the_decision_and_the_lists_it_rests_on() -> None:
    """Outcome, code, policy, run, CRM record, band and the instants can be read back."""
    decision, _ = pushed()["V001"]
    graph = graph_of(record_of("V001"))
    node = graph.value(ME, GATE.decision)
    expected = {
        GATE.outcome: "PUSH",
        GATE.code: "OK_CONSENT",
        GATE.policyHash: decision.policy_hash,
        GATE.policyVersion: decision.policy_version,
        GATE.runId: "2026-11-23T12:00:00Z/7",
        GATE.crmRecord: "Lead/00Q-DEMO",
        GATE.scoreBand: "QUALIFIED",
    }
    assert {term: str(graph.value(node, term)) for term in expected} == expected
    assert graph.value(node, GATE.listsFetchedAt) == Literal(
        "2026-11-23T11:50:00Z", datatype=XSD.dateTime
    )
    assert graph.value(node, GATE.recheckDueAt) == Literal(
        "2027-12-10T09:30:00Z", datatype=XSD.dateTime
    )


@pytest.mark.parametrize("name", by_code(Code.OK_RELAXED))
def test_a_relaxed_push_names_the_gap(name: str) -> None:
    """The codes that the signed policy answers for stand beside the decision."""
    graph = graph_of(record_of(name))
    also = {str(o) for o in graph.objects(None, GATE.alsoCodes)}
    assert also & {"CONSENT_UNPROVEN", "CONSENT_EXPIRED", "NOTICE_UNKNOWN"}
    assert (ME, DPV.hasLegalBasis, GDPR["A6-1-a"]) in graph


def test_an_unknown_method_is_not_recorded_as_an_explicit_act() -> None:
    """What nobody knows is not claimed, and an unknown text is not copied into the record."""
    decision, policy = pushed()["V001"]
    ground = replace_ground(decision, method="by carrier pigeon", source="somewhere")
    graph = graph_of(consent_record(ground, context_for(policy)))
    assert (None, RDF.type, DPV.ExplicitlyExpressedConsent) not in graph
    assert (None, RDF.type, DPV.ConsentGiven) in graph
    assert "pigeon" not in graph.serialize(format="nt")


def replace_ground(decision: Decision, **changes: Any) -> Decision:
    """Returns the decision with its first ground altered."""
    first, *rest = decision.grounds
    return replace(decision, grounds=(first._replace(**changes), *rest))


@pytest.mark.parametrize("name", by_code(Code.OK_REQUESTED))
def test_a_request_is_its_own_evidence_and_carries_no_score(name: str) -> None:
    """Art. 6(1)(b) is the basis, the request is shown, and no consent or score is claimed."""
    record = record_of(name)
    graph = graph_of(record)
    asked = graph.value(ME, GATE.request)
    assert graph.value(asked, GATE.asksFor) is not None
    assert graph.value(asked, GATE.until) is not None
    assert graph.value(asked, DPV.isIndicatedAtTime) is not None
    assert set(graph.objects(ME, DPV.hasLegalBasis)) == {GDPR["A6-1-b"]}
    assert (ME, RDF.type, DPV.ConsentRecord) not in graph
    assert (None, None, DPV.ConsentGiven) not in graph
    assert (None, None, DPV.Profiling) not in graph
    assert (None, GATE.scoreBand, None) not in graph
    condition = graph.value(URIRef(f"{ME}#process-handover"), DPV.hasStorageCondition)
    assert str(graph.value(condition, DPV.hasDuration)).endswith("D")


def test_a_request_beside_consent_keeps_its_own_basis() -> None:
    """Where consent gives e-mail and a request the call, each process says what carries it."""
    graph = graph_of(record_of("V195"))
    basis = {
        str(graph.value(process, GATE.channel)): graph.value(process, DPV.hasLegalBasis)
        for process in graph.objects(ME, DPV.hasProcess)
        if graph.value(process, GATE.channel) is not None
    }
    assert basis == {"email": GDPR["A6-1-a"], "phone": GDPR["A6-1-b"]}


@pytest.mark.parametrize("name", by_code(Code.OK_STATUTORY))
def test_a_statutory_push_claims_the_basis_of_its_own_country(name: str) -> None:
    """Art. 6(1)(f) where the GDPR reaches, implied consent in Canada, and never a consent."""
    decision, _ = pushed()[name]
    graph = graph_of(record_of(name))
    expected = {
        Profile.US: set(),
        Profile.CA: {DPV.ImpliedConsent},
    }.get(decision.profile, {GDPR["A6-1-f"]})
    assert set(graph.objects(ME, DPV.hasLegalBasis)) == expected
    assert (ME, GATE.legalBasis, None) in graph
    assert (ME, DPV.hasConsentStatus, None) not in graph


def test_an_american_record_claims_no_european_law_unless_the_controller_sits_there() -> None:
    """Outside Europe consent is named in plain terms; Art. 3(1) brings a European firm back."""
    decision, policy = judged("V001", country="US")
    abroad = graph_of(consent_record(decision, context_for(replace(policy, established_in=()))))
    assert set(abroad.objects(ME, DPV.hasLegalBasis)) == {DPV.ExpressedConsent}
    assert (ME, DPV.hasApplicableLaw, None) not in abroad
    assert (ME, DCT.conformsTo, None) not in abroad
    assert not [term for term in terms_in(abroad) if term.startswith(("eu-gdpr:", "legal-"))]
    home = replace(policy, established_in=(Profile.UK,))
    bound = graph_of(consent_record(decision, context_for(home)))
    assert set(bound.objects(ME, DPV.hasLegalBasis)) == {GDPR["A6-1-a"]}
    assert (
        ME,
        DPV.hasApplicableLaw,
        URIRef("https://w3id.org/dpv/legal/gb#law-GDPR"),
    ) in bound


def test_switzerland_is_judged_as_the_union_but_not_called_it() -> None:
    """A Swiss contact's record names Switzerland and does not claim that EU law applies."""
    decision, policy = judged("V001", country="CH")
    graph = graph_of(consent_record(decision, context_for(replace(policy, established_in=()))))
    assert (ME, DPV.hasJurisdiction, LOC.CH) in graph
    assert (ME, DPV.hasApplicableLaw, None) not in graph


def test_countries_that_contradict_each_other_are_not_recorded_as_one() -> None:
    """Where the lists name different countries the record names none."""
    decision, policy = pushed()["V001"]
    torn = replace(
        decision, profile=Profile.STRICT, also=(*decision.also, Code.JURISDICTION_CONFLICT)
    )
    graph = graph_of(consent_record(torn, context_for(policy)))
    assert (ME, DPV.hasJurisdiction, None) not in graph


def test_a_day_without_a_zone_stays_an_interval() -> None:
    """A date alone is not made into an instant that nobody knows."""
    start = datetime(2026, 3, 9, 10, tzinfo=UTC)
    end = datetime(2026, 3, 11, 12, tzinfo=UTC)
    decision, policy = judged("V001", consent_ts=Interval(start, end), doi_ts="")
    graph = graph_of(consent_record(decision, context_for(policy)))
    assert (None, DPV.isIndicatedAtTime, None) not in graph
    assert {str(o) for o in graph.objects(None, GATE.notBefore)} == {start.isoformat()}
    assert {str(o) for o in graph.objects(None, GATE.notAfter)} == {end.isoformat()}


@pytest.mark.parametrize("case", ["V001", "V118", "V107", "V145", "V195"])
@pytest.mark.parametrize(
    "reference",
    [
        "form:q-0002/sub:81723",
        "mail from zebediah.quux@tell-tale.example",
        "call with Quuxworthy",
        "recording-447700900461.wav",
    ],
)
def test_nothing_in_a_record_says_who_the_person_is(case: str, reference: str) -> None:
    """No address, number, name or score gets in, not even by way of an evidence reference."""
    written = case_of(case)
    telltale = {**TELLTALE, "evidence_ref": reference} if case != "V145" else TELLTALE
    decision, policy = judged(case, **telltale)
    assert decision.outcome is Outcome.PUSH, (case, decision.code)
    text = json.dumps(consent_record(decision, context_for(policy))).casefold()
    for secret in ("zebediah", "quux", "tell-tale", "900461", "900 461", "8675309"):
        assert secret not in text, (case, secret)
    assert written.evidence.subject.casefold() not in text


def test_an_innocent_reference_is_kept_and_a_telling_one_says_that_it_was_withheld() -> None:
    """Evidence can be found from the record unless it would give the person away."""
    kept, policy = judged("V001", evidence_ref="form:q-0002/sub:81723", first_name="Sub")
    other, _ = judged("V001", evidence_ref="form:q-0002/81723", first_name="Ann")
    texts = [json.dumps(consent_record(d, context_for(policy))) for d in (kept, other)]
    assert "withheld" in texts[0]
    assert "withheld" not in texts[1]
    assert "form:q-0002/81723" in texts[1]


def test_the_band_is_recorded_only_if_the_score_is_what_qualified() -> None:
    """Without a band the record is silent about the score."""
    assert "gate:scoreBand" in record_of("V001")["gate:decision"]
    assert "gate:scoreBand" not in record_of("V001", band=None)["gate:decision"]


def test_an_unregistered_notice_is_not_vouched_for() -> None:
    """A version that is in no register does not appear as the notice that was shown."""
    decision, policy = pushed()["V001"]
    unknown = replace_ground(decision, notice="pn-1999")
    assert "dpv:hasNotice" not in consent_record(unknown, context_for(policy))


def test_a_controller_without_pages_leaves_them_out() -> None:
    """A place where rights are exercised is a link or absent, never an empty or made-up one."""
    record = record_of("V001", controller=Controller("ACME", "the privacy desk"))
    graph = graph_of(record)
    assert (None, DPV.isExercisedAt, None) not in graph
    assert (ME, DPV.hasConsentControl, None) not in graph
    assert len(set(graph.objects(ME, DPV.hasRight))) == 4


def test_the_same_decision_gives_the_same_record() -> None:
    """A record can be hashed, because nothing in it depends on anything else."""
    assert json.dumps(record_of("V195")) == json.dumps(record_of("V195"))


def test_only_a_push_has_a_consent_record() -> None:
    """A refusal, and a push read back without its grounds, cannot be turned into a record."""
    decision, policy = pushed()["V001"]
    for other in (
        replace(decision, outcome=Outcome.HOLD),
        replace(decision, grounds=()),
    ):
        with pytest.raises(ValueError, match="no consent record"):
            consent_record(other, context_for(policy))
