"""Contact that the person asked for (GDPR Art. 6(1)(b); PECR 21/22 cover unsolicited mail only).

Source: rule 2.7. A registered, current request is a ground of its own, for that request only.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from connector.consent.channels import number_usable
from connector.consent.facts import Facts, Statement
from connector.consent.policy import RequestForm
from connector.consent.statement import opted_out_at
from connector.consent.times import after, past, provably_later, when
from connector.consent.values import word
from connector.model import Channel, Interval

NAMES: Final = {channel.value: channel for channel in Channel}


@dataclass(frozen=True, slots=True)
class Request:
    """One current request: when it was made, until when it may be answered, and how."""

    statement: Statement
    form: RequestForm
    at: Interval
    until: datetime
    usable: frozenset[Channel]


@dataclass(frozen=True, slots=True)
class Answer:
    """All current requests of a person that no opt-out of theirs overtook."""

    requests: tuple[Request, ...] = ()

    @property
    def channels(self) -> frozenset[Channel]:
        """The channels on which the person may be answered; several requests add up."""
        return frozenset().union(*(request.usable for request in self.requests))

    def asked_after(self, at: Interval) -> bool:
        """Says whether a request was made provably after ``at``."""
        return any(provably_later(request.at, at) for request in self.requests)


def answer_to(facts: Facts) -> Answer:
    """Returns the requests that may be answered now."""
    found = []
    for statement in facts.own:
        request = _request(statement, facts)
        if request is not None and not _overtaken(request, facts):
            found.append(request)
    return Answer(tuple(found)) if found else NOTHING_ASKED


NOTHING_ASKED: Final = Answer()


def _request(statement: Statement, facts: Facts) -> Request | None:
    """Returns the row's request if it is current; otherwise it is ignored, without a code."""
    cells = statement.row.cells
    form = facts.policy.request_forms.get(word(cells.get("request_form")))
    if form is None:
        return None
    at = past(when(cells.get("request_ts")), facts.now)
    if at is None:
        return None
    until = after(at.earliest, form.window)
    channels = _channels(word(cells.get("request_channels")), form)
    if facts.now >= until or channels is None:
        return None
    usable = set(channels)
    if facts.bounced or "HasOptedOutOfEmail" in facts.crm:
        usable.discard(Channel.EMAIL)
    if facts.calls_off or not number_usable(statement):
        usable.discard(Channel.PHONE)
    return Request(statement, form, at, until, frozenset(usable))


def _channels(text: str, form: RequestForm) -> frozenset[Channel] | None:
    if not text:
        return form.channels
    named = [NAMES.get(part.strip()) for part in text.split("+")]
    return None if None in named else frozenset(c for c in named if c is not None)


def _overtaken(request: Request, facts: Facts) -> bool:
    """Says whether an opt-out on record is not provably older than the request."""
    return any(
        (at := opted_out_at(other)) is not None and not provably_later(request.at, at)
        for other in facts.kin
    )
