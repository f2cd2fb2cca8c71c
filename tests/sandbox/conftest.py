"""A sandbox whose time stands still until a test moves it, and a session that calls it."""

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from connector.sandbox import Limits, Server, serve

LOGIN = {
    "grant_type": "password", "username": "api@acme.example", "password": "sandbox-password",
    "client_id": "sandbox-client", "client_secret": "sandbox-secret",
}  # fmt: skip
WIDE = Limits(per_second=10_000, per_day=1_000_000, auth_per_hour=50)


class Caller:
    """Calls one sandbox over HTTP, with a token once ``login`` was called."""

    def __init__(self, server: Server) -> None:
        """Opens a session."""
        self.server, self.url = server, server.url
        self.session = requests.Session()

    def __call__(self, method: str, path: str, **more: Any) -> requests.Response:
        """Calls a path of the sandbox."""
        return self.session.request(method, self.url + path, timeout=10, **more)

    def token(self, **changes: str) -> requests.Response:
        """Asks for a token with the known credentials, or with changed ones."""
        return self("POST", "/token", data=LOGIN | changes)

    def login(self) -> None:
        """Signs all later calls."""
        access = self.token().json()["access_token"]
        self.session.headers["Authorization"] = f"Bearer {access}"

    def get(self, path: str, **params: object) -> Any:
        """Returns the JSON of a path."""
        return self("GET", path, params=params).json()

    def rows(self, list_id: str) -> list[dict[str, str]]:
        """Returns a whole list, read as CSV."""
        text = self("GET", f"/api/1/list/{list_id}", params={"responseformat": "CSV"}).text
        return list(csv.DictReader(io.StringIO(text)))

    def control(self, name: str, body: object = None) -> Any:
        """Tells the sandbox what to do."""
        return self("POST", f"/_sandbox/{name}", json=body).json()


@pytest.fixture
def calling() -> Iterator[Callable[..., Caller]]:
    """Starts sandboxes with given options and stops them after the test."""
    started: list[Caller] = []

    def start(*, login: bool = True, **options: Any) -> Caller:
        options = {"contacts": 300, "limits": WIDE, "tick": lambda: 0.0} | options
        caller = Caller(serve(**options))
        started.append(caller)
        if login:
            caller.login()
        return caller

    yield start
    for caller in started:
        caller.session.close()
        caller.server.close()


@pytest.fixture
def acton(calling: Callable[..., Caller]) -> Caller:
    """A sandbox of 300 people without tight limits, logged in."""
    return calling()
