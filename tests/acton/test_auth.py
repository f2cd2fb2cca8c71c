"""What tokens promise: fetched rarely, written down first, refused credentials tried once."""

from datetime import UTC, datetime, timedelta
from threading import Thread
from urllib.parse import parse_qs

import pytest
import requests
import responses

from connector.acton.auth import ActOnAuth, Step, next_step
from connector.errors import ActOnError, CredentialsError, QuotaExhausted, SourceError
from connector.model import Token
from connector.store.ledger import Ledger

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


class LostAnswer:
    """Answers a token call by losing the connection after it looked at the kept token."""

    def __init__(self, ledger) -> None:
        self.ledger = ledger
        self.kept: list[Token | None] = []

    def __call__(self, _request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        """Loses the answer."""
        self.kept.append(self.ledger.kept)
        raise requests.ConnectionError("cut")


@responses.activate
def test_a_refresh_token_is_struck_before_it_is_sent(clock, ledger) -> None:
    """Whoever starts after a crash in the middle finds no refresh token to send again."""
    ledger.kept = Token("old", "r1", START - timedelta(hours=1), 3600)
    lost = LostAnswer(ledger)
    responses.add_callback(responses.POST, f"{BASE}/token", lost)
    with pytest.raises(ActOnError):
        sign(ActOnAuth(BASE, SECRETS, ledger, clock))
    assert [token.refresh for token in lost.kept] == ["", ""]
    assert grants() == ["refresh_token", "password"]


@responses.activate
def test_a_dead_refresh_token_may_come_as_400(clock, ledger) -> None:
    """The OAuth standard's own status for a dead refresh token leads to the password, too."""
    ledger.kept = Token("old", "dead", START - timedelta(hours=1), 3600)
    responses.post(f"{BASE}/token", status=400, json={"error": "invalid_grant"})
    responses.post(f"{BASE}/token", json=FRESH)
    assert sign(ActOnAuth(BASE, SECRETS, ledger, clock)) == "Bearer new"


@responses.activate
def test_wrong_client_credentials_end_a_refresh(clock, ledger) -> None:
    """A 401 speaks of client id and secret: the password would meet the same and is not sent."""
    ledger.kept = Token("old", "r1", START - timedelta(hours=1), 3600)
    responses.post(f"{BASE}/token", status=401, json={"error": "access_denied"})
    with pytest.raises(CredentialsError):
        sign(ActOnAuth(BASE, SECRETS, ledger, clock))
    assert grants() == ["refresh_token"]


@responses.activate
def test_an_account_without_the_api_is_tried_again_later(clock, ledger) -> None:
    """Credentials are not remembered as wrong when it is the API that is not enabled."""
    responses.post(f"{BASE}/token", status=403, body="PUBLIC_API_FEATURE_NOT_ENABLED")
    with pytest.raises(CredentialsError) as caught:
        sign(ActOnAuth(BASE, SECRETS, ledger, clock))
    assert "enable the API" in caught.value.hint
    assert not ledger.bad


@responses.activate
@pytest.mark.parametrize(
    ("status", "body"), [(429, ""), (403, '{"moreInformation": "Rate Limit exceeded"}')]
)
def test_a_throttled_token_endpoint_is_no_refusal(clock, ledger, status: int, body: str) -> None:
    """Too many authentications end the run with a spent quota and leave the credentials good."""
    responses.post(f"{BASE}/token", status=status, body=body)
    with pytest.raises(QuotaExhausted):
        sign(ActOnAuth(BASE, SECRETS, ledger, clock))
    assert len(responses.calls) == 1
    assert not ledger.bad


@responses.activate
def test_a_short_wait_for_an_authentication_is_waited(clock, ledger) -> None:
    """A free authentication within a minute is waited for."""
    ledger.waits = [30.0, 0.0]
    responses.post(f"{BASE}/token", json=FRESH)
    assert sign(ActOnAuth(BASE, SECRETS, ledger, clock)) == "Bearer new"
    assert clock.slept == [30]


@responses.activate
def test_no_secret_is_in_a_url_or_an_error(clock, ledger) -> None:
    """Secrets travel in the body only, and an answer that repeats the user name is masked."""
    said = {"error": "invalid_grant", "error_description": "no user api@x.test"}
    responses.post(f"{BASE}/token", status=403, json=said)
    with pytest.raises(CredentialsError) as caught:
        sign(ActOnAuth(BASE, SECRETS, ledger, clock))
    assert not any(secret in caught.value.message for secret in SECRETS[1:])
    assert responses.calls[0].request.url == f"{BASE}/token"


@responses.activate
def test_a_day_of_cron_stays_within_the_authentications(tmp_path, clock) -> None:
    """Every ten minutes a new process: at most 26 authentications a day, four in any hour."""
    responses.post(f"{BASE}/token", json=FRESH)
    made: list[datetime] = []
    for _ in range(24 * 6):
        with Ledger(tmp_path, per_second=4, per_day=30_000) as ledger:
            auth = ActOnAuth(BASE, SECRETS, ledger, clock)
            sign(auth)
            made += [clock.now()] * auth.authentications
        clock.at += timedelta(minutes=10)
    assert len(made) <= 26
    assert not any(
        late - early < timedelta(hours=1) for early, late in zip(made, made[4:], strict=False)
    )


@responses.activate
def test_a_crashing_loop_is_stopped_after_four_authentications(tmp_path, clock) -> None:
    """A container that loses its answers and starts again at once makes four token calls."""
    responses.post(f"{BASE}/token", body=requests.ConnectionError("cut"))
    for _ in range(20):
        with (
            Ledger(tmp_path, per_second=4, per_day=30_000) as ledger,
            pytest.raises((ActOnError, QuotaExhausted)),
        ):
            sign(ActOnAuth(BASE, SECRETS, ledger, clock))
    assert len(responses.calls) == 4


@responses.activate
def test_processes_share_one_token(tmp_path, clock) -> None:
    """Several at once, with an expired token, spend its refresh token once and share the new."""
    responses.post(f"{BASE}/token", json=FRESH)
    with Ledger(tmp_path, per_second=4, per_day=30_000) as ledger:
        first = ActOnAuth(BASE, SECRETS, ledger, clock)
        sign(first)
    clock.at += timedelta(hours=1)
    signed: list[str] = []

    def process() -> None:
        with Ledger(tmp_path, per_second=4, per_day=30_000) as own:
            signed.append(sign(ActOnAuth(BASE, SECRETS, own, clock)))

    threads = [Thread(target=process) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert signed == ["Bearer new"] * 4
    assert grants() == ["password", "refresh_token"]
