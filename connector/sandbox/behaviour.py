"""What people do: single acts on command, and the acts of every day that passes."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from connector.sandbox.headings import AS_EVENT, CATEGORIES, EVENTS, FORMS, SCORE, TAGS
from connector.sandbox.moulds import stamp
from connector.sandbox.world import World

FEED_OF: Final = {
    "opt_out": "optout", "unsubscribe": "optout", "optout": "optout", "complain": "spamcomplaint",
    "spamcomplaint": "spamcomplaint", "bounce": "hardbounce", "hardbounce": "hardbounce",
}  # fmt: skip
ORIGINS: Final = {
    "optout": "Unsubscribe link", "spamcomplaint": "Feedback loop", "hardbounce": "Message m-0001",
}  # fmt: skip
DAILY: Final = {
    "gain_score": 0.03, "request_demo": 0.0006, "opt_out": 0.0012, "bounce": 0.0003,
    "complain": 0.0001, "withdraw": 0.0006, "category_opt_out": 0.0006,
}  # fmt: skip
"""Share of all people who do so on one day."""
ASKED: Final = {"consent": 0.25, "refuse": 0.03, "opt_out": 0.01}
"""Share of those who were sent a re-permission request who answer on one day."""
PASSING: Final = {"consent": 0.03, "refuse": 0.004}
"""The same for those who may only meet the question when they come by."""
ASKED_ROUTES: Final = frozenset({"direct", "wait"})
UNSENT: Final = "AWAITING_APPROVAL"
EVENING: Final = timedelta(hours=6)
CLICK: Final = timedelta(minutes=9)
QUALIFIES: Final = 40
GAINS: Final = (3, 8, 15, 30)


def act(world: World, what: str, email: str, more: Mapping[str, Any], at: datetime) -> None:
    """Lets one person do something at an instant; raises KeyError if nobody has the address, or
    the act is not known."""
    if what in FEED_OF:
        world.list_on(FEED_OF[what], email, ORIGINS[FEED_OF[what]], at)
    elif what == "category_opt_out" or what in CATEGORIES:
        name = what if what in CATEGORIES else str(more.get("category", CATEGORIES[0]))
        if name not in CATEGORIES:
            raise KeyError(name)
        world.list_on(name, email, "Preferences", at)
    elif what == "join":
        _join(world, email, more, at)
    else:
        rows = world.rows_of(email)
        if not rows:
            raise KeyError(email)
        ACTS[what](world, rows, more, at)


Rows = list[tuple[str, int]]


def _join(world: World, email: str, more: Mapping[str, Any], at: datetime) -> None:
    """Adds a new row to a list; ``cells`` are by its headings."""
    table = world.tables[str(more.get("list", FORMS))]
    table.add({table.email: email, **more.get("cells", {})}, at)


def _edit(world: World, rows: Rows, more: Mapping[str, Any], at: datetime) -> None:
    """Writes ``cells`` into the first row, or the first one of ``list``."""
    wanted = str(more.get("list", rows[0][0]))
    name, index = next(row for row in rows if row[0] == wanted)
    world.tables[name].change(index, more["cells"], at)


def _vanish(world: World, rows: Rows, more: Mapping[str, Any], _: datetime) -> None:
    """Takes all rows of a person out, or those of ``list``."""
    for name, index in rows:
        if more.get("list", name) == name:
            world.tables[name].remove(index)


def _gain_score(world: World, rows: Rows, more: Mapping[str, Any], _: datetime) -> None:
    """Raises the score in every row, to ``score``, by ``points`` or to the threshold; like a
    maintenance programme of Act-On, without touching the change stamp."""
    for name, index in rows:
        before = points(_score_in(world, name, index))
        raised = before + more["points"] if "points" in more else max(QUALIFIES, before + 10)
        _write(world, (name, index), {SCORE: str(more.get("score", raised))}, None)


def _score_in(world: World, name: str, index: int) -> str:
    heading = SCORE if name == FORMS else AS_EVENT[SCORE]
    return world.tables[name].cells(index).get(heading, "")


def points(score: str) -> int:
    """Reads a score as whole points; blank is none."""
    try:
        return int(float(score))
    except ValueError:
        return 0


def _consent(world: World, rows: Rows, _: Mapping[str, Any], at: datetime) -> None:
    """Says yes on the preference page and confirms the address; all evidence is written."""
    name, index = rows[0]
    given = {
        "OK to contact": "Yes", "Consent Source": "preference_centre", "Consent Method": "button",
        "Form": "", "Privacy Notice": "PN-2026-06", "Tracking OK": "Yes",
        "Consent Date": stamp(at - CLICK), "Double Opt-in Date": stamp(at),
        "Submission": f"page:preferences/sub:{index}-{int(at.timestamp())}",
        "Last Activity": stamp(at),
    }  # fmt: skip
    _write(world, (name, index), given, at)


def _statement(word: str) -> Callable[[World, Rows, Mapping[str, Any], datetime], None]:
    def say(world: World, rows: Rows, _: Mapping[str, Any], at: datetime) -> None:
        said = {"OK to contact": word, "Consent Date": stamp(at), "Double Opt-in Date": ""}
        _write(world, rows[0], said, at)

    return say


def _object(world: World, rows: Rows, _: Mapping[str, Any], at: datetime) -> None:
    name, index = rows[0]
    if name == FORMS:
        _write(world, (name, index), {"Do Not Contact": "Yes"}, at)
    else:
        _write(world, (name, index), {"OK to contact": "No", "Consent Date": stamp(at)}, at)


def _request(world: World, rows: Rows, more: Mapping[str, Any], at: datetime) -> None:
    """Fills in a request form, by default the one for a demo; in the form list only."""
    asked = {
        "Request Form": str(more.get("form", "q-0101")), "Request Date": stamp(at),
        "Request Channels": str(more.get("channels", "")), "Last Activity": stamp(at),
    }  # fmt: skip
    for row in rows:
        if row[0] == FORMS:
            _write(world, row, asked, at)
            return
    email = world.tables[EVENTS].cells(rows[0][1])["Email"]
    _join(world, email, {"cells": asked}, at)


def _write(
    world: World, row: tuple[str, int], cells: Mapping[str, str], at: datetime | None
) -> None:
    """Writes cells named by the form list's headings into a row of either list."""
    name, index = row
    if name == EVENTS:
        cells = {AS_EVENT[heading]: cell for heading, cell in cells.items() if heading in AS_EVENT}
    world.tables[name].change(index, cells, at)


