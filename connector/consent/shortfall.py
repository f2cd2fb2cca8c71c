"""What a held person lacks, and what the person's own acts closed.

The first feeds the report ("which single piece of evidence would free most leads"), the second
the writes that only an act of the person may cause (rule 2.1a).
"""

from typing import Final

from connector.consent.facts import Facts
from connector.consent.person import OBJECTIONS
from connector.consent.proof import missing_proof
from connector.consent.reasons import Code
from connector.consent.statement import Judged, opted_out_at
from connector.consent.times import when
from connector.consent.values import NEGATIVE, Truth, negative_truth
from connector.model import Channel, Feed

PIECE_OF: Final = {
    Code.CONSENT_MISSING: "a yes to contact by Sales",
    Code.CONSENT_THIRD_PARTY: "a consent given to us",
    Code.CONTROLLER_MISMATCH: "a consent that names us",
    Code.CONSENT_NOT_AFFIRMATIVE: "a consent by an act of the person",
    Code.DOI_REQUIRED: "doi_ts (double opt-in)",
    Code.CONSENT_EXPIRED: "a renewed consent",
    Code.NOTICE_UNKNOWN: "notice_version",
    Code.NOTICE_OUTDATED: "a notice that discloses scoring and hand-over",
    Code.PURPOSE_NOT_COVERED: "a label that covers contact by Sales",
    Code.TRACKING_NOT_CONSENTED: "tracking_consent",
    Code.NO_PERMITTED_CHANNEL: "a usable channel",
    Code.REPERM_EXHAUSTED: "an act of the person (asking has ended)",
}
"""The piece of evidence that each holding code asks for, in words of the column map where one
column would supply it."""


def lacks_of(deciding: frozenset[Code], best: Judged | None) -> tuple[str, ...]:
    """Returns the missing pieces of a refusal; one piece alone would free the person."""
    pieces = {PIECE_OF.get(code, f"resolution of {code}") for code in deciding}
    if Code.CONSENT_UNPROVEN in deciding and best is not None:
        pieces.discard(f"resolution of {Code.CONSENT_UNPROVEN}")
        pieces.update(missing_proof(best.statement))
    return tuple(sorted(pieces))


def acts_of(facts: Facts, best: Judged | None) -> tuple[tuple[Channel, ...], bool]:
    """Returns the channels closed by an act of the person, and whether a global act closed all.

    A judgment of ours (hold, review, expiry, bounce) is no act and never appears here.
    """
    if _global_act(facts):
        return tuple(Channel), True
    closed = set()
    for channel in Channel:
        stands = best is not None and channel in best.fate.kept
        if not stands and any(row.says(channel) in NEGATIVE for row in facts.kin):
            closed.add(channel)
    if facts.email_category_off or "HasOptedOutOfEmail" in facts.crm:
        closed.add(Channel.EMAIL)
    if facts.calls_off:
        closed.add(Channel.PHONE)
    withdrawn = best is None or Code.CONSENT_WITHDRAWN in best.deciding
    if withdrawn and any(opted_out_at(row) is not None for row in facts.kin):
        closed.update(Channel)
    if facts.asking.state == "declined":
        closed.update(Channel)
    return tuple(channel for channel in Channel if channel in closed), False


def _global_act(facts: Facts) -> bool:
    """Says whether an erasure, objection, complaint or global opt-out is on record (S1-S4)."""
    return bool(
        facts.evidence.history.tombstones
        or "ShouldForget" in facts.crm
        or any(flag in facts.crm for flag in OBJECTIONS)
        or any(entry.feed in {Feed.OPTOUT, Feed.SPAM} for entry in facts.listed)
        or any(
            negative_truth(row.row.cells.get("do_not_contact")) is Truth.YES
            or when(row.row.cells.get("objected_ts")) is not None
            for row in facts.kin
        )
    )
