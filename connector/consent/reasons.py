"""The table of reasons: every code, in order of precedence inside its outcome.

Source: rule 2.2. The order of this table decides which code names a decision; severity says how
grave it is (5 legal prohibition, 4 cannot prove lawfulness, 3 fixable gap, 2 data quality, 1 for
information). ``says`` is what a person reads; ``lifted_by`` is what would have to change.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from connector.model import Outcome

_S, _R, _H, _P = Outcome.SUPPRESS, Outcome.REVIEW, Outcome.HOLD, Outcome.PUSH


class Code(StrEnum):
    """The name of a finding."""

    ERASED = "ERASED"
    OBJECTED = "OBJECTED"
    SPAM_COMPLAINT = "SPAM_COMPLAINT"
    OPTED_OUT = "OPTED_OUT"
    CATEGORY_OPTED_OUT = "CATEGORY_OPTED_OUT"
    CRM_OPTED_OUT = "CRM_OPTED_OUT"
    CONSENT_WITHDRAWN = "CONSENT_WITHDRAWN"
    CONSENT_REFUSED = "CONSENT_REFUSED"
    MINOR = "MINOR"
    HARD_BOUNCE = "HARD_BOUNCE"
    INTERNAL_ADDRESS = "INTERNAL_ADDRESS"
    SOURCE_UNAVAILABLE = "SOURCE_UNAVAILABLE"
    IDENTITY_INVALID = "IDENTITY_INVALID"
    ROLE_ADDRESS = "ROLE_ADDRESS"
    RECONSENT_AFTER_SUPPRESSION = "RECONSENT_AFTER_SUPPRESSION"
    REQUEST_AFTER_SUPPRESSION = "REQUEST_AFTER_SUPPRESSION"
    CONSENT_CONFLICT = "CONSENT_CONFLICT"
    CONSENT_VALUE_AMBIGUOUS = "CONSENT_VALUE_AMBIGUOUS"
    CONSENT_COLUMN_MISSING = "CONSENT_COLUMN_MISSING"
    TIMESTAMP_FUTURE = "TIMESTAMP_FUTURE"
    TIMESTAMP_INVALID = "TIMESTAMP_INVALID"
    TIMESTAMP_IMPLAUSIBLE = "TIMESTAMP_IMPLAUSIBLE"
    NOTICE_TIME_MISMATCH = "NOTICE_TIME_MISMATCH"
    DOI_SUSPECT_BOT = "DOI_SUSPECT_BOT"
    CATEGORY_UNMAPPED = "CATEGORY_UNMAPPED"
    REPERM_EXHAUSTED = "REPERM_EXHAUSTED"
    CONTROLLER_MISMATCH = "CONTROLLER_MISMATCH"
    CONSENT_MISSING = "CONSENT_MISSING"
    CONSENT_THIRD_PARTY = "CONSENT_THIRD_PARTY"
    CONSENT_NOT_AFFIRMATIVE = "CONSENT_NOT_AFFIRMATIVE"
    CONSENT_UNPROVEN = "CONSENT_UNPROVEN"
    DOI_REQUIRED = "DOI_REQUIRED"
    CONSENT_EXPIRED = "CONSENT_EXPIRED"
    NOTICE_UNKNOWN = "NOTICE_UNKNOWN"
    NOTICE_OUTDATED = "NOTICE_OUTDATED"
    PURPOSE_NOT_COVERED = "PURPOSE_NOT_COVERED"
    TRACKING_NOT_CONSENTED = "TRACKING_NOT_CONSENTED"
    NO_PERMITTED_CHANNEL = "NO_PERMITTED_CHANNEL"
    RENEWAL_DUE = "RENEWAL_DUE"
    JURISDICTION_UNKNOWN = "JURISDICTION_UNKNOWN"
    JURISDICTION_CONFLICT = "JURISDICTION_CONFLICT"
    PHONE_PROOF_INSUFFICIENT = "PHONE_PROOF_INSUFFICIENT"
    CRM_EMAIL_OFF = "CRM_EMAIL_OFF"
    CRM_PHONE_OFF = "CRM_PHONE_OFF"
    CATEGORY_EMAIL_OFF = "CATEGORY_EMAIL_OFF"
    REPERM_PENDING = "REPERM_PENDING"
    SCREENING_STALE = "SCREENING_STALE"
    OK_CONSENT = "OK_CONSENT"
    OK_RELAXED = "OK_RELAXED"
    OK_REQUESTED = "OK_REQUESTED"
    OK_STATUTORY = "OK_STATUTORY"


class Reason(NamedTuple):
    """One line of the table; ``outcome`` is None for a code that only informs."""

    number: str
    outcome: Outcome | None
    severity: int
    says: str
    law: str
    lifted_by: str


_SAME = "the person's own later consent, confirmed by double opt-in, and a human who checks it"
REASONS: Final[dict[Code, Reason]] = {
    Code.ERASED: Reason("S1", _S, 5, "This person asked to be erased.",
        "GDPR Art. 17(1), 5(1)(a); CNIL MED-2023-040", _SAME),
    Code.OBJECTED: Reason("S2", _S, 5, "This person objected to marketing or profiling.",
        "GDPR Art. 21(2)-(3)", _SAME),
    Code.SPAM_COMPLAINT: Reason("S3", _S, 5, "This person marked our mail as spam.",
        "GDPR Art. 21(2)", _SAME + ", if the complaint is dated"),
    Code.OPTED_OUT: Reason("S4", _S, 5, "This person opted out of everything.",
        "GDPR Art. 7(3), 21(3); PECR 22, 23; CAN-SPAM; CASL s. 11(3)",
        _SAME + ", if the opt-out is dated"),
    Code.CATEGORY_OPTED_OUT: Reason("S5", _S, 5,
        "This person opted out of the category that carries this contact.",
        "GDPR Art. 7(3); EDPB 05/2020 paras 43-48", _SAME + ", if the opt-out is dated"),
    Code.CRM_OPTED_OUT: Reason("S6", _S, 5,
        "A do-not-contact flag in the CRM takes the last permitted channel.",
        "GDPR Art. 21; least permissive preference wins", "a human clears the flag in the CRM"),
    Code.CONSENT_WITHDRAWN: Reason("S7", _S, 5, "This person withdrew consent.",
        "GDPR Art. 7(3)", "a later proven consent that the person gave themselves"),
    Code.CONSENT_REFUSED: Reason("S8", _S, 5, "This person said no.",
        "GDPR Art. 4(11), 7(4); ICO Moneysupermarket", "a later consent with double opt-in"),
    Code.MINOR: Reason("S9", _S, 5, "This person is under 18.",
        "GDPR Art. 8, Rec. 38, 71", "age"),
    Code.HARD_BOUNCE: Reason("S10", _S, 2, "Mail to this address bounces for good.",
        "GDPR Art. 5(1)(d)", "a corrected address"),
    Code.INTERNAL_ADDRESS: Reason("S11", _S, 1, "This is an address of our own company.",
        "not a prospect", "nothing"),
    Code.SOURCE_UNAVAILABLE: Reason("R1", _R, 4,
        "The opt-out lists were not read completely within the last 24 hours.",
        "GDPR Art. 5(2), 25, 32", "the next complete read"),
    Code.IDENTITY_INVALID: Reason("R2", _R, 2,
        "There is no single valid e-mail address to check against the lists.",
        "GDPR Art. 5(1)(d)", "a corrected address"),
    Code.ROLE_ADDRESS: Reason("R3", _R, 2,
        "This is a role address; consent must be given by a person.",
        "GDPR Art. 4(11)", "a human decides"),
    Code.RECONSENT_AFTER_SUPPRESSION: Reason("R4", _R, 4,
        "This person is on a suppression list but consented again later.",
        "GDPR Art. 7(1)", "a human checks the consent and clears the list"),
    Code.REQUEST_AFTER_SUPPRESSION: Reason("R5", _R, 4,
        "This person is on a suppression list but asked to be contacted later.",
        "GDPR Art. 6(1)(b), 21(3)",
        "a human answers the request, and clears the list if asked to"),
    Code.CONSENT_CONFLICT: Reason("R6", _R, 4,
        "A yes and a no contradict each other and cannot be put in order.",
        "GDPR Art. 7(1), 5(1)(d)", "a human decides"),
    Code.CONSENT_VALUE_AMBIGUOUS: Reason("R7", _R, 4,
        "A consent column holds a value that is neither a clear yes nor a clear no.",
        "GDPR Art. 4(11) unambiguous", "a clear value, or a mapping for this one"),
    Code.CONSENT_COLUMN_MISSING: Reason("R8", _R, 4,
        "A source has no consent column, so nobody can say that no statement exists.",
        "EDPB 05/2020 paras 120-123", "mapping the column"),
    Code.TIMESTAMP_FUTURE: Reason("R9", _R, 2, "A consent date lies in the future.",
        "GDPR Art. 7(1)", "a corrected date"),
    Code.TIMESTAMP_INVALID: Reason("R10", _R, 2, "A consent date cannot be read.",
        "GDPR Art. 7(1)", "a date_format for the column, or a corrected date"),
    Code.TIMESTAMP_IMPLAUSIBLE: Reason("R11", _R, 2,
        "The confirmation is dated before the consent.", "GDPR Art. 7(1)", "a corrected date"),
    Code.NOTICE_TIME_MISMATCH: Reason("R12", _R, 4,
        "The consent is older than the notice it refers to.", "EDPB 05/2020 para 108",
        "a corrected date or notice version"),
    Code.DOI_SUSPECT_BOT: Reason("R13", _R, 4,
        "The confirmation came within ten seconds: a mail scanner may have clicked it.",
        "GDPR Art. 7(1)", "a new double opt-in"),
    Code.CATEGORY_UNMAPPED: Reason("R14", _R, 2,
        "This person opted out of a category whose meaning the policy does not name.",
        "fail closed", "mapping the category in the policy"),
    Code.REPERM_EXHAUSTED: Reason("H0", _H, 3,
        "This person was asked and did not answer; they are not asked again.",
        "GDPR Rec. 32: silence is neither consent nor objection", "any valid consent"),
    Code.CONTROLLER_MISMATCH: Reason("H1", _H, 4, "The consent names another company.",
        "PECR 22(2); GDPR Art. 4(11) specific", "a consent that names us"),
    Code.CONSENT_MISSING: Reason("H2", _H, 4, "There is no yes from this person.",
        "GDPR Art. 6(1)(a), 7(1); ICO Honda", "consent"),
    Code.CONSENT_THIRD_PARTY: Reason("H3", _H, 4,
        "The consent was collected by somebody else (bought, partner or broker data).",
        "CNIL SAN-2025-001; ICO indirect consent", "a consent given to us"),
    Code.CONSENT_NOT_AFFIRMATIVE: Reason("H4", _H, 4,
        "The yes was not an act of the person (pre-ticked, prefilled, bundled or implied).",
        "GDPR Rec. 32; Planet49; Orange Romania", "a consent by an act of the person"),
    Code.CONSENT_UNPROVEN: Reason("H5", _H, 4,
        "The yes cannot be proven: its time, source, method or evidence is missing.",
        "GDPR Art. 7(1), 5(2); EDPB 05/2020 para 108", "the missing evidence, or a new consent"),
    Code.DOI_REQUIRED: Reason("H6", _H, 4, "A double opt-in is needed here and is missing.",
        "BGH I ZR 164/09; Garante 330/2025", "double opt-in"),
    Code.CONSENT_EXPIRED: Reason("H7", _H, 3, "The consent is older than the policy allows.",
        "EDPB 05/2020 paras 110-111", "a renewed consent"),
    Code.NOTICE_UNKNOWN: Reason("H8", _H, 4,
        "Nobody can show which privacy notice the person saw.",
        "EDPB 05/2020 para 108; GDPR Art. 13, 14",
        "registering the notice, or a new consent"),
    Code.NOTICE_OUTDATED: Reason("H9", _H, 3,
        "The notice did not say that behaviour is scored and handed to Sales.",
        "GDPR Art. 4(11), 13(1)(c),(e), Rec. 60; WP260 paras 29-31", "re-permission"),
    Code.PURPOSE_NOT_COVERED: Reason("H10", _H, 3,
        "The yes was given for another purpose than contact by Sales.",
        "GDPR Art. 5(1)(b), 6(1)(a); EDPB 05/2020 paras 43-48", "re-permission"),
    Code.TRACKING_NOT_CONSENTED: Reason("H11", _H, 4,
        "The score was built by tracking without consent to tracking.",
        "ePrivacy 5(3); PECR 6; EDPB 2/2023; CNIL 2026-042",
        "tracking consent and a score reset"),
    Code.NO_PERMITTED_CHANNEL: Reason("H12", _H, 3,
        "There is a yes, but no channel that it could be used on.",
        "PECR 21, 22; UWG 7", "consent for a usable channel"),
    Code.RENEWAL_DUE: Reason("I1", None, 1, "The consent should be renewed soon.",
        "EDPB 05/2020 para 111", "a renewed consent"),
    Code.JURISDICTION_UNKNOWN: Reason("I2", None, 1,
        "The country is blank or unknown.", "fail closed", "the country"),
    Code.JURISDICTION_CONFLICT: Reason("I3", None, 1,
        "The lists name different countries; the strictest rules apply.", "fail closed",
        "one country"),
    Code.PHONE_PROOF_INSUFFICIENT: Reason("I4", None, 1,
        "The consent to calls is not proven for the telephone number.",
        "BGH I ZR 164/09; UWG 7a", "a verified telephone number"),
    Code.CRM_EMAIL_OFF: Reason("I5", None, 1, "The CRM says: do not e-mail.",
        "least permissive preference wins", "a human clears the flag in the CRM"),
    Code.CRM_PHONE_OFF: Reason("I6", None, 1, "The CRM says: do not call.",
        "least permissive preference wins", "a human clears the flag in the CRM"),
    Code.CATEGORY_EMAIL_OFF: Reason("I7", None, 1,
        "An opt-out of an e-mail category takes the e-mail channel.", "GDPR Art. 7(3)",
        "the person opts in to the category again"),
    Code.REPERM_PENDING: Reason("I8", None, 1, "An invitation was sent and may be answered yet.",
        "house limit", "the answer, or fourteen days"),
    Code.SCREENING_STALE: Reason("I9", None, 1,
        "The telephone screening is too old or undated.", "PECR 21(4); 16 CFR 310",
        "a fresh screening"),
    Code.OK_CONSENT: Reason("P1", _P, 0, "This person agreed to it, and the proof is complete.",
        "GDPR Art. 6(1)(a), 7", ""),
    Code.OK_RELAXED: Reason("P2", _P, 0,
        "This person agreed to it; a gap in the proof is accepted by the signed policy.",
        "GDPR Art. 6(1)(a); the signed policy answers for the gap", ""),
    Code.OK_REQUESTED: Reason("P3", _P, 0,
        "This person asked to be contacted; this covers that request only.",
        "GDPR Art. 6(1)(b)", ""),
    Code.OK_STATUTORY: Reason("P4", _P, 0,
        "The law allows this contact without consent; the person may object.",
        "GDPR Art. 6(1)(f) and national rules", ""),
}  # fmt: skip

RANK: Final[dict[Code, int]] = {code: place for place, code in enumerate(REASONS)}
"""Place of a code in the table."""
OUTCOME_RANK: Final[dict[Outcome | None, int]] = {
    Outcome.SUPPRESS: 0, Outcome.REVIEW: 1, Outcome.HOLD: 2, Outcome.PUSH: 3, None: 4,
}  # fmt: skip
"""Precedence of outcomes, most protective first; information last."""
