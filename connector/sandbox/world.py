"""The account behind the server: lists, suppressions, tags, and people who do things.

Contacts are derived on demand from the seed; only what changed is kept in memory.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Final, NamedTuple

from connector.sandbox.clock import SimulatedClock
from connector.sandbox.people import (
    AS_FORM,
    DUPLICATE_EVERY,
    EVENT_AT,
    EVENT_EVERY,
    EVENT_HEADINGS,
    FORM_HEADINGS,
    START,
    Contact,
    contact,
    listed_on,
)

FORMS: Final = "l-0001"
EVENTS: Final = "l-0002"
TAGS: Final = "l-0900"
TAG_HEADINGS: Final = (
    "E-mail Address", "Consent_Gate_Decision", "Consent_Gate_Code", "Reperm_Route",
    "Reperm_State", "Consent_Checked_At",
)  # fmt: skip
CATEGORIES: Final = ("Sales contact", "Product news", "Events", "Newsletter")
ACCOUNT_FEEDS: Final = ("optout", "hardbounce", "spamcomplaint")
YES_BUTTON: Final = {
    "OK to contact": "Yes", "Consent Source": "preference_centre", "Consent Method": "button",
    "Form": "", "Privacy Notice": "PN-2026-06", "Tracking OK": "Yes",
}  # fmt: skip


class Entry(NamedTuple):
    """One line of a suppression list; ``at`` is aware UTC."""

    email: str
    at: datetime


def stamp(at: datetime) -> str:
    """Returns the form in which this account's forms write dates."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


