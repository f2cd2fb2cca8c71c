"""What sending a call promises: which calls are repeated, what a failure says and what it hides."""

from datetime import UTC, datetime, timedelta

import pytest
import requests
import responses
from responses import matchers

from connector.errors import ActOnError, QuotaExhausted
from connector.transport import Call, Renewable, Transport

BASE = "https://acton.test"
URL = f"{BASE}/api/1/list/l-0001"
READ = Call("GET", "/api/1/list/l-0001", repeatable=True)
WRITE = Call("POST", "/api/1/list/l-0001")


class StillClock:
    """Time that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 24, tzinfo=UTC)
        self.slept: list[float] = []

    def now(self) -> datetime:
        """Returns the instant."""
        return self.at

    def sleep(self, seconds: float, /) -> None:
        """Moves on."""
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)

    def jitter(self) -> float:
        """Returns the middle of the range."""
        return 0.5


class OpenQuota:
    """A quota that asks for the given waits, then for none."""

    def __init__(self, *waits: float) -> None:
        self.waits = list(waits)

    def take(self, _now: float, /) -> float:
        """Books one call."""
        return self.waits.pop(0) if self.waits else 0.0


class Bearer(Renewable):
    """Signs with numbered tokens and counts how often a new one was asked for."""

    def __init__(self) -> None:
        self.number = 1

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Signs."""
        request.headers["Authorization"] = f"Bearer {self.number}"
        return request

    def refused(self, _request: requests.PreparedRequest) -> bool:
        """Makes the next token."""
        self.number += 1
        return True


def transport(clock: StillClock, quota: OpenQuota | None = None, **more: object) -> Transport:
    """Returns a transport on a still clock."""
    return Transport(BASE, quota=quota or OpenQuota(), clock=clock, **more)


@responses.activate
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_repeatable_call_survives_a_failing_server(status: int) -> None:
    """A read that meets a failing server is sent again until it succeeds."""
    responses.get(URL, status=status)
    responses.get(URL, json={})
    sender = transport(StillClock())
    assert sender.send(READ).status_code == 200
    assert sender.calls == 2


@responses.activate
@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_write_is_not_repeated_when_nobody_knows_what_it_did(status: int) -> None:
    """A call that is not repeatable is sent once to a server that fails."""
    responses.post(URL, status=status)
    sender = transport(StillClock())
    with pytest.raises(ActOnError) as caught:
        sender.send(WRITE)
    assert (caught.value.status, sender.calls) == (status, 1)


@responses.activate
@pytest.mark.parametrize(
    ("status", "body"), [(429, ""), (503, ""), (403, '{"httpMessage":"Rate Limit exceeded"}')]
)
def test_any_call_is_repeated_when_throttled(status: int, body: str) -> None:
    """Throttling did nothing, so even a write is sent again."""
    responses.post(URL, status=status, body=body)
    responses.post(URL, json={})
    sender = transport(StillClock())
    sender.send(WRITE)
    assert sender.calls == 2


@responses.activate
def test_retry_after_is_honoured() -> None:
    """The pause is at least what the server asks for."""
    responses.get(URL, status=429, headers={"Retry-After": "17"})
    responses.get(URL, json={})
    clock = StillClock()
    transport(clock).send(READ)
    assert len(clock.slept) == 1
    assert 17 <= clock.slept[0] < 19


@responses.activate
def test_a_plain_403_is_a_refusal() -> None:
    """A 403 that speaks of no quota is never repeated."""
    responses.get(URL, status=403, json={"errorCode": 10004, "message": "no"})
    sender = transport(StillClock())
    with pytest.raises(ActOnError):
        sender.send(READ)
    assert sender.calls == 1


@responses.activate
def test_throttling_without_end_gives_up() -> None:
    """Attempts are bounded; what is left over is a spent quota."""
    responses.get(URL, status=429)
    sender = transport(StillClock())
    with pytest.raises(QuotaExhausted):
        sender.send(READ)
    assert sender.calls == 6


@responses.activate
def test_a_lost_connection_ends_as_a_source_error() -> None:
    """A server that is never reached raises an error with exit code 4, after bounded attempts."""
    responses.get(URL, body=requests.ConnectionError("lost"))
    with pytest.raises(ActOnError) as caught:
        transport(StillClock()).send(READ)
    assert (caught.value.status, caught.value.exit_code) == (0, 4)


@responses.activate
def test_a_refused_token_is_renewed_once() -> None:
    """The first 401 renews the token and repeats the call, the second one is final."""
    responses.get(URL, status=401)
    sender = transport(StillClock(), auth=Bearer())
    with pytest.raises(ActOnError) as caught:
        sender.send(READ)
    signed = [call.request.headers["Authorization"] for call in responses.calls]
    assert (caught.value.status, signed) == (401, ["Bearer 1", "Bearer 2"])


@responses.activate
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('{"errorCode":10004,"message":"Invalid"}', "10004"),
        ('{"httpCode":"400","httpMessage":"Bad","moreInformation":""}', "400"),
        ('{"error":"invalid_grant","error_description":"no"}', "invalid_grant"),
        ('{"source":null,"errorMessage":"no","statusCode":400,"isSuccess":false}', "400"),
        ('{"errorId":"E-7","message":"no"}', "E-7"),
        ('{"errors":["no"]}', ""),
        ("", ""),
    ],
)
def test_each_error_envelope_is_read(body: str, code: str) -> None:
    """Status, code and the gateway's request id reach the error from every known envelope."""
    responses.get(URL, status=400, body=body, headers={"x-request-id": "r-1"})
    with pytest.raises(ActOnError) as caught:
        transport(StillClock()).send(READ)
    error = caught.value
    assert (error.status, error.code, error.request_id) == (400, code, "r-1")


@responses.activate
def test_no_address_reaches_an_error() -> None:
    """An address in the path or in the answer is masked in the message."""
    responses.get(
        f"{BASE}/ucl/contact/email/ann%40x.test", status=400, json={"message": "bad ann@x.test"}
    )
    with pytest.raises(ActOnError) as caught:
        transport(StillClock()).send(Call("GET", "/ucl/contact/email/ann%40x.test"))
    assert "ann" not in str(caught.value)


@responses.activate
def test_redirects_are_not_followed() -> None:
    """The bearer token never travels to another host."""
    responses.get(URL, status=302, headers={"Location": "https://elsewhere.test/"})
    with pytest.raises(ActOnError) as caught:
        transport(StillClock(), auth=Bearer()).send(READ)
    assert (caught.value.status, len(responses.calls)) == (302, 1)


@responses.activate
def test_the_quota_is_waited_for() -> None:
    """A call starts only after the wait that the quota asks for."""
    responses.get(URL, json={}, match=[matchers.header_matcher({"Accept": "application/json"})])
    clock = StillClock()
    transport(clock, OpenQuota(0.25)).send(READ)
    assert clock.slept == [0.25]
