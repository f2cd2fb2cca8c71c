"""The tables of a policy file: their keys, types and what is allowed.

Source: rules 1.5, 2.4-2.7 and 3. Dates are midnight UTC unless they carry a time.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Literal

from pydantic import Field, field_validator

from connector.consent.countries import country_code
from connector.consent.policy import (
    AskLimits,
    Capture,
    Declaration,
    Notice,
    Reach,
    Relaxable,
    Relaxation,
    RequestForm,
)
from connector.consent.profiles import Profile
from connector.consent.proof import AFFIRMATIVE, FIRST_HAND, NOT_AFFIRMATIVE, THIRD_PARTY
from connector.consent.reasons import Code
from connector.consent.values import normal
from connector.model import Channel
from connector.toml_file import Table

BUILT_IN: Final[dict[str, dict[str, Any]]] = {
    "observe": {"kind": "observe"},
    "starter": {"kind": "starter"},
    "strict": {"kind": "strict"},
    "statutory": {"kind": "statutory"},
}
"""The policies that a file may extend; all judge by the same rules (rule 2.5)."""

NEVER_RELAXED: Final = "never relaxable (rule 2.5)"
Day = datetime | date


def instant(day: Day) -> datetime:
    """Returns a TOML date as midnight UTC, a datetime as UTC."""
    if isinstance(day, datetime):
        return day.replace(tzinfo=UTC) if day.tzinfo is None else day.astimezone(UTC)
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


class NoticeTable(Table):
    """One version of the privacy notice."""

    version: str = Field(min_length=1)
    effective_from: Day
    discloses_scoring: bool
    discloses_handover: bool
    names_legitimate_interest: bool = False
    states_right_to_object: bool = False
    language: str = ""
    text_sha256: str = ""

    def value(self) -> Notice:
        """Returns it for the engine."""
        return Notice(
            self.version,
            instant(self.effective_from),
            self.discloses_scoring,
            self.discloses_handover,
            self.names_legitimate_interest,
            self.states_right_to_object,
        )


class CaptureTable(Table):
    """What one form showed, from when to when."""

    form: str = Field(min_length=1)
    since: Day = Field(alias="from")
    until: Day | None = Field(default=None, alias="to")
    covers: list[str] = Field(min_length=1)
    channels: list[Channel] = Field(min_length=1)
    method: str
    source: str = "web_form"
    notice: str
    label_sha256: str = ""

    @field_validator("method")
    @classmethod
    def _known_method(cls, value: str) -> str:
        return _one_of(value, AFFIRMATIVE | NOT_AFFIRMATIVE)

    @field_validator("source")
    @classmethod
    def _known_source(cls, value: str) -> str:
        return _one_of(value, FIRST_HAND | THIRD_PARTY)

    def value(self) -> Capture:
        """Returns it for the engine."""
        return Capture(
            normal(self.form),
            instant(self.since),
            None if self.until is None else instant(self.until),
            frozenset(normal(purpose) for purpose in self.covers),
            frozenset(self.channels),
            normal(self.method),
            normal(self.source),
            normal(self.notice),
        )


def _one_of(value: str, allowed: frozenset[str]) -> str:
    if normal(value) not in allowed:
        raise ValueError(f"must be one of {', '.join(sorted(allowed))}")
    return value


class RequestFormTable(Table):
    """A form by which people ask to be contacted."""

    form: str = Field(min_length=1)
    asks_for: str
    channels: list[Channel] = Field(min_length=1)
    window_days: int = Field(default=30, ge=1, le=365)

    def value(self) -> RequestForm:
        """Returns it for the engine."""
        return RequestForm(
            normal(self.form),
            self.asks_for,
            frozenset(self.channels),
            timedelta(days=self.window_days),
        )


class DeclaredNotice(Table):
    """A notice that a list's consent column stands under, from a date on."""

    since: Day = Field(alias="from")
    version: str


class DeclarationTable(Table):
    """What the consent columns of one list cover."""

    id: str
    covers: list[str] = Field(default_factory=list)
    unticked_means: Literal["nothing", "refused"] = "nothing"
    requests_only: bool = False
    notices: list[DeclaredNotice] = Field(default_factory=list)

    def value(self) -> Declaration:
        """Returns it for the engine."""
        return Declaration(
            frozenset(normal(purpose) for purpose in self.covers),
            self.unticked_means == "refused",
            tuple(sorted((instant(n.since), normal(n.version)) for n in self.notices)),
            self.requests_only,
        )


