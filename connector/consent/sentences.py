"""Decisions in sentences that Sales, the person and a regulator can read.

Facts come from the table of reasons; here they are only put together. Times are UTC. A decision
that is read back from the ledger has no grounds any more; its sentences then name its channels
and the instant at which it is looked at again.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from connector.consent.decision import Decision, Ground
from connector.consent.proof import FIRST_HAND
from connector.consent.reasons import OUTCOME_RANK, REASONS, Code
from connector.consent.times import when
from connector.consent.values import text_of, word
from connector.model import Channel, Interval, Outcome, Route

WAYS: Final = {Channel.EMAIL: "e-mail", Channel.PHONE: "call"}
HEADLINE: Final = {
    Outcome.SUPPRESS: "Do not contact",
    Outcome.REVIEW: "Do not contact before a colleague has checked",
    Outcome.HOLD: "Do not contact yet",
    Outcome.PUSH: "Sales may contact this person",
}
PIECES: Final = {
    "consent_ts": "when the consent was given (consent_ts)",
    "consent_source": "where the consent was given (consent_source)",
    "consent_method": "how the consent was given (consent_method)",
    "evidence_ref": "the reference that shows the consent (evidence_ref)",
    "notice_version": "which privacy notice the person saw (notice_version)",
    "doi_ts (double opt-in)": "the click that confirms the address (doi_ts)",
    "tracking_consent": "consent to tracking (tracking_consent)",
}
"""Missing evidence in everyday words, with the column that would supply it."""
RELAXED: Final = frozenset({Code.CONSENT_UNPROVEN, Code.CONSENT_EXPIRED, Code.NOTICE_UNKNOWN})
"""The codes that a signed policy may answer for (rule 2.5)."""
INVITED: Final = {
    Route.DIRECT: "One invitation to agree may be sent from Act-On, once a colleague approves it.",
    Route.PASSIVE: "The person is asked only on our own pages, when they come by.",
    Route.WAIT: "An invitation was sent; nothing more is sent while the answer may still come.",
    Route.NONE: "The person is not asked again; they may still agree of their own accord.",
}


class Input(NamedTuple):
    """One thing that was seen: our field, the column it came from, its text, where and when."""

    field: str
    column: str
    value: str
    source: str
    read_at: datetime

    @property
    def sentence(self) -> str:
        """Says what was seen."""
        column = f" (column {self.column!r})" if self.column not in {"", self.field} else ""
        return (
            f"{self.source} shows {self.field}{column} as {self.value!r}, "
            f"read {day_and_hour(self.read_at)}."
        )


class Next(NamedTuple):
    """What happens next, and when the answer is looked at again at the latest (UTC)."""

    what: str
    at: datetime | None

    @property
    def sentence(self) -> str:
        """Says both."""
        return self.what if self.at is None else f"{self.what} Next check: {day_and_hour(self.at)}."


class Explanation(NamedTuple):
    """Why a decision is as it is: what was seen, what it means, the law, and what follows.

    ``law`` and ``lifted_by`` name the code that each line belongs to.
    """

    inputs: tuple[Input, ...]
    says: tuple[str, ...]
    law: tuple[str, ...]
    lifted_by: tuple[str, ...]
    next: Next

    def as_json(self) -> dict[str, Any]:
        """Returns the part of ``explain --json`` that explains one decision."""
        return {
            "inputs": [
                {**seen._asdict(), "read_at": iso_utc(seen.read_at)} for seen in self.inputs
            ],
            "says": list(self.says),
            "law": list(self.law),
            "lifted_by": list(self.lifted_by),
            "next": {
                "what": self.next.what,
                "at": None if self.next.at is None else iso_utc(self.next.at),
            },
        }


class Permit(NamedTuple):
    """One permission of a push: its code, channels, last instant, and the ground if known."""

    code: Code
    channels: tuple[Channel, ...]
    until: datetime | None
    ground: Ground | None = None


def explain(decision: Decision, inputs: Sequence[Input] = ()) -> Explanation:
    """Explains a decision; ``inputs`` is what was seen when it was made."""
    deciding = deciding_codes(decision)
    return Explanation(
        inputs=tuple(inputs),
        says=tuple(_says(decision, deciding)),
        law=tuple(f"{code}: {REASONS[code].law}" for code in decision.codes),
        lifted_by=tuple(_lifts(decision, deciding)),
        next=Next(_next(decision), decision.look_again_at),
    )


def one_sentence(decision: Decision) -> str:
    """Says to a sales rep why, how and until when this person may be contacted, or why not.

    Fits a text field of 255 characters and shows no personal data.
    """
    if decision.outcome is not Outcome.PUSH:
        return f"{HEADLINE[decision.outcome]}. {REASONS[decision.code].says}"
    permits = _merged(_permits(decision))
    shut = tuple(channel for channel in Channel if channel not in decision.channels)
    return " ".join(
        [
            *(f"{_may(permit)}: {_inside(REASONS[permit.code].says)}" for permit in permits),
            *(f"Do not {WAYS[channel]}." for channel in shut),
        ]
    )


def deciding_codes(decision: Decision) -> tuple[Code, ...]:
    """Returns the code of the decision and the others that would have decided a refusal.

    A code that is graver than the outcome was only reported: otherwise it would have decided.
    """
    if decision.outcome is Outcome.PUSH:
        return (decision.code,)
    floor = OUTCOME_RANK[decision.outcome]
    others = (
        code
        for code in decision.also
        if floor <= OUTCOME_RANK[REASONS[code].outcome] < OUTCOME_RANK[Outcome.PUSH]
    )
    return (decision.code, *others)


def day_and_hour(at: datetime) -> str:
    """Returns an instant as people write it, such as 3 May 2026, 09:30 UTC."""
    utc = at.astimezone(UTC)
    return f"{utc.day} {MONTHS[utc.month - 1]} {utc.year}, {utc:%H:%M} UTC"


def iso_utc(at: datetime) -> str:
    """Returns an instant as scripts read it, such as 2026-05-03T09:30:00Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
