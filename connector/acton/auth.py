"""Tokens: kept across runs, fetched rarely, written down before they are used.

Source: docs/acton-api-notes.md. Act-On allows five authentications an hour and a refresh token
works once, so at most four are made, under a lock that all processes share. A refresh token is
struck from the kept pair before it is sent: whatever happens then, nobody sends it again.
"""

import hashlib
import hmac
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

import requests

from connector.errors import ActOnError, ConnectorError, CredentialsError, QuotaExhausted
from connector.model import Token
from connector.transport import (
    Call,
    Clock,
    Failure,
    Patience,
    Quota,
    Renewable,
    Transport,
    Verdict,
    as_acton_error,
    request_id,
)

MARGIN: Final = timedelta(minutes=5)
REFRESH_LIFE: Final = timedelta(days=30)
LONGEST_WAIT_S: Final = 60.0
REFUSED: Final = frozenset({401, 403})
UNAUTHORISED: Final = 401
NOT_ENABLED: Final = "PUBLIC_API_FEATURE_NOT_ENABLED"
ONCE: Final = Patience(attempts=1)
"""Each try costs one of five authentications an hour, so none is repeated by itself."""


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
        """Books one authentication and returns 0, or returns the seconds until one is free."""

    def refuse(self, key: str, fingerprint: str, /) -> None:
        """Remembers credentials that were refused."""

    def refused(self, key: str, fingerprint: str, /) -> bool:
        """Says whether these credentials were refused before."""


class _GrantRefused(ConnectorError):
    """The token endpoint refused a grant; leaves this module as a CredentialsError."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"Act-On refused the credentials: {failure}")
        self.status = failure.status
        self.not_enabled = NOT_ENABLED in failure.fault.text + failure.fault.code


def _explained(failure: Failure) -> ConnectorError:
    dead = failure.fault.code == "invalid_grant"  # RFC 6749 5.2 answers 400 with it
    if (failure.status in REFUSED or dead) and failure.verdict is not Verdict.THROTTLED:
        return _GrantRefused(failure)
    return as_acton_error(failure)


class _Unlimited:
    """The quota of the token endpoint: authentications are counted by the hour instead."""

    def take(self, _now: float, /) -> float:
        """Books nothing."""
        return 0.0


class ActOnAuth(Renewable):
    """Signs requests with a bearer token of one account."""

    def __init__(
        self,
        base_url: str,
        secrets: tuple[str, str, str, str],
        ledger: TokenLedger,
        clock: Clock,
        quota: Quota | None = None,
    ) -> None:
        """``secrets`` are client id, client secret, user name and password.

        The user name chooses the account; an agency's child account is entered as
        ``<account>_<e-mail>``. With ``quota`` token calls count among all calls.
        """
        self._tokens = Transport(
            base_url, quota=quota or _Unlimited(), clock=clock, explain=_explained, patience=ONCE
        )
        self._client = {"client_id": secrets[0], "client_secret": secrets[1]}
        self._user = {"username": secrets[2], "password": secrets[3]}
        self._ledger = ledger
        self._clock = clock
        who = "\n".join((base_url.rstrip("/") + "/token", secrets[0], secrets[2]))
        self._key = hashlib.sha256(who.encode()).hexdigest()
        said = "\n".join((secrets[0], secrets[2], secrets[3]))
        self._mark = hmac.new(secrets[1].encode(), said.encode(), hashlib.sha256).hexdigest()
        self._token: Token | None = None
        self.authentications = 0

    def close(self) -> None:
        """Closes the kept connection."""
        self._tokens.close()

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
            # another process may have fetched one while this one waited for the lock
            kept = self._ledger.token(self._key)
            usable = kept is not None and kept.access != dead
            if kept is None or not usable or next_step(kept, now) is not Step.USE:
                kept = self._renew(kept, now)
            self._token = kept
        return kept

    def _renew(self, old: Token | None, now: datetime) -> Token:
        """Refreshes, and asks with the password once where that failed; raises CredentialsError."""
        if old is not None and old.refresh and now < old.fetched_at + REFRESH_LIFE:
            self._ledger.keep(self._key, old._replace(refresh=""))
            try:
                return self._grant({"grant_type": "refresh_token", "refresh_token": old.refresh})
            except _GrantRefused as refusal:
                if refusal.status == UNAUTHORISED:
                    raise self._given_up(refusal) from None
            except ActOnError as error:
                if error.status:
                    raise  # the endpoint is ill; the password would meet the same
                # no answer: a new pair may have been issued and lost, and the old one is dead
        if self._ledger.refused(self._key, self._mark):
            raise CredentialsError(
                "Act-On refused these credentials before; they are not tried again",
                hint="correct them with 'acton-connector auth set acton'",
            )
        try:
            return self._grant({"grant_type": "password", **self._user})
        except _GrantRefused as refusal:
            raise self._given_up(refusal) from None

    def _given_up(self, refusal: _GrantRefused) -> CredentialsError:
        """Remembers refused credentials, unless it is the account that lacks the API."""
        if refusal.not_enabled:
            return CredentialsError(
                refusal.message, hint="ask Act-On to enable the API for this account"
            )
        self._ledger.refuse(self._key, self._mark)
        return CredentialsError(
            refusal.message, hint="correct them with 'acton-connector auth set acton'"
        )

    def _grant(self, form: dict[str, str]) -> Token:
        """Asks for a token pair and keeps it; secrets travel in the body only."""
        self._book()
        self.authentications += 1
        answer = self._tokens.send(Call("POST", "/token", data={**form, **self._client}))
        try:
            body = answer.json()
            token = Token(
                str(body["access_token"]),
                str(body.get("refresh_token") or ""),
                self._clock.now(),
                int(body.get("expires_in") or 0),
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ActOnError(
                f"Act-On: POST /token answered {answer.status_code} without a token",
                status=answer.status_code,
                request_id=request_id(answer),
            ) from None
        self._ledger.keep(self._key, token)
        return token

    def _book(self) -> None:
        """Waits for a free authentication, if that is soon; raises QuotaExhausted."""
        wait = self._ledger.may_authenticate(self._key, self._clock.now().timestamp())
        if 0 < wait <= LONGEST_WAIT_S:
            self._clock.sleep(wait)
            wait = self._ledger.may_authenticate(self._key, self._clock.now().timestamp())
        if wait > 0:
            raise QuotaExhausted(
                f"four authentications were made within the hour; next in {wait:.0f} s",
                hint="the next run continues",
            )
