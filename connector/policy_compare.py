"""``policy diff``: whose decision another policy would change, on the account as it is now."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connector.house import House, Wish
from connector.intake import stage
from connector.judging import judged_by
from connector.policy_file import load_policy, with_lists
from connector.store.staging import Staging
from connector.wiring import opened


@dataclass(frozen=True, slots=True)
class Change:
    """One person whom the other policy would judge otherwise."""

    person: str
    now: str
    then: str
    why: str

    def as_json(self) -> dict[str, Any]:
        """Returns it for scripts."""
        return {"person": self.person, "now": self.now, "then": self.then, "why": self.why}


def compare(given: str | None, other: Path) -> list[Change]:
    """Reads the account afresh and decides on everyone under both policies; writes nothing."""
    with opened(given, writes=False) as house, Staging.fresh() as staging:
        file = load_policy(other, today=datetime.now(UTC).date())
        then = replace(house, policy=with_lists(file.policy, house.policy.lists))
        read_at = stage(house, staging)
        wish = Wish("policy-diff")
        return list(_changes(house, then, staging, (wish, read_at)))


def _changes(
    now: House, then: House, staging: Staging, of: tuple[Wish, datetime]
) -> Iterator[Change]:
    for batch in staging.people():
        ours = judged_by(now, batch, *of)
        theirs = judged_by(then, batch, *of)
        for person in ours:
            one, other = ours[person], theirs[person]
            if one[0] != other[0]:
                yield Change(person, one[0], other[0], other[1])
