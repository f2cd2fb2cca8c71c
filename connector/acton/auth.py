"""Tokens: kept across runs, fetched rarely, written down before they are used.

Source: docs/acton-api-notes.md. Act-On allows five authentications an hour and a refresh token
works once, so at most four are made, under a lock that all processes share.
"""

import hashlib
import hmac
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

import requests

from connector.errors import CredentialsError, QuotaExhausted, SourceError
from connector.model import Token
from connector.transport import Clock, Renewable, fault_in

MARGIN: Final = timedelta(minutes=5)
REFRESH_LIFE: Final = timedelta(days=30)
LONGEST_WAIT_S: Final = 60.0
TIMEOUT_S: Final = (10, 60)
REFUSED: Final = frozenset({401, 403})
THROTTLED: Final = 429


class Step(StrEnum):
    """What to do about a token before the next call."""

    USE = "use"
    REFRESH = "refresh"
    FETCH = "fetch"


def next_step(token: Token | None, now: datetime) -> Step:
    """Uses a token until five minutes before its end, then refreshes, then asks anew."""
    if token is None:
        return Step.FETCH
    if now < token.fetched_at + timedelta(seconds=token.lifetime_s) - MARGIN:
        return Step.USE
    return Step.REFRESH if token.refresh and now < token.fetched_at + REFRESH_LIFE else Step.FETCH


class TokenLedger(Protocol):
    """Where tokens are kept and authentications counted, across processes."""

    def token(self, key: str, /) -> Token | None:
        """Returns the kept token."""

    def keep(self, key: str, token: Token, /) -> None:
        """Keeps a token durably."""

    def exclusive(self, key: str, /) -> AbstractContextManager[None]:
        """Holds the lock of one account's tokens."""

    def may_authenticate(self, key: str, now: float, /) -> float:
        """Books one authentication, or returns the seconds until one is free."""

    def refuse(self, key: str, fingerprint: str, /) -> None:
        """Remembers credentials that were refused."""

    def refused(self, key: str, fingerprint: str, /) -> bool:
        """Says whether these credentials were refused before."""


class ActOnAuth(Renewable):
    """Signs requests with a bearer token of one account."""

    def __init__(
        self, base_url: str, secrets: tuple[str, str, str, str], ledger: TokenLedger, clock: Clock
    ) -> None:
        """``secrets`` are client id, client secret, user name and password."""
        self._url = base_url.rstrip("/") + "/token"
        self._secrets = secrets
        self._ledger = ledger
        self._clock = clock
        self._key = hashlib.sha256(
            "\n".join((self._url, secrets[0], secrets[2])).encode()
        ).hexdigest()
        self._token: Token | None = None
        self.authentications = 0

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Puts the token on a request, fetching one first where needed."""
        request.headers["Authorization"] = f"Bearer {self._current(dead='').access}"
        return request

    def refused(self, request: requests.PreparedRequest) -> bool:
        """Takes the token of a refused request for dead and gets another."""
        dead = str(request.headers.get("Authorization", "")).removeprefix("Bearer ")
        self._current(dead=dead)
        return True

    def _current(self, dead: str) -> Token:
        now = self._clock.now()
        token = self._token
        if token is not None and token.access != dead and next_step(token, now) is Step.USE:
            return token
        with self._ledger.exclusive(self._key):
            kept = self._ledger.token(self._key)
            step = next_step(kept, now)
            if kept is None or kept.access == dead or step is not Step.USE:
                refresh = kept is not None and bool(kept.refresh) and step is not Step.FETCH
                kept = self._renew(kept if refresh else None)
            self._token = kept
        return kept

    def _renew(self, old: Token | None) -> Token:
        """Refreshes, and asks with the password once where that is refused."""
        client_id, client_secret, username, password = self._secrets
        client = {"client_id": client_id, "client_secret": client_secret}
        if old is not None:
            form = {"grant_type": "refresh_token", "refresh_token": old.refresh, **client}
            answer = self._post(form)
            if answer.status_code not in REFUSED:
                return self._kept(answer)
        fingerprint = hmac.new(
            client_secret.encode(), f"{client_id}\n{username}\n{password}".encode(), hashlib.sha256
        ).hexdigest()
        if self._ledger.refused(self._key, fingerprint):
            raise CredentialsError(
                "Act-On refused these credentials before; they are not tried again",
                hint="correct them with 'acton-connector auth set acton'",
            )
        form = {"grant_type": "password", "username": username, "password": password, **client}
        answer = self._post(form)
        if answer.status_code in REFUSED:
            self._ledger.refuse(self._key, fingerprint)
            said = fault_in(answer.text)
            raise CredentialsError(
                f"Act-On refused the credentials: {said.text or said.code}",
                hint="correct them with 'acton-connector auth set acton'",
            )
        return self._kept(answer)

    def _post(self, form: dict[str, str]) -> requests.Response:
        wait = self._ledger.may_authenticate(self._key, self._clock.now().timestamp())
        if wait > LONGEST_WAIT_S:
            raise QuotaExhausted(
                f"four authentications were made within the hour; next in {wait:.0f} s",
                hint="the next run continues",
            )
        if wait > 0:
            self._clock.sleep(wait)
            self._ledger.may_authenticate(self._key, self._clock.now().timestamp())
        self.authentications += 1
        try:
            return requests.post(self._url, data=form, timeout=TIMEOUT_S, allow_redirects=False)
        except requests.RequestException as error:
            raise SourceError(
                f"POST /token got no answer: {type(error).__name__}",
                hint="check network, proxy and CA bundle, then run again",
            ) from None

    def _kept(self, answer: requests.Response) -> Token:
        if answer.status_code == THROTTLED:
            raise QuotaExhausted("Act-On takes no more authentications now", hint="run again later")
        try:
            body = answer.json()
            token = Token(
                str(body["access_token"]),
                str(body.get("refresh_token") or ""),
                self._clock.now(),
                int(body.get("expires_in") or 0),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise SourceError(
                f"POST /token answered {answer.status_code} without a token"
            ) from error
        self._ledger.keep(self._key, token)
        return token
