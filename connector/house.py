"""What a run talks to, and what is wanted of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from connector.acton import ActOn, Source
from connector.consent.policy import Policy
from connector.destinations import Destination
from connector.identity import Pseudonyms
from connector.store.state import Store
from connector.transport import Clock


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
