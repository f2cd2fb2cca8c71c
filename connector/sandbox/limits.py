"""Act-On's limits and tokens: 5 calls a second, 30,000 a day, 5 authentications an hour.

Source: developer.act-on.com, "Provision" and "Grant type" pages. A refresh token works once and
dies when another token is issued.
"""

import secrets
from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

CLIENT_ID: Final = "sandbox-client"
CLIENT_SECRET: Final = "sandbox-secret"  # noqa: S105  # public: it opens nothing real
USERNAME: Final = "api@acme.example"
PASSWORD: Final = "sandbox-password"  # noqa: S105  # public: it opens nothing real
LIFETIME: Final = timedelta(seconds=3600)
WRONG_CLIENT: Final = (401, {"error": "access_denied", "error_description": "Unauthorized"})
WRONG_USER: Final = (
    403,
    {"error": "invalid_grant", "error_description": "Wrong email or password."},
)
DEAD_REFRESH: Final = (
    403,
    {"error": "invalid_grant", "error_description": "Unknown or invalid refresh token."},
)
TOO_MANY: Final = (
    429,
    {
        "httpCode": "429",
        "httpMessage": "Too Many Requests",
        "moreInformation": "Rate Limit exceeded",
    },
)


class Limits(NamedTuple):
    """What Act-On allows by default; a contract may say less."""

    per_second: int = 5
    per_day: int = 30_000
    auth_per_hour: int = 5


class Window:
    """At most ``limit`` events in any ``span``."""

    def __init__(self, limit: int, span: timedelta) -> None:
        self.limit, self.span = limit, span
        self._seen: deque[datetime] = deque()

    def admit(self, now: datetime) -> bool:
        """Counts one event and says whether it is within the limit."""
        while self._seen and self._seen[0] <= now - self.span:
            self._seen.popleft()
        if len(self._seen) >= self.limit:
            return False
        self._seen.append(now)
        return True


class Gate:
    """Who may call: tokens and windows."""

    def __init__(self, per_second: int, per_day: int, auth_per_hour: int) -> None:
        self._second = Window(per_second, timedelta(seconds=1))
        self._day = Window(per_day, timedelta(days=1))
        self._auth = Window(auth_per_hour, timedelta(hours=1))
        self._access: dict[str, datetime] = {}
        self._refresh = ""
        self.authentications = 0

    def admit(self, now: datetime) -> bool:
        """Says whether one more call is within the limits."""
        return self._second.admit(now) and self._day.admit(now)

    def knows(self, header: str, now: datetime) -> bool:
        """Says whether a bearer header holds a living token."""
        scheme, _, token = header.partition(" ")
        ends = self._access.get(token)
        return scheme.lower() == "bearer" and ends is not None and now < ends

    def kill(self, header: str) -> None:
        """Ends a token before its time."""
        self._access.pop(header.partition(" ")[2], None)

    def grant(self, form: Mapping[str, object], now: datetime) -> tuple[int, dict[str, object]]:
        """Answers ``POST /token``."""
        if not self._auth.admit(now):
            return TOO_MANY[0], dict(TOO_MANY[1])
        self.authentications += 1
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return WRONG_CLIENT[0], dict(WRONG_CLIENT[1])
        match form.get("grant_type"):
            case "password":
                if (form.get("username"), form.get("password")) != (USERNAME, PASSWORD):
                    return WRONG_USER[0], dict(WRONG_USER[1])
            case "refresh_token":
                if not self._refresh or form.get("refresh_token") != self._refresh:
                    return DEAD_REFRESH[0], dict(DEAD_REFRESH[1])
            case _:
                return 400, {"error": "unsupported_grant_type"}
        access, self._refresh = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self._access[access] = now + LIFETIME
        return 200, {
            "access_token": access, "refresh_token": self._refresh, "scope": "offline-access",
            "token_type": "Bearer", "expires_in": 3600,
        }  # fmt: skip
