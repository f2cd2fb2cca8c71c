"""What tokens promise: fetched rarely, written down first, refused credentials tried once."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
import requests
import responses

from connector.acton.auth import ActOnAuth, Step, next_step
from connector.errors import CredentialsError, QuotaExhausted, SourceError
from connector.model import Token

BASE = "https://acton.test"
START = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECRETS = ("client", "secret", "api@x.test", "password")
FRESH = {"access_token": "new", "refresh_token": "r2", "token_type": "bearer", "expires_in": 3600}


def sign(auth: ActOnAuth) -> str:
    """Returns the header that a request gets."""
    request = auth(requests.Request("GET", BASE).prepare())
    return str(request.headers["Authorization"])


def grants() -> list[str]:
    """Returns the grant types asked for, in order."""
    return [parse_qs(str(call.request.body))["grant_type"][0] for call in responses.calls]


@pytest.mark.parametrize(
    ("age", "refresh", "step"),
    [
        (timedelta(0), "r", Step.USE),
        (timedelta(minutes=55) - timedelta(seconds=1), "r", Step.USE),
        (timedelta(minutes=55), "r", Step.REFRESH),
        (timedelta(days=30) - timedelta(seconds=1), "r", Step.REFRESH),
        (timedelta(days=30), "r", Step.FETCH),
        (timedelta(hours=2), "", Step.FETCH),
    ],
)
def test_next_step_follows_the_age(age: timedelta, refresh: str, step: Step) -> None:
    """A token is used until five minutes before its end and refreshed for less than 30 days."""
    assert next_step(Token("a", refresh, START - age, 3600), START) is step


def test_no_token_is_fetched() -> None:
    """Without a token the password is used."""
    assert next_step(None, START) is Step.FETCH


@responses.activate
def test_a_token_is_kept_and_used_again(clock, ledger) -> None:
    """One authentication serves many requests and is written down."""
    responses.post(f"{BASE}/token", json=FRESH)
    auth = ActOnAuth(BASE, SECRETS, ledger, clock)
    assert {sign(auth), sign(auth)} == {"Bearer new"}
    assert (ledger.kept.access, ledger.booked) == ("new", 1)
    assert "?" not in responses.calls[0].request.url


@responses.activate
def test_a_refused_refresh_falls_back_to_the_password_once(clock, ledger) -> None:
    """A dead refresh token costs one password grant and no more."""
    ledger.kept = Token("old", "dead", START - timedelta(hours=1), 3600)
    responses.post(f"{BASE}/token", status=403, json={"error": "invalid_grant"})
    responses.post(f"{BASE}/token", json=FRESH)
    assert sign(ActOnAuth(BASE, SECRETS, ledger, clock)) == "Bearer new"
    assert grants() == ["refresh_token", "password"]


@responses.activate
@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_not_tried_again(clock, ledger, status: int) -> None:
    """A refused password is remembered by a fingerprint that shows no secret."""
    responses.post(f"{BASE}/token", status=status, json={"error_description": "Wrong"})
    for _ in range(2):
        with pytest.raises(CredentialsError):
            sign(ActOnAuth(BASE, SECRETS, ledger, clock))
    assert len(responses.calls) == 1
    assert not any(secret in mark for mark in ledger.bad for secret in SECRETS)


@responses.activate
def test_other_credentials_get_their_chance(clock, ledger) -> None:
    """A corrected password is tried although the old one was refused."""
    responses.post(f"{BASE}/token", status=403)
    responses.post(f"{BASE}/token", json=FRESH)
    with pytest.raises(CredentialsError):
        sign(ActOnAuth(BASE, SECRETS, ledger, clock))
    assert sign(ActOnAuth(BASE, (*SECRETS[:3], "better"), ledger, clock)) == "Bearer new"


@responses.activate
def test_a_failing_token_endpoint_is_asked_once(clock, ledger) -> None:
    """A 5xx of the token endpoint is not repeated: each try costs one of five an hour."""
    responses.post(f"{BASE}/token", status=502)
    with pytest.raises(SourceError):
        sign(ActOnAuth(BASE, SECRETS, ledger, clock))
    assert len(responses.calls) == 1


@responses.activate
def test_a_long_wait_ends_the_run(clock, ledger) -> None:
    """More than a minute to the next authentication is a spent quota, and nothing is sent."""
    ledger.wait = 61
    with pytest.raises(QuotaExhausted):
        sign(ActOnAuth(BASE, SECRETS, ledger, clock))
    assert len(responses.calls) == 0
