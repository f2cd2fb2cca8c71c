"""``doctor``: everything a run needs, checked one by one, each with its mend."""

import os
import tempfile
from collections.abc import Callable, Iterator
from typing import NamedTuple

from connector.consent.values import normal
from connector.errors import ConnectorError
from connector.house import House
from connector.wiring import Settings, opened, settings, state_only

CRON_KEEPS = frozenset({"HOME", "LOGNAME", "SHELL", "PATH", "PWD"})
"""What cron's environment holds (crontab(5)); everything else is absent under it."""
KNOWN_MINE = frozenset({"ACTON_CONNECTOR_CONFIG"})


class Line(NamedTuple):
    """One check: ``ok``, ``warn`` or ``fail``, what was found, and how to mend it."""

    verdict: str
    what: str
    says: str
    mend: str = ""


def examine(given: str | None, *, as_cron: bool) -> Iterator[Line]:
    """Yields every check; a failure does not stop the later ones that can still be made."""
    if as_cron:
        for name in [n for n in os.environ if n not in CRON_KEEPS]:
            del os.environ[name]
    read: list[Settings] = []
    yield _tried("configuration and policy", lambda: _read_settings(given, read))
    if not read:
        return
    file = read[0].policy
    if file.signed or file.policy.observe:
        yield Line("ok", "signature", "the policy is signed as it stands")
    else:
        mend = "acton-connector policy show, then acton-connector policy sign"
        yield Line("fail", "signature", "the policy is not signed as it stands", mend)
    yield _tried("state", lambda: _state(given))
    yield _tried("folder", lambda: _writable(read[0]))
    try:
        with opened(given, writes=False) as house:
            yield from _account(house, read[0])
    except ConnectorError as error:
        yield Line("fail", "credentials and account", error.message, error.hint)


def _tried(what: str, look: Callable[[], str]) -> Line:
    try:
        return Line("ok", what, look())
    except ConnectorError as error:
        problems = getattr(error, "problems", ())
        return Line("fail", what, "; ".join((error.message, *problems)), error.hint)


def _read_settings(given: str | None, read: list[Settings]) -> str:
    read.append(settings(given))
    return f"{read[0].config.path.name} and {read[0].config.policy_path.name} are valid"


def _state(given: str | None) -> str:
    with state_only(given) as (store, _, _config):
        return "none yet; the first --apply makes it" if store.absent else "readable"


def _writable(read: Settings) -> str:
    folder = read.config.state_folder
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        return f"{folder} can be written"


def _account(house: House, read: Settings) -> Iterator[Line]:
    account = house.acton.account()
    if account.id == house.acton.account_id:
        yield Line("ok", "account", f"{account.id} {account.name}".rstrip())
    else:
        mend = "correct [account] id, or the credentials"
        yield Line("fail", "account", f"the credentials open account {account.id}", mend)
    for source in house.sources:
        yield _tried(f"source {source.id}", lambda source=source: _columns(house, source))  # type: ignore[misc]  # bound now
    for name, destination in house.destinations.items():
        yield _tried(f"destination {name}", destination.check)
    unmapped = [c for c in house.acton.categories() if normal(c) not in house.policy.categories]
    if unmapped:
        mend = "map each to ALL, EMAIL or NONE in [categories] of the policy"
        yield Line("fail", "categories", f"not in the policy: {', '.join(unmapped)}", mend)
    else:
        yield Line("ok", "categories", "every category is mapped")
    if not house.tag_list:
        mend = "name a list that the connector owns in [tag]"
        yield Line("warn", "tags", "no tag list: nobody is marked for re-permission", mend)
    programs = ", ".join(name for _, name in house.acton.programs())
    if programs:
        mend = "programmes that feed Sales must require Consent_Gate_Decision = OK"
        yield Line("warn", "programmes", f"these may bypass the gate: {programs}", mend)
    del read


def _columns(house: House, source: object) -> str:
    house.acton.check(source)  # type: ignore[arg-type]  # a Source, bound by the caller
    return "every mapped column is there"
