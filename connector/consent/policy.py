"""The policy: everything a data-protection officer signs, as values.

Source: rules 1.5, 2.5, 2.7 and 3. Dates of the registers are midnight UTC; periods are half-open.
Texts that are compared (forms, notices, lists, categories, names) are kept in normal form.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property

from connector.consent.profiles import DEMANDS, Profile
from connector.model import Channel

SALES_CONTACT = "sales_contact"
"""The purpose judged here: scoring, hand-over to Sales, and contact by Sales."""
DEFAULT_ROLES = frozenset(
    """info sales admin contact office support marketing hello enquiries inquiries billing accounts
    hr jobs noreply no-reply postmaster abuse webmaster team buchhaltung kontakt""".split()  # noqa: SIM905  # reads as a list of words
)


class Relaxable(StrEnum):
    """What a signed policy may do without for a while; nothing else can be relaxed."""

    EVIDENCE_ID = "evidence_id"
    METHOD = "unknown_method"
    SOURCE = "unknown_source"
    EXPIRY = "consent_expiry"
    NOTICE = "notice_version"


class Reach(StrEnum):
    """What an opt-out of a subscription category takes away."""

    ALL = "ALL"
    EMAIL = "EMAIL"
    NONE = "NONE"


@dataclass(frozen=True, slots=True)
class Notice:
    """One version of the privacy notice and what it disclosed (GDPR Art. 13, 14, 21(4))."""

    version: str
    effective_from: datetime
    discloses_scoring: bool
    discloses_handover: bool
    names_legitimate_interest: bool = False
    states_right_to_object: bool = False

    @property
    def informs_for_consent(self) -> bool:
        """True if a consent under it was informed of scoring and hand-over."""
        return self.discloses_scoring and self.discloses_handover

    @property
    def informs_for_statute(self) -> bool:
        """True if it also carries a statutory basis."""
        return (
            self.informs_for_consent
            and self.names_legitimate_interest
            and self.states_right_to_object
        )


@dataclass(frozen=True, slots=True)
class Capture:
    """What one form showed from ``since`` until before ``until``: the label, its purposes."""

    form: str
    since: datetime
    until: datetime | None
    covers: frozenset[str]
    channels: frozenset[Channel]
    method: str
    source: str
    notice: str


@dataclass(frozen=True, slots=True)
class RequestForm:
    """A form by which a person asks to be contacted (GDPR Art. 6(1)(b))."""

    form: str
    asks_for: str
    channels: frozenset[Channel]
    window: timedelta


@dataclass(frozen=True, slots=True)
class Declaration:
    """What the column map of one list says of its consent columns.

    ``notices`` are (in force from, version), oldest first; ``requests_only`` exempts a source
    that holds requests and no marketing consent from the missing-column rule.
    """

    covers: frozenset[str] = frozenset()
    unticked_refuses: bool = False
    notices: tuple[tuple[datetime, str], ...] = ()
    requests_only: bool = False


@dataclass(frozen=True, slots=True)
class Relaxation:
    """A gap that a named person answers for until ``until`` (exclusive)."""

    what: Relaxable
    reason: str
    name: str
    until: datetime


@dataclass(frozen=True, slots=True)
class ScorePolicy:
    """When a score qualifies. ``slack`` is the share of a threshold a score may fall back by
    before its band changes, because scores fall when their window moves."""

    threshold: float = 40.0
    watch: float = 24.0
    slack: float = 0.1
    sheets: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AskLimits:
    """How often a held person may be asked (rule 3)."""

    invitations: int = 2
    wait: timedelta = timedelta(days=14)
    daily_cap: int = 500
    approve_each_batch: bool = True


@dataclass(frozen=True)
class Policy:
    """The signed rules of one company; ``hash`` identifies the text that was signed."""

    name: str
    version: str
    hash: str
    notices: Mapping[str, Notice]
    controllers: frozenset[str]
    established_in: tuple[Profile, ...] = ()
    home_profile: Profile | None = None
    observe: bool = False
    statutory: bool = False
    assessed: frozenset[Profile] = frozenset()
    uses_tracking: bool = True
    opt_in_mode_since: datetime | None = None
    valid_months: int = 24
    internal_domains: frozenset[str] = frozenset()
    roles: frozenset[str] = DEFAULT_ROLES
    captures: Mapping[str, tuple[Capture, ...]] = field(default_factory=dict)
    request_forms: Mapping[str, RequestForm] = field(default_factory=dict)
    categories: Mapping[str, Reach] = field(default_factory=dict)
    lists: Mapping[str, Declaration] = field(default_factory=dict)
    relaxations: tuple[Relaxation, ...] = ()
    score: ScorePolicy = field(default_factory=ScorePolicy)
    asking: AskLimits = field(default_factory=AskLimits)
    optout_codes: frozenset[str] = frozenset()
    optout_cap: int = 50
    all_unpermitted: bool = False

    def tracking_needed(self, profile: Profile) -> bool:
        """Says whether the score needs tracking consent (ePrivacy 5(3), PECR 6)."""
        return self.uses_tracking and (DEMANDS[profile].tracking or self._home_tracks)

    def expires(self, profile: Profile) -> bool:
        """Says whether consent ends by time, by the stricter of contact and controller."""
        return DEMANDS[profile].expiry or self._home_expires

    def relaxed(self, now: datetime) -> frozenset[Relaxable]:
        """Returns what is relaxed at ``now``; an ended relaxation does not apply."""
        return frozenset(r.what for r in self.relaxations if now < r.until)

    @cached_property
    def _home_tracks(self) -> bool:
        return any(DEMANDS[profile].tracking for profile in self.established_in)

    @cached_property
    def _home_expires(self) -> bool:
        return any(DEMANDS[profile].expiry for profile in self.established_in)
