"""What the person did, as events of a consent record: the yes, its proofs, or the request.

Source: rules 1.1 and 5.2. A reference that spells out who the person is, is withheld.
"""

import re
from collections.abc import Iterator
from typing import Final

from connector.consent.decision import Decision, Ground
from connector.consent.policy import Policy
from connector.consent.profiles import Profile
from connector.consent.proof import AFFIRMATIVE, FIRST_HAND
from connector.consent.reasons import Code
from connector.consent.sentences import iso_utc
from connector.consent.times import when
from connector.consent.values import normal, text_of, word
from connector.consent.vocabulary import CONSENTS, Json
from connector.model import Channel, Interval

PERSONAL: Final = ("email", "phone", "first_name", "last_name", "name")
WORD: Final = re.compile(r"[^\W_]+")
SHORTEST_WORD: Final = 3
SHORTEST_NUMBER: Final = 7
WITHHELD: Final = "withheld: the reference shows personal data; it is in the proving row"


def consent_events(decision: Decision, policy: Policy) -> Iterator[Json]:
    """Yields the yes, its confirmation and the proof of the number, each with its time."""
    for ground in (g for g in decision.grounds if g.code in CONSENTS):
        span = span_of(ground, decision, policy)
        lasts: Json = {"@type": "dpv:TemporalDuration", "rdf:value": span}
        frame: Json = {"@type": "dpv:ConsentGiven", "dpv:isIndicatedBy": "dpv:DataSubject"}
        frame |= {"dpv:hasDuration": lasts} if span else {}
        clear = ground.method in AFFIRMATIVE
        yield {
            **frame,
            "@type": ["dpv:ConsentGiven", *(["dpv:ExplicitlyExpressedConsent"] if clear else [])],
            "dpv:hasIndicationMethod": _how(ground),
            **_at(ground, "consent_ts"),
            "gate:evidence": _reference(ground, "evidence_ref"),
        }
        steps = [("doi_ts", "double_opt_in", "confirmation of the address")]
        if Channel.PHONE in ground.channels:
            steps.append(("phone_verified_ts", "phone_verified", "proof of the telephone number"))
        for field, step, method in steps:
            if at := _at(ground, field):
                yield {**frame, "gate:step": step, "dpv:hasIndicationMethod": method, **at}


def request_event(ground: Ground) -> Json:
    """Returns the request that is answered: it is the evidence (GDPR Art. 6(1)(b))."""
    until = {"gate:until": iso_utc(ground.until)} if ground.until is not None else {}
    return {
        "@type": "gate:Request",
        "gate:capture": ground.source,
        "gate:asksFor": ground.method,
        "gate:channel": [channel.value for channel in ground.channels],
        **_at(ground, "request_ts"),
        **until,
        "gate:evidence": _reference(ground, "evidence_ref"),
    }


def span_of(ground: Ground, decision: Decision, policy: Policy) -> str:
    """Returns how long a ground lasts as an ISO 8601 span, ``""`` where time does not end it."""
    if ground.code is Code.OK_REQUESTED:
        form = policy.request_forms.get(normal(ground.source))
        return f"P{form.window.days}D" if form is not None else ""
    expires = policy.expires(decision.profile or Profile.STRICT)
    return f"P{policy.valid_months}M" if ground.code in CONSENTS and expires else ""


def _how(ground: Ground) -> str:
    """Describes the act in words of the enumerations; an unknown text is never copied."""
    method = ground.method if ground.method in AFFIRMATIVE else "unknown method"
    source = ground.source.replace("_", " ") if ground.source in FIRST_HAND else "unknown source"
    form = _reference(ground, "form_id")
    return f"{method} on {source} {form}".rstrip()


def _at(ground: Ground, field: str) -> Json:
    """Returns when it happened: an instant, or the interval in which it lies."""
    at = when(ground.cell(field))
    if not isinstance(at, Interval):
        return {}
    if at.earliest == at.latest:
        return {"dpv:isIndicatedAtTime": iso_utc(at.earliest)}
    return {"gate:notBefore": iso_utc(at.earliest), "gate:notAfter": iso_utc(at.latest)}


def _reference(ground: Ground, field: str) -> str:
    """Returns a reference, unless it spells out who the person is (GDPR Art. 5(1)(c))."""
    text = text_of(ground.cell(field)).strip()
    told = " ".join(word(ground.cell(name)) for name in PERSONAL)
    names = {part for part in WORD.findall(told) if len(part) >= SHORTEST_WORD}
    number = _digits(text_of(ground.cell("phone")))
    dialled = len(number) >= SHORTEST_NUMBER and number[-SHORTEST_NUMBER:] in _digits(text)
    clear = "@" in text or dialled or not names.isdisjoint(WORD.findall(normal(text)))
    return WITHHELD if clear else text


def _digits(text: str) -> str:
    """Returns the digits of a text, for comparing telephone numbers."""
    return "".join(sign for sign in text if sign.isdecimal())
