"""One run: five hops from Act-On to the CRM, withdrawals first.

Feeds and contacts are read, people decided on, the plan spooled; ``--apply`` commits it in one
transaction and empties the outbox. Without it nothing is written anywhere.
"""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Final

from connector import outbox
from connector.consent.facts import reach_of
from connector.consent.keys import broad_key, narrow_key
from connector.consent.policy import Policy, Reach
from connector.deciding import Bench
from connector.errors import BreakerOpen, SourceError, UsageError
from connector.house import House, Wish
from connector.intake import ROWS, guard_account, stage_feeds, stage_source
from connector.judging import bench_of, decide_all, decide_one, planned, remembered
from connector.model import Kind, KinId, Suppression, Tag
from connector.plan import Upheaval, too_much
from connector.remembering import rows_in
from connector.report import Report, Tally
from connector.store.rows import Change, FeedRead, Run, Write
from connector.store.staging import Staging

APPROVED: Final = "approved_at"
"""Setting that tells when a person approved the first plan of this account."""
OLDEST_PLAN: Final = timedelta(hours=24)
SKEW: Final = timedelta(minutes=1)
"""How far Act-On's clock may lag behind ours."""
log = logging.getLogger(__name__)


def sync(house: House, wish: Wish) -> Report:
    """Runs once; raises a ConnectorError where nothing may be pushed."""
    if wish.apply and house.policy.observe:
        raise UsageError(
            "the policy 'observe' writes nothing", hint="extend starter, strict or statutory"
        )
    started = house.clock.now()
    guard_account(house)
    with Staging.fresh() as staging:
        tally = Tally()
        read_at = stage_feeds(house, staging, tally)
        bench = bench_of(house, wish, read_at)
        if wish.apply:
            _withdraw(house, staging, bench, tally)
        for source in house.sources:
            stage_source(house, source, staging, tally)
        decide_all(house, staging, bench, tally, only=wish.only)
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
    guard_account(house)
    with Staging.kept(path) as staging:
        read_at = datetime.fromisoformat(staging.noted("read_at"))
        if house.clock.now() - read_at > OLDEST_PLAN:
            raise SourceError(
                f"the plan of run {run} is older than a day", hint="run 'sync --apply' again"
            )
        if staging.noted("digest") != staging.digest():
            raise UsageError(f"the plan of run {run} was changed", hint="run 'sync --apply' again")
        tally = Tally()
        house.store.set(APPROVED, house.clock.now().isoformat())
        _carry_out(house, staging, (approval, house.clock.now(), read_at), tally)
        report = tally.report(
            approval, staging.counts(), house.plans / f"plan-{run}.jsonl",
            (house.acton.calls, house.acton.fewest), applied=True,
        )  # fmt: skip
    path.unlink()
    return report


def _withdraw(house: House, staging: Staging, bench: Bench, tally: Tally) -> None:
    """Takes back, before any contact is read, whoever stands on a feed and was ever pushed."""

    def changes() -> Iterator[Change]:
        for person in house.store.pushed():
            listed = staging.listed(person.kin)
            if listed:
                rows = rows_in(person.evidence)
                ruling = decide_one(house, bench, remembered(person, rows, listed), {})
                recalls = [a for a in ruling.actions if a.kind is Kind.RECALL]
                if recalls:
                    yield from ruling.changes
                    yield from planned(recalls, bench)

    house.store.commit(list(changes()))
    tally.delivered(outbox.deliver(_counter(house, bench.read_at), frozenset({Kind.RECALL})))


def _stop_if_needed(house: House, staging: Staging, wish: Wish, tally: Tally) -> None:
    """Keeps the plan for a person where it is the first one or changes too much by itself."""
    first = not house.store.setting(APPROVED)
    share, at_least = house.breaker
    why = "the first --apply of an account pushes everyone who qualifies" if first else ""
    upheaval = Upheaval(tally.known, tally.turned, tally.recalls_by_judgment)
    why = why or too_much(upheaval, share=share, at_least=at_least)
    opt_outs, cap = staging.counts()[Kind.OPTOUT.value], house.policy.optout_cap
    if not why and opt_outs > cap:
        why = f"{opt_outs} opt-outs would be written, which cannot be undone; the cap is {cap}"
    if why and not wish.approve:
        staging.note("digest", staging.digest())
        staging.keep(house.folder / f"plan-{wish.run}.db")
        raise BreakerOpen(
            f"stopped for approval: {why}; {tally.told(staging.counts())}",
            run=wish.run,
            hint=f"look at it with 'sync', then run 'sync --approve {wish.run}'",
        )
    if first:
        house.store.set(APPROVED, house.clock.now().isoformat())


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
        house.store.set(ROWS + source, str(rows))
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
