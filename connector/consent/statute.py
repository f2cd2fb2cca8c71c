"""Statutory bases: contact that the law allows without consent, where the policy enables it.

Source: rule 2.5. Each profile is one line of ``BASES``; the basis lock (EDPB 05/2020 paras
120-123) forbids a change of basis once consent was ever asked for or claimed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, NamedTuple

from connector.consent.channels import Fate, number_usable
from connector.consent.facts import Facts, Statement, has_statement
from connector.consent.person import Finding
from connector.consent.profiles import Profile
from connector.consent.proof import THIRD_PARTY
from connector.consent.reasons import REASONS, Code
from connector.consent.statement import Codes, Judged, best_of, in_table_order, tracking
from connector.consent.times import after, months_after, past, when
from connector.consent.values import is_clear, word
from connector.model import Channel, Outcome

PURCHASE_MONTHS: Final = 24
INQUIRY_MONTHS: Final = 6
SCREENED_UK: Final = timedelta(days=28)
SCREENED_US: Final = timedelta(days=31)


def corporate(facts: Facts) -> bool:
    """Says whether every row that names a subscriber type says corporate (PECR 22)."""
    types = {text for row in facts.own if (text := word(row.row.cells.get("subscriber_type")))}
    return types == {"corporate"}


def recent_purchase(statement: Statement, facts: Facts) -> bool:
    """Says whether the row shows a purchase within 24 months (CASL; cap for soft opt-in)."""
    return _within(statement, "last_purchase_ts", PURCHASE_MONTHS, facts)


def recent_inquiry(statement: Statement, facts: Facts) -> bool:
    """Says whether the row shows an inquiry within six months (CASL)."""
    return _within(statement, "last_inquiry_ts", INQUIRY_MONTHS, facts)


def _within(statement: Statement, field: str, months: int, facts: Facts) -> bool:
    at = past(when(statement.row.cells.get(field)), facts.now)
    return at is not None and facts.now < months_after(at.earliest, months)


def soft_opt_in(facts: Facts) -> bool:
    """Says whether one row shows an existing customer (ePrivacy 13(2), PECR 22(3))."""
    return any(
        word(row.row.cells.get("basis")) == "soft_opt_in" and recent_purchase(row, facts)
        for row in facts.own
    )


def casl_implied(facts: Facts) -> bool:
    """Says whether CASL implies consent: a purchase or an inquiry inside its window."""
    return any(recent_purchase(row, facts) or recent_inquiry(row, facts) for row in facts.own)


class Screening(NamedTuple):
    """Whether telephone registries allow a call; ``stale`` if only their date forbids it."""

    clear: bool
    stale: bool = False


def _screened(facts: Facts, registries: tuple[str, ...], span: timedelta) -> Screening:
    values = facts.evidence.screening
    if not all(is_clear(values.get(name)) for name in registries):
        return Screening(clear=False)
    at = past(when(values.get("screened_at")), facts.now)
    fresh = at is not None and facts.now < after(at.earliest, span)
    return Screening(clear=fresh, stale=not fresh)


def _by_tps(facts: Facts) -> Screening:
    return _screened(facts, ("TPS", "CTPS"), SCREENED_UK)


def _by_dnc(facts: Facts) -> Screening:
    return Screening(clear=True) if corporate(facts) else _screened(facts, ("DNC",), SCREENED_US)


def _if_corporate(facts: Facts) -> Screening:
    return Screening(clear=corporate(facts))


def _never(_: Facts) -> Screening:
    return Screening(clear=False)


def _corporate_or_customer(facts: Facts) -> bool:
    return corporate(facts) or soft_opt_in(facts)


class Bases(NamedTuple):
    """What a profile allows without consent, by channel."""

    email: Callable[[Facts], bool]
    phone: Callable[[Facts], Screening]


def _no(_: Facts) -> bool:
    return False


def _yes(_: Facts) -> bool:
    return True


BASES: Final[dict[Profile, Bases]] = {
    Profile.UK: Bases(_corporate_or_customer, _by_tps),  # PECR 21, 22
    Profile.FR: Bases(_corporate_or_customer, _if_corporate),  # CPCE L34-5; L223-1
    Profile.DE: Bases(soft_opt_in, _never),  # UWG 7(3)
    Profile.AT: Bases(soft_opt_in, _never),  # TKG 174
    Profile.IT: Bases(soft_opt_in, _never),  # Codice Privacy 130
    Profile.EU: Bases(soft_opt_in, _never),  # ePrivacy 13(2)
    Profile.US: Bases(_yes, _by_dnc),  # CAN-SPAM; 16 CFR 310.6(b)(7)
    Profile.CA: Bases(casl_implied, _if_corporate),  # CASL; DNCL
    Profile.ROW: Bases(_no, _never),
    Profile.STRICT: Bases(_no, _never),
}


@dataclass(frozen=True, slots=True)
class Basis:
    """A statutory basis that was found: its channels, and what notice or tracking still lack."""

    channels: tuple[Channel, ...]
    best: Judged | None
    stale_screening: bool

    @property
    def email(self) -> bool:
        """True if the basis covers e-mail."""
        return Channel.EMAIL in self.channels


def basis_of(facts: Facts, findings: list[Finding]) -> Basis | None:
    """Returns the statutory basis, None where the law gives none or the basis is locked."""
    if not facts.policy.statutory or facts.local not in facts.policy.assessed:
        return None
    if _locked(facts) or _barred(findings):
        return None
    if any(row.source in THIRD_PARTY for row in facts.own):
        return None
    bases = BASES[facts.local]
    channels = []
    if bases.email(facts) and not facts.email_off:
        channels.append(Channel.EMAIL)
    callable_ = not facts.calls_off and any(number_usable(row) for row in facts.own)
    screening = bases.phone(facts) if callable_ else Screening(clear=False)
    if screening.clear:
        channels.append(Channel.PHONE)
    if not channels and not screening.stale:
        return None
    return Basis(tuple(channels), _best_notice(facts) if channels else None, screening.stale)


def _locked(facts: Facts) -> bool:
    """Says whether consent was ever stated, seen or asked for: then no other basis may follow."""
    history = facts.evidence.history
    return bool(
        has_statement(facts)
        or history.seen_statement
        or history.seen_yes
        or facts.asking.state
        or facts.asking.invites
    )


def _barred(findings: list[Finding]) -> bool:
    """Says whether anything but a bounce suppresses the person or needs a review."""
    return any(
        finding.decides
        and finding.code is not Code.HARD_BOUNCE
        and REASONS[finding.code].outcome in {Outcome.SUPPRESS, Outcome.REVIEW}
        for finding in findings
    )


def _best_notice(facts: Facts) -> Judged | None:
    """Judges notice and tracking on each own row alone; the best row counts."""
    nothing = Fate((), email_stands=False)
    return best_of(
        [Judged(row, nothing, _told(row, facts), ()) for row in facts.own],
    )


def _told(row: Statement, facts: Facts) -> Codes:
    """H8, H9, H11: Art. 13(1)(d), 14(2)(b) and 21(4) must be in the notice as well."""
    shown = facts.policy.notices.get(row.notice)
    codes = list(tracking(row, facts))
    if shown is None:
        codes.append(Code.NOTICE_UNKNOWN)
    elif not shown.informs_for_statute:
        codes.append(Code.NOTICE_OUTDATED)
    return in_table_order(codes)
