"""A whole account over real HTTP: sandbox, configuration, state and CRM in a folder."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from connector.destinations.local import LocalCrm
from connector.house import Wish
from connector.policy_sign import sign, write_signed
from connector.report import Report
from connector.sandbox import Server, config_files, serve
from connector.sync import sync
from connector.transport import SystemClock
from connector.wiring import opened

TODAY = date(2026, 11, 23)


class ShiftedClock(SystemClock):
    """The machine's clock moved to the sandbox's time; it never really sleeps for long."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.skew = timedelta()

    def now(self) -> datetime:
        """Returns the sandbox's instant."""
        return datetime.now(UTC) + self.skew

    def adjust(self) -> None:
        """Asks the sandbox what time it is."""
        told = requests.get(f"{self.url}/_sandbox/now", timeout=10).json()["now"]
        self.skew = datetime.fromisoformat(told) - datetime.now(UTC)

    def sleep(self, seconds: float, /) -> None:
        """Waits a little: the limits of this sandbox are wide."""
        super().sleep(min(seconds, 0.05))

    def jitter(self) -> float:
        """Is no chance at all."""
        return 0.0


@dataclass
class Account:
    """One account with its files; ``run`` syncs once."""

    server: Server
    folder: Path
    clock: ShiftedClock
    runs: int = 0

    @property
    def config(self) -> str:
        """The configuration file."""
        return str(self.folder / "connector.toml")

    @property
    def crm(self) -> LocalCrm:
        """The CRM."""
        return LocalCrm("crm", self.folder / "crm.db")

    def run(self, *, apply: bool = True, approve: bool = True, clock: Any = None) -> Report:
        """Syncs once."""
        self.runs += 1
        self.clock.adjust()
        with opened(self.config, writes=apply, clock=clock or self.clock) as house:
            return sync(house, Wish(f"run-{self.runs}", apply=apply, approve=approve))

    def post(self, path: str, body: object) -> Any:
        """Controls the sandbox."""
        answer = requests.post(f"{self.server.url}/_sandbox/{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def log(self) -> list[dict[str, Any]]:
        """Returns the calls that were made."""
        return list(requests.get(f"{self.server.url}/_sandbox/log", timeout=10).json())

    def writes(self) -> list[str]:
        """Returns the calls that change something at Act-On."""
        return [
            f"{line['method']} {line['path']}"
            for line in self.log()
            if line["method"] in {"PUT", "DELETE"}
        ]

    def leads(self) -> dict[str, dict[str, str]]:
        """Returns the CRM's leads by address."""
        if not (self.folder / "crm.db").exists():
            return {}
        return {row["email"]: row for row in self.crm.leads()}

    def edit(self, name: str, old: str, new: str, *, resign: bool = True) -> None:
        """Changes a file, and signs the policy again."""
        path = self.folder / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        if name == "policy.toml" and resign:
            sign(path, "T. Tester", TODAY)


def make(folder: Path, server: Server, kind: str = "marketing_list") -> Account:
    """Writes the files of an account that may call as fast as it likes."""
    files = config_files(server.url, kind)
    files["connector.toml"] += "\n[limits]\nper_second = 1000\n"
    write_signed(folder, files, TODAY)
    return Account(server, folder, ShiftedClock(server.url))


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    """An account of 400 people."""
    with serve(contacts=400, seed=3, limits=(100_000, 1_000_000, 1_000)) as server:
        yield make(tmp_path / "home", server)
