"""Hop 3 for everybody: staged people meet memory and CRM, in batches, and the plan is spooled."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain

from connector.consent.keys import narrow_key
from connector.consent.sentences import one_sentence
from connector.deciding import Bench, Known, Ruling, band_now, decide, matters
from connector.house import House, Wish
from connector.model import Action, Asked, CrmState, PersonId, Row, Suppression
from connector.plan import Rules
from connector.report import Tally
from connector.store.rows import Person, Planned
from connector.store.staging import StagedPerson, Staging


def bench_of(house: House, wish: Wish, read_at: datetime) -> Bench:
    asking = house.policy.asking
    rules = Rules(
        optout_codes=house.policy.optout_codes,
        may_ask=wish.approve or not asking.approve_each_batch,
        tags=bool(house.tag_list),
    )
    return Bench(
        wish.run, house.clock.now(), read_at, house.policy, rules, tuple(house.destinations),
        house.mint, house.salt,
    )  # fmt: skip


def decide_all(house: House, staging: Staging, bench: Bench, tally: Tally, *, only: str) -> None:
    for batch in staging.people():
        before = house.store.known([person.id for person in batch])
        chosen = []
        for person in batch:
            tally.seen += 1
            band = band_now(person.own, before.get(person.id), house.policy)
            wanted = not only or person.email == only
            if wanted and matters(person.own, band, before.get(person.id), house.policy):
                chosen.append((person, before.get(person.id)))
            else:
                tally.count(None)
        _decide_batch(house, staging, bench, tally, chosen)
    if not only:
        gone = [p for p in house.store.tracked() if not staging.has(p.id)]
        for kept in gone:
            who = remembered(kept, (), staging.listed(kept.kin))
            _decide_batch(house, staging, bench, tally, [who], counted=False)


def _decide_batch(
    house: House,
    staging: Staging,
    bench: Bench,
    tally: Tally,
    chosen: list[tuple[StagedPerson, Person | None]],
    *,
    counted: bool = True,
) -> None:
    crm = _read_crm(house, chosen)
    for who in chosen:
        capped = tally.invited >= house.policy.asking.daily_cap
        rules = replace(bench.rules, may_ask=False) if capped else bench.rules
        ruling = decide_one(house, replace(bench, rules=rules), who, crm[who[0].id])
        staging.spool(chain(ruling.changes, planned(ruling.actions, bench)))
        tally.ruled(ruling, who[1], counted=counted)


def decide_one(
    house: House,
    bench: Bench,
    who: tuple[StagedPerson, Person | None],
    crm: Mapping[str, CrmState],
) -> Ruling:
    staged, before = who
    known = Known(
        staged.id, staged.kin, staged.email, staged.rows, staged.own, staged.listed,
        house.store.tombstones([staged.kin]).get(staged.kin, ()) if not house.store.absent else (),
        crm, before, band_now(staged.own, before, house.policy),
    )  # fmt: skip
    return decide(known, bench)


def _read_crm(
    house: House, chosen: Iterable[tuple[StagedPerson, Person | None]]
) -> dict[PersonId, dict[str, CrmState]]:
    """Reads what every CRM holds about these people, in bulk."""
    people = list(chosen)
    found: dict[PersonId, dict[str, CrmState]] = {person.id: {} for person, _ in people}
    for name, destination in house.destinations.items():
        asked = []
        for person, before in people:
            leads = before.leads if before is not None else ()
            ours = next((lead.external_id for lead in leads if lead.destination == name), "")
            asked.append(Asked(person.id, person.email, ours))
        for state in destination.read(asked) if asked else ():
            found[state.person][name] = state
    return found


def remembered(
    person: Person, rows: tuple[Row, ...], listed: tuple[Suppression, ...]
) -> tuple[StagedPerson, Person]:
    own = tuple(row for row in rows if narrow_key(row.cells.get("email")) == person.email)
    staged = StagedPerson(person.id, person.kin, person.email, own, rows, listed)
    return staged, person


def planned(actions: Iterable[Action], bench: Bench) -> Iterator[Planned]:
    return (Planned(action, bench.run, bench.now) for action in actions)


def judged_by(
    house: House, batch: Sequence[StagedPerson], wish: Wish, read_at: datetime
) -> dict[PersonId, tuple[str, str]]:
    """Returns (outcome with code, sentence) of everyone in a batch who is evaluated at all."""
    before = house.store.known([person.id for person in batch])
    bench = bench_of(house, wish, read_at)
    found = {}
    crm = _read_crm(house, [(person, None) for person in batch])
    for person in batch:
        kept = before.get(person.id)
        band = band_now(person.own, kept, house.policy)
        if not matters(person.own, band, kept, house.policy):
            found[person.id] = ("BELOW_WATCH", "")
            continue
        fresh = None if kept is None else replace(kept, fingerprint="")
        decision = decide_one(house, bench, (person, fresh), crm[person.id]).decision
        told = ("unchanged", "") if decision is None else (
            f"{decision.outcome} {decision.code}", one_sentence(decision)
        )  # fmt: skip
        found[person.id] = told
    return found
