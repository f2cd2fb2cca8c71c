"""What becomes of each channel that a row says yes to.

Source: rule 1.4 "Channels" and "Negative against positive". A no of another row is weighed
against the yes by provable order; opt-outs of the CRM, of a category and bounces take a channel.
"""

from dataclasses import dataclass, field
from typing import Final

from connector.consent.facts import Facts, Statement
from connector.consent.profiles import DEMANDS
from connector.consent.proof import WITNESSED, carries
from connector.consent.reasons import Code
from connector.consent.times import past, provably_later, when
from connector.consent.values import NEGATIVE, Truth, digits_in
from connector.model import Channel

NUMBER_DIGITS: Final = 7
"""A telephone number with fewer digits cannot be called."""


@dataclass(slots=True)
class Fate:
    """The channels that a row keeps, and the codes for those that it lost.

    ``email_stands`` says that no statement of the person stands against the e-mail yes; the
    address may still be unusable.
    """

    kept: tuple[Channel, ...]
    email_stands: bool
    deciding: list[Code] = field(default_factory=list)
    reported: list[Code] = field(default_factory=list)


def standing_no(statement: Statement, channel: Channel, facts: Facts) -> set[Code]:
    """Returns what stands against a yes for one channel: withdrawn, refused, or in conflict."""
    found: set[Code] = set()
    for other in facts.kin:
        said = other.says(channel)
        if said not in NEGATIVE or other is statement:
            continue
        if provably_later(other.at, statement.at):
            found.add(Code.CONSENT_WITHDRAWN)
        elif not provably_later(statement.at, other.at):
            found.add(Code.CONSENT_CONFLICT)
        elif not carries(statement, facts):
            found.add(code_of_no(said))
    return found


def code_of_no(said: Truth) -> Code:
    """S7 for a withdrawal, S8 for a plain no."""
    return Code.CONSENT_WITHDRAWN if said is Truth.WITHDRAWN else Code.CONSENT_REFUSED


def number_usable(statement: Statement) -> bool:
    """Says whether the row holds a telephone number that can be called."""
    return digits_in(statement.row.cells.get("phone")) >= NUMBER_DIGITS


def phone_proven(statement: Statement, facts: Facts) -> bool:
    """Says whether consent to calls is proven for the number, where the profile asks for it
    (BGH I ZR 164/09, UWG 7a: a confirmed e-mail proves nothing about a telephone)."""
    if not DEMANDS[facts.profile].phone_proof or statement.method in WITNESSED:
        return True
    return past(when(statement.row.cells.get("phone_verified_ts")), facts.now) is not None


def fate(statement: Statement, facts: Facts) -> Fate:
    """Weighs each yes of the row; the most protective reading wins where nothing is left."""
    kept: list[Channel] = []
    against: dict[Channel, set[Code]] = {}
    takers: list[Code] = []
    reported: list[Code] = []
    if statement.email is Truth.YES:
        against[Channel.EMAIL] = no = standing_no(statement, Channel.EMAIL, facts)
        taken = _email_takers(facts)
        if not (no or taken):
            kept.append(Channel.EMAIL)
        elif not no - {Code.CONSENT_CONFLICT}:
            takers += taken
    if statement.phone is Truth.YES:
        against[Channel.PHONE] = no = standing_no(statement, Channel.PHONE, facts)
        proven = phone_proven(statement, facts)
        if not proven:
            reported.append(Code.PHONE_PROOF_INSUFFICIENT)
        usable = proven and number_usable(statement)
        if usable and not (no or facts.calls_off):
            kept.append(Channel.PHONE)
        elif usable and facts.calls_off and not no - {Code.CONSENT_CONFLICT}:
            takers.append(Code.CRM_OPTED_OUT)
    email_stands = Channel.EMAIL in against and not against[Channel.EMAIL]
    lost: set[Code] = set().union(*against.values())
    if kept:
        return Fate(tuple(kept), email_stands, [], [*reported, *lost])
    if _merely_in_conflict(statement, against, facts):
        return Fate((), email_stands, [Code.CONSENT_CONFLICT], [*reported, *lost])
    took = [*takers, *(lost - {Code.CONSENT_CONFLICT})]
    return Fate((), email_stands, took or [Code.NO_PERMITTED_CHANNEL], [*reported, *lost])


def _email_takers(facts: Facts) -> list[Code]:
    takers = []
    if facts.email_category_off:
        takers.append(Code.CATEGORY_OPTED_OUT)
    if "HasOptedOutOfEmail" in facts.crm:
        takers.append(Code.CRM_OPTED_OUT)
    if facts.bounced:
        takers.append(Code.HARD_BOUNCE)
    return takers


def _merely_in_conflict(
    statement: Statement, against: dict[Channel, set[Code]], facts: Facts
) -> bool:
    """Says whether a channel would be permitted but for statements that cannot be ordered."""
    only_conflict = {c for c, no in against.items() if no == {Code.CONSENT_CONFLICT}}
    if Channel.EMAIL in only_conflict and not facts.email_off:
        return True
    return (
        Channel.PHONE in only_conflict
        and not facts.calls_off
        and number_usable(statement)
        and phone_proven(statement, facts)
    )