class RelaxTable(Table):
    """A gap in the proof that a named person answers for, for a while."""

    what: list[Relaxable] = Field(
        default=[
            Relaxable.EVIDENCE_ID, Relaxable.METHOD, Relaxable.SOURCE, Relaxable.EXPIRY,
        ],
        min_length=1,
    )  # fmt: skip
    reason: str = Field(min_length=1)
    name: str = Field(min_length=1)
    until: Day

    @field_validator("what", mode="before")
    @classmethod
    def _relaxable(cls, value: object) -> object:
        asked = [value] if isinstance(value, str) else value
        allowed = [relaxable.value for relaxable in Relaxable]
        refused = [a for a in asked if a not in allowed] if isinstance(asked, list) else []
        if refused:
            raise ValueError(f"{refused[0]} is {NEVER_RELAXED}; only {', '.join(allowed)} can be")
        return asked

    def values(self) -> tuple[Relaxation, ...]:
        """Returns one relaxation for each gap."""
        return tuple(
            Relaxation(what, self.reason, self.name, instant(self.until)) for what in self.what
        )


class SheetTable(Table):
    """Threshold and watch level of one further score sheet."""

    threshold: float = Field(gt=0, le=100_000)
    watch: float | None = Field(default=None, ge=0)


class ScoreTable(Table):
    """When a score qualifies."""

    threshold: float = Field(default=40, gt=0, le=100_000)
    watch: float | None = Field(default=None, ge=0)
    slack: float = Field(default=0.1, ge=0, lt=1)
    uses_tracking: bool = True
    sheets: dict[str, SheetTable] = Field(default_factory=dict)

    def limits_of_sheets(self) -> dict[str, tuple[float, float]]:
        """Returns (threshold, watch) by sheet; watch is 60 % of the threshold by default."""
        return {
            name: (sheet.threshold, sheet.threshold * 0.6 if sheet.watch is None else sheet.watch)
            for name, sheet in self.sheets.items()
        }


class ControllerTable(Table):
    """Who answers for the processing, and where they sit."""

    name: str = ""
    names: list[str] = Field(default_factory=list)
    established_in: list[str] = Field(default_factory=list)
    internal_domains: list[str] = Field(default_factory=list)
    contact: str = ""
    preferences_url: str = ""

    @field_validator("established_in")
    @classmethod
    def _countries(cls, value: list[str]) -> list[str]:
        unknown = [country for country in value if country_code(normal(country)) is None]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no ISO 3166-1 country")
        return value


class TrackingTable(Table):
    """Since when the beacon asks before it tracks."""

    opt_in_mode_since: Day | None = None

    def since(self) -> datetime | None:
        """Returns the instant, None where the beacon does not ask."""
        return None if self.opt_in_mode_since is None else instant(self.opt_in_mode_since)


class ConsentTable(Table):
    """How long a consent is relied on."""

    valid_months: int = Field(default=24, ge=4, le=60)


class AskingTable(Table):
    """How often, how fast and with whose approval held people are asked."""

    invitations: int = Field(default=2, ge=1, le=2)
    wait_days: int = Field(default=14, ge=14, le=365)
    daily_cap: int = Field(default=500, ge=0)
    approve_each_batch: bool = True

    def value(self) -> AskLimits:
        """Returns it for the engine."""
        return AskLimits(
            self.invitations,
            timedelta(days=self.wait_days),
            self.daily_cap,
            self.approve_each_batch,
        )


class OptOutTable(Table):
    """Which acts of a person may be written as opt-outs; none unless named."""

    codes: list[Code] = Field(default_factory=list)
    cap: int = Field(default=50, ge=0)


class LiaTable(Table):
    """A signed legitimate-interest assessment for one profile."""

    profile: Profile
    reference: str = Field(min_length=1)


class SignatureTable(Table):
    """Who signed the content above."""

    name: str = Field(min_length=1)
    date: date
    hash: str


class PolicyTables(Table):
    """The whole file, with what it extends."""

    name: str = Field(min_length=1)
    version: str = ""
    extends: str | list[str] = "strict"
    kind: Literal["observe", "starter", "strict", "statutory"] = "strict"
    home_profile: Profile | None = None
    native_flags: Literal["acts_only", "all_unpermitted"] = "acts_only"
    role_addresses: list[str] = Field(default_factory=list)
    score: ScoreTable = Field(default_factory=ScoreTable)
    controller: ControllerTable = Field(default_factory=ControllerTable)
    tracking: TrackingTable = Field(default_factory=TrackingTable)
    consent: ConsentTable = Field(default_factory=ConsentTable)
    asking: AskingTable = Field(default_factory=AskingTable)
    optout: OptOutTable = Field(default_factory=OptOutTable)
    notice: list[NoticeTable] = Field(default_factory=list)
    capture: list[CaptureTable] = Field(default_factory=list)
    request_form: list[RequestFormTable] = Field(default_factory=list)
    categories: dict[str, Reach] = Field(default_factory=dict)
    declared: list[DeclarationTable] = Field(default_factory=list, alias="list")
    relax: list[RelaxTable] = Field(default_factory=list)
    lia: list[LiaTable] = Field(default_factory=list)
    signature: SignatureTable | None = None