"""Spelled here because the calendar's own names follow the locale of the machine."""


def _says(decision: Decision, deciding: tuple[Code, ...]) -> Iterator[str]:
    """Yields the reason, what a push permits and rests on, and every further finding."""
    yield f"{HEADLINE[decision.outcome]}. {REASONS[decision.code].says}"
    if decision.outcome is Outcome.PUSH:
        for permit in _permits(decision):
            yield f"{_may(permit)}."
            if permit.ground is not None:
                yield _ground(permit.ground)
    told = {ground.code for ground in decision.grounds}
    for code in (code for code in decision.also if code not in told):
        yield f"{_role(code, decision, deciding)}: {_inside(REASONS[code].says)}"
    if decision.refused:
        everything = "every contact" if decision.global_act else _ways(decision.refused)
        yield f"The person's own choice rules out: {everything}."


def _role(code: Code, decision: Decision, deciding: tuple[Code, ...]) -> str:
    """Says what part a further code plays."""
    against = REASONS[code].outcome not in {None, Outcome.PUSH}
    match decision.code:
        case _ if code in deciding:
            return "This alone would also stop it"
        case Code.OK_RELAXED if code in RELAXED:
            return "The signed policy accepts this gap"
        case Code.OK_REQUESTED if against:
            return "Only the request allows contact, because"
        case _:
            return "Also noted"


def _lifts(decision: Decision, deciding: tuple[Code, ...]) -> Iterator[str]:
    """Names what would have to change; a push needs nothing."""
    if decision.outcome is Outcome.PUSH:
        return
    for code in deciding:
        yield f"{code}: {REASONS[code].lifted_by}"
    if decision.outcome is Outcome.HOLD:
        for piece in decision.lacks:
            yield f"Missing: {PIECES.get(piece, piece)}"


def _next(decision: Decision) -> str:
    """Says what happens next."""
    match decision.outcome:
        case Outcome.PUSH:
            return "Sales keeps this permission until an opt-out, new evidence or time changes it."
        case Outcome.HOLD:
            return INVITED[decision.route or Route.NONE]
        case Outcome.REVIEW:
            return "A colleague looks at this case; until then nobody contacts this person."
        case Outcome.SUPPRESS:
            return "Nobody contacts this person, and nobody asks them to agree."


def _permits(decision: Decision) -> tuple[Permit, ...]:
    """Returns what a push permits. A consent and a request end by themselves; a relaxation and a
    statutory basis last until the decision is looked at again."""
    if not decision.grounds:
        return (Permit(decision.code, decision.channels, decision.look_again_at),)
    return tuple(
        Permit(
            ground.code,
            ground.channels,
            ground.until
            if ground.code in {Code.OK_CONSENT, Code.OK_REQUESTED}
            else decision.look_again_at,
            ground,
        )
        for ground in decision.grounds
    )


def _merged(permits: tuple[Permit, ...]) -> Iterator[Permit]:
    """Yields one permission per code, ending with the first that ends."""
    for code in dict.fromkeys(permit.code for permit in permits):
        same = [permit for permit in permits if permit.code is code]
        named = {channel for permit in same for channel in permit.channels}
        ends = [permit.until for permit in same if permit.until is not None]
        channels = tuple(channel for channel in Channel if channel in named)
        yield Permit(code, channels, min(ends, default=None))


def _may(permit: Permit) -> str:
    """Says which channels may be used, and until when."""
    until = f" until {day_and_hour(permit.until)}" if permit.until is not None else ""
    return f"You may {_ways(permit.channels)} this person{until}"


def _ground(ground: Ground) -> str:
    """Says what the permission rests on, as far as the proving row shows it."""
    match ground.code:
        case Code.OK_REQUESTED:
            asked = f"The person asked for: {ground.method} (form {ground.source})"
            return f"{asked}{_dated(ground, 'request_ts')}."
        case Code.OK_STATUTORY:
            return f"The person was told of it in privacy notice {notice_shown(ground)}."
        case _:
            given = "The person agreed"
            where = f" by {ground.source.replace('_', ' ')}" if ground.source in FIRST_HAND else ""
            told = f", shown privacy notice {notice_shown(ground)}" if ground.notice else ""
            return f"{given}{_dated(ground, 'consent_ts')}{where}{told}."


def notice_shown(ground: Ground) -> str:
    """Returns the notice version as the row spells it, or as the register compares it."""
    cell = ground.cell("notice_version")
    return text_of(cell).strip() if word(cell) == ground.notice else ground.notice


def _dated(ground: Ground, field: str) -> str:
    """Says when something happened, as far as a cell shows it."""
    at = when(ground.cell(field))
    if not isinstance(at, Interval):
        return ""
    if at.earliest == at.latest:
        return f" on {day_and_hour(at.earliest)}"
    return f" between {day_and_hour(at.earliest)} and {day_and_hour(at.latest)}"


def _ways(channels: Iterable[Channel]) -> str:
    """Names channels as what a rep does."""
    return " and ".join(WAYS[channel] for channel in channels)


def _inside(sentence: str) -> str:
    """Returns a sentence as it stands after a colon."""
    return sentence[0].lower() + sentence[1:]