ACTS: Final = {
    "gain_score": _gain_score, "consent": _consent, "refuse": _statement("No"),
    "withdraw": _statement("Withdrawn"), "object": _object, "request_demo": _request,
    "edit": _edit, "vanish": _vanish,
}  # fmt: skip


def advance(world: World, span: timedelta) -> datetime:
    """Moves time on; on every day that ends meanwhile, people act."""
    before = world.clock.now()
    now = world.clock.advance(span)
    world.settle()
    midnight = before.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    while midnight <= now:
        _live_a_day(world, midnight, min(EVENING, midnight - before))
        midnight += timedelta(days=1)
    return now


def _live_a_day(world: World, midnight: datetime, evening: timedelta) -> None:
    """Lets people act in the last hours of a day; the same seed and day give the same acts."""
    chance = Random(f"{world.seed}/{midnight:%Y-%m-%d}")  # noqa: S311  # behaviour, not a secret

    def happens(what: str, email: str) -> None:
        at = midnight - evening * chance.random()
        more = {"points": chance.choice(GAINS)} if what == "gain_score" else {}
        act(world, what, email, more, at.replace(microsecond=0))

    for what, share in DAILY.items():
        for _ in range(_rounded(world.size * share, chance)):
            email = world.people.contact(chance.randrange(world.size)).email
            if world.rows_of(email) and "@" in email:
                happens(what, email)
    for email, (question, shares) in _asked(world).items():
        answer = _answer(shares, chance.random())
        if answer and (email, question) not in world.answered and world.rows_of(email):
            world.answered.add((email, question))
            happens(answer, email)


def _rounded(expected: float, chance: Random) -> int:
    """Rounds up or down by chance, so that small accounts are not busier than large ones."""
    whole = int(expected)
    return whole + (chance.random() < expected - whole)


def _asked(world: World) -> dict[str, tuple[str, Mapping[str, float]]]:
    """Returns who meets which question, and how likely they answer it on one day.

    A question is answered once; a tag that was written anew is a new one.
    """
    tags = world.tables[TAGS].rows_by_address() if TAGS in world.tables else {}
    found: dict[str, tuple[str, Mapping[str, float]]] = {}
    for email, tag in tags.items():
        route, unsent = tag.get("Reperm_Route"), tag.get("Reperm_State") == UNSENT
        written = tag.get("Consent_Checked_At", "")
        if route in ASKED_ROUTES and not unsent:
            found[email] = (written, ASKED)
        elif route in {*ASKED_ROUTES, "passive"}:
            found[email] = (written, PASSING)
    for email in world.segment_members():
        found[email] = ("segment", ASKED)
    return found


def _answer(shares: Mapping[str, float], roll: float) -> str:
    for what, share in shares.items():
        if roll < share:
            return what
        roll -= share
    return ""