class World:
    """One account with ``size`` contacts."""

    def __init__(self, size: int, seed: int, clock: SimulatedClock) -> None:
        self.size, self.seed, self.clock = size, seed, clock
        self.changed: dict[int, dict[str, str]] = {}
        self.headings: dict[str, tuple[str, ...]] = {
            FORMS: FORM_HEADINGS, EVENTS: EVENT_HEADINGS, TAGS: TAG_HEADINGS,
        }  # fmt: skip
        self.owned: dict[str, dict[str, str]] = {}
        self.segments: dict[str, set[str]] = {}
        self.moved: list[tuple[int, int]] = []
        self.acts: dict[str, list[Entry]] = {}
        self._listed: dict[str, list[Entry]] = {}

    def person(self, number: int) -> Contact:
        """Returns a contact as it stands now."""
        born = contact(self.seed, number)
        changes = self.changed.get(number)
        return born._replace(cells=born.cells | changes) if changes else born

    def number_of(self, email: str) -> int | None:
        """Finds whose address this is; the number stands in every address."""
        for digits in re.findall(r"\d+", email):
            number = int(digits)
            if number < self.size and contact(self.seed, number).email == email.strip().lower():
                return number
        return None

    def length(self, list_id: str) -> int:
        """Counts the rows of a list."""
        if list_id == FORMS:
            return self.size + (self.size + DUPLICATE_EVERY - 1) // DUPLICATE_EVERY
        if list_id == EVENTS:
            return (self.size + EVENT_EVERY - 1 - EVENT_AT) // EVENT_EVERY
        return len(self.owned)

    def rows(self, list_id: str, start: int = 0, stop: int | None = None) -> Iterator[list[str]]:
        """Yields rows as ``[_contact_id_, *cells]`` in the order of the list's headings."""
        total = self.length(list_id)
        headings = self.headings[list_id]
        owned = list(self.owned.values()) if list_id == TAGS else []
        for place in range(start, min(total, total if stop is None else stop)):
            index = self._row_at(place)
            if list_id == TAGS:
                yield [f"{TAGS}:{index:x}", *(owned[index].get(h, "") for h in headings)]
                continue
            cells = self._cells(list_id, index)
            yield [f"{list_id}:{index:x}", *(cells.get(h, "") for h in headings)]

    def _row_at(self, place: int) -> int:
        for source, target in reversed(self.moved):
            if place == target:
                place = source
            elif target < place <= source:
                place -= 1
        return place

    def _cells(self, list_id: str, index: int) -> dict[str, str]:
        if list_id == EVENTS:
            number = index * EVENT_EVERY + EVENT_AT
            row = self.person(number).event or {}
            return row | {"Score": self.person(number).cells["Lead Score"]}
        if index < self.size:
            return self.person(index).cells
        twin = self.person((index - self.size) * DUPLICATE_EVERY).cells
        return twin | {"E-mail Address": twin["E-mail Address"].upper()}

    def contacts(self, start: int, stop: int) -> Iterator[tuple[str, str, dict[str, str]]]:
        """Yields Act-On Contacts as (id, list of origin, cells under the form list's headings)."""
        forms = self.length(FORMS)
        for place in range(start, min(stop, forms + self.length(EVENTS))):
            index = self._row_at(place)
            if index < forms:
                yield f"l-unified-contacts:{index:x}", FORMS, self._cells(FORMS, index)
            else:
                cells = self._cells(EVENTS, index - forms)
                shown = {AS_FORM[heading]: cell for heading, cell in cells.items()}
                yield f"l-unified-contacts:{index:x}", EVENTS, shown

    def feed(self, name: str) -> list[Entry]:
        """Returns an account list or the opt-outs of a category, oldest part first."""
        if name not in self._listed:
            self._listed[name] = [
                Entry(person.email, START - timedelta(days=30 + number % 300))
                for number in range(self.size)
                if listed_on(self.seed, number) == name
                and (person := contact(self.seed, number)).email
            ]
        return [*self._listed[name], *self.acts.get(name, [])]

    def act(self, what: str, email: str) -> None:
        """Lets one person do something now."""
        now = self.clock.now()
        if what in ACCOUNT_FEEDS or what in CATEGORIES:
            self.acts.setdefault(what, []).append(Entry(email, now))
            return
        number = self.number_of(email)
        if number is None:
            raise KeyError(email)
        self.changed.setdefault(number, {}).update(_change(what, number, now))

    def advance(self, span: timedelta) -> datetime:
        """Moves time on; people browse, answer, ask for demos, opt out."""
        now = self.clock.advance(span)
        days = max(1, round(span / timedelta(days=1)))
        chance = Random(f"{self.seed}/{now:%Y-%m-%d}")  # noqa: S311  # behaviour, not a secret
        for what, share in (
            ("gain_score", 0.012), ("request_demo", 0.0006), ("optout", 0.0012),
            ("hardbounce", 0.0003), ("spamcomplaint", 0.0001), ("withdraw", 0.0006),
        ):  # fmt: skip
            for _ in range(max(1, int(self.size * share * min(days, 10)))):
                person = self.person(chance.randrange(self.size))
                if "@" in person.email:
                    self.act(what, person.email)
        self._answers(chance)
        return now

    def _answers(self, chance: Random) -> None:
        """Some of those whom the customer's programme or page asked give an answer."""
        for email, tag in list(self.owned.items()):
            if tag.get("Reperm_State") in {"INVITED", "REMINDED"}:
                roll = chance.random()
            elif tag.get("Reperm_Route") == "passive":
                roll = chance.random() * 8
            else:
                continue
            if self.number_of(email) is not None and roll < 0.45:
                self.act("consent" if roll < 0.4 else "refuse", email)


def _change(what: str, number: int, now: datetime) -> dict[str, str]:
    match what:
        case "gain_score":
            return {"Lead Score": str(40 + number % 60), "Last Activity": stamp(now)}
        case "consent":
            confirmed = {"Double Opt-in Date": stamp(now), "Submission": f"reperm:{number}"}
            given = {"Consent Date": stamp(now - timedelta(minutes=9)), "Last Activity": stamp(now)}
            return YES_BUTTON | confirmed | given
        case "refuse":
            return {"OK to contact": "No", "Consent Date": stamp(now)}
        case "withdraw":
            return {"OK to contact": "Withdrawn", "Consent Date": stamp(now)}
        case "request_demo":
            return {"Request Form": "q-0101", "Request Date": stamp(now)}
        case _:
            raise KeyError(what)
