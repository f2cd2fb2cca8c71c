"""One run: five hops from Act-On to the CRM, withdrawals first.

Feeds and contacts are read, people decided on, the plan spooled; ``--apply`` commits it in one
transaction and empties the outbox. Without it nothing is written anywhere.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Final

from connector import outbox
from connector.acton import ActOn, Source
from connector.consent.facts import reach_of
from connector.consent.keys import broad_key, narrow_key
from connector.consent.policy import Policy, Reach
from connector.consent.sentences import one_sentence
from connector.deciding import Bench, Known, Ruling, band_now, decide, matters
from connector.destinations import Destination
from connector.errors import BreakerOpen, SourceError, UsageError
from connector.identity import Pseudonyms
from connector.model import (
    Action,
    Asked,
    CrmState,
    Kind,
    KinId,
    PersonId,
    Row,
    Suppression,
    Tag,
)
from connector.plan import Rules, Upheaval, too_much
from connector.remembering import rows_in
from connector.report import Report, Tally
from connector.store.rows import Change, FeedRead, Person, Planned, Run, Write
from connector.store.staging import StagedPerson, StagedRow, Staging
from connector.store.state import Store
from connector.transport import Clock

APPROVED: Final = "approved_at"
ROWS: Final = "rows:"
OLDEST_PLAN: Final = timedelta(hours=24)
SKEW: Final = timedelta(minutes=1)
"""How far Act-On's clock may lag behind ours."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class House:
    """Everything that a run talks to. ``folder`` is where plans are kept."""

    acton: ActOn
    sources: tuple[Source, ...]
    destinations: Mapping[str, Destination]
    store: Store
    names: Pseudonyms
    policy: Policy
    clock: Clock
    folder: Path
    plans: Path
    tag_list: str
    breaker: tuple[float, int]
    mint: Callable[[], str]
    salt: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user wants of this run."""

    run: str
    apply: bool = False
    approve: bool = False
    only: str = ""


def sync(house: House, wish: Wish) -> Report:
    """Runs once; raises a ConnectorError where nothing may be pushed."""
    if wish.apply and house.policy.observe:
        raise UsageError(
            "the policy 'observe' writes nothing", hint="extend starter, strict or statutory"
        )
    started = house.clock.now()
    _guard_account(house)
    with Staging.fresh() as staging:
        tally = Tally()
        read_at = _stage_feeds(house, staging, tally)
        bench = _bench(house, wish, read_at)
        if wish.apply:
            _withdraw(house, staging, bench, tally)
        for source in house.sources:
            _stage_source(house, source, staging, tally)
        _decide_all(house, staging, bench, tally, only=wish.only)
        staging.write_plan(plan_path := house.plans / f"plan-{wish.run}.jsonl")
        staging.note("read_at", read_at.isoformat())
        if wish.apply:
            _stop_if_needed(house, staging, wish, tally)
            _carry_out(house, staging, (wish.run, started, read_at), tally)
        calls = (house.acton.calls, house.acton.fewest)
        return tally.report(wish.run, staging.counts(), plan_path, calls, applied=wish.apply)


def approve(house: House, run: str, approval: str) -> Report:
    """Carries out exactly the plan that the breaker kept for ``run``."""
    path = house.folder / f"plan-{run}.db"
    if not path.exists():
        raise UsageError(f"no plan of run {run} waits for approval", hint="see 'status'")
    _guard_account(house)
    with Staging.kept(path) as staging:
        read_at = datetime.fromisoformat(staging.noted("read_at"))
        if house.clock.now() - read_at > OLDEST_PLAN:
            raise SourceError(
                f"the plan of run {run} is older than a day", hint="run 'sync --apply' again"
            )
        if staging.noted("digest") != staging.digest():
            raise UsageError(f"the plan of run {run} was changed", hint="run 'sync --apply' again")
        tally = Tally()
        house.store.keep_setting(APPROVED, house.clock.now().isoformat())
        _carry_out(house, staging, (approval, house.clock.now(), read_at), tally)
        report = tally.report(
            approval, staging.counts(), house.plans / f"plan-{run}.jsonl",
            (house.acton.calls, house.acton.fewest), applied=True,
        )  # fmt: skip
    path.unlink()
    return report


def stage(house: House, staging: Staging) -> datetime:
    """Reads feeds and sources of an account; returns when the feeds were read."""
    _guard_account(house)
    tally = Tally()
    read_at = _stage_feeds(house, staging, tally)
    for source in house.sources:
        _stage_source(house, source, staging, tally)
    return read_at


def judged_by(
    house: House, batch: Sequence[StagedPerson], wish: Wish, read_at: datetime
) -> dict[PersonId, tuple[str, str]]:
    """Returns (outcome with code, sentence) of everyone in a batch who is evaluated at all."""
    before = house.store.known([person.id for person in batch])
    bench = _bench(house, wish, read_at)
    found = {}
    crm = _read_crm(house, [(person, None) for person in batch])
    for person in batch:
        kept = before.get(person.id)
        band = band_now(person.own, kept, house.policy)
        if not matters(person.own, band, kept, house.policy):
            found[person.id] = ("BELOW_WATCH", "")
            continue
        fresh = None if kept is None else replace(kept, fingerprint="")
        decision = _decide_one(house, bench, (person, fresh), crm[person.id]).decision
        told = ("unchanged", "") if decision is None else (
            f"{decision.outcome} {decision.code}", one_sentence(decision)
        )  # fmt: skip
        found[person.id] = told
    return found


def _guard_account(house: House) -> None:
    found = house.acton.account()
    if found.id != house.acton.account_id:
        raise UsageError(
            f"these credentials open the account {found.id}, the configuration names"
            f" {house.acton.account_id}",
            hint="correct [account] id, or the credentials",
        )


def _bench(house: House, wish: Wish, read_at: datetime) -> Bench:
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


def _stage_feeds(house: House, staging: Staging, tally: Tally) -> datetime:
    """Reads all suppression feeds completely; returns when they were complete."""
    started = house.clock.now()
    counts: Counter[str] = Counter()

    def entries() -> Iterator[tuple[KinId, Suppression]]:
        for entry in house.acton.suppressions():
            counts[entry.category or entry.feed.value] += 1
            key = narrow_key(entry.email)
            if key is not None:
                yield house.names.kin(broad_key(key)), entry

    staging.add_suppressions(entries())
    tally.feeds = dict(counts)
    tally.unreadable = house.acton.unreadable
    return started


def _stage_source(house: House, source: Source, staging: Staging, tally: Tally) -> None:
    rows = staging.add_rows(_staged(house.names, row) for row in house.acton.rows(source))
    before = int(house.store.setting(ROWS + source.id) or 0)
    if rows == 0 and before > 0:
        raise SourceError(
            f"{source.id} had {before} contacts and is empty now: nothing was pushed",
            hint="if that is meant, take it out of connector.toml",
        )
    tally.sources[source.id] = rows


def _staged(names: Pseudonyms, row: Row) -> StagedRow:
    key = narrow_key(row.cells.get("email"))
    if key is None:
        nameless = names.nameless(row.source, row.contact_id)
        return StagedRow(nameless, KinId(nameless), "", row)
    return StagedRow(names.person(key), names.kin(broad_key(key)), key, row)


def _withdraw(house: House, staging: Staging, bench: Bench, tally: Tally) -> None:
    """Takes back, before any contact is read, whoever stands on a feed and was ever pushed."""

    def changes() -> Iterator[Change]:
        for person in house.store.pushed():
            listed = staging.listed(person.kin)
            if listed:
                rows = rows_in(person.evidence)
                ruling = _decide_one(house, bench, _remembered(person, rows, listed), {})
                recalls = [a for a in ruling.actions if a.kind is Kind.RECALL]
                if recalls:
                    yield from ruling.changes
                    yield from _planned(recalls, bench)

    house.store.commit(list(changes()))
    tally.delivered(outbox.deliver(_counter(house, bench.read_at), frozenset({Kind.RECALL})))


def _remembered(
    person: Person, rows: tuple[Row, ...], listed: tuple[Suppression, ...]
) -> tuple[StagedPerson, Person]:
    own = tuple(row for row in rows if narrow_key(row.cells.get("email")) == person.email)
    staged = StagedPerson(person.id, person.kin, person.email, own, rows, listed)
    return staged, person


def _decide_one(
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


def _decide_all(house: House, staging: Staging, bench: Bench, tally: Tally, *, only: str) -> None:
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
            who = _remembered(kept, (), staging.listed(kept.kin))
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
        ruling = _decide_one(house, replace(bench, rules=rules), who, crm[who[0].id])
        staging.spool(chain(ruling.changes, _planned(ruling.actions, bench)))
        tally.ruled(ruling, who[1], counted=counted)


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


def _planned(actions: Iterable[Action], bench: Bench) -> Iterator[Planned]:
    return (Planned(action, bench.run, bench.now) for action in actions)


def _stop_if_needed(house: House, staging: Staging, wish: Wish, tally: Tally) -> None:
    """Keeps the plan for a person where it is the first one or changes too much by itself."""
    first = not house.store.setting(APPROVED)
    share, at_least = house.breaker
    why = "the first --apply of an account pushes everyone who qualifies" if first else ""
    upheaval = Upheaval(tally.known, tally.turned, tally.recalls_by_judgment)
    why = why or too_much(upheaval, share=share, at_least=at_least)
    if why and not wish.approve:
        staging.note("digest", staging.digest())
        staging.keep(house.folder / f"plan-{wish.run}.db")
        raise BreakerOpen(
            f"stopped for approval: {why}; {tally.told(staging.counts())}",
            run=wish.run,
            hint=f"look at it with 'sync', then run 'sync --approve {wish.run}'",
        )
    if first:
        house.store.keep_setting(APPROVED, house.clock.now().isoformat())


def _carry_out(
    house: House, staging: Staging, of: tuple[str, datetime, datetime], tally: Tally
) -> None:
    run, started, read_at = of
    counts = {**tally.outcomes(), **staging.counts()}
    head = house.store.commit(
        chain(
            staging.changes(),
            (FeedRead(name, count, read_at) for name, count in tally.feeds.items()),
            (Run(run, started, None, applied=True, counts=counts),),
        )
    )
    for source, rows in tally.sources.items():
        house.store.keep_setting(ROWS + source, str(rows))
    house.store.retry_refused()
    tally.delivered(outbox.deliver(_counter(house, read_at)))
    done = Run(run, started, house.clock.now(), applied=True, exit=tally.exit(), counts=counts)
    house.store.commit([done])
    log.info("run %s: head of the decision log %s", run, head.hash[:16])


def _counter(house: House, read_at: datetime) -> outbox.Counter:
    """Returns the outbox's places; suppressions newer than ``read_at`` are read once, when the
    first write that they could cancel is about to be sent."""
    newer: set[KinId] | None = None

    def overtaken(writes: Sequence[Write]) -> frozenset[str]:
        nonlocal newer
        if newer is None and any(map(_sells, writes)):
            entries = house.acton.suppressions(read_at)
            fresh = [e for e in entries if _reaches(e, house.policy, read_at)]
            keys = (narrow_key(entry.email) for entry in fresh)
            newer = {house.names.kin(broad_key(key)) for key in keys if key is not None}
        if newer is None:
            return frozenset()
        return frozenset(w.key for w in writes if _sells(w) and _kin(house, w) in newer)

    return outbox.Counter(
        house.store, house.destinations, house.acton, house.tag_list, house.clock.now, overtaken
    )


def _reaches(entry: Suppression, policy: Policy, since: datetime) -> bool:
    """Says whether an entry is new since the full read and takes anything of a contact by Sales."""
    old = entry.at is not None and entry.at.latest < since - SKEW
    return not old and reach_of(entry, policy) is not Reach.NONE


def _sells(write: Write) -> bool:
    """Says whether a write hands over or invites; a tag that only says no is written all the
    same."""
    payload = write.action.payload
    return not isinstance(payload, Tag) or payload.reperm_state in {"INVITED", "REMINDED"}


def _kin(house: House, write: Write) -> KinId | None:
    key = narrow_key(write.action.payload.email)
    return None if key is None else house.names.kin(broad_key(key))
