"""What sending a call promises: which calls are repeated, what a failure says and what it hides."""

import gzip
import logging
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
import responses
from responses import matchers

from connector.errors import ActOnError, QuotaExhausted
from connector.transport import Call, Patience, Renewable, Transport

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


@responses.activate
def test_retry_after_may_be_a_date() -> None:
    """An HTTP date is waited for as a number of seconds is."""
    responses.get(URL, status=503, headers={"Retry-After": "Tue, 24 Nov 2026 00:00:30 GMT"})
    responses.get(URL, json={})
    clock = StillClock()
    transport(clock).send(READ)
    assert 30 <= clock.slept[0] < 32


@responses.activate
def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    """A pause that would end after the total deadline ends the call at once."""
    responses.get(URL, status=429, headers={"Retry-After": "3600"})
    clock = StillClock()
    with pytest.raises(QuotaExhausted):
        transport(clock).send(READ)
    assert clock.slept == []


@responses.activate
def test_pauses_double() -> None:
    """Without a wish of the server the pause doubles from one second."""
    responses.get(URL, status=500)
    clock = StillClock()
    with pytest.raises(ActOnError):
        transport(clock, patience=Patience(attempts=4)).send(READ)
    assert clock.slept == [1, 2, 4]


@responses.activate
@pytest.mark.parametrize("code", ["900800", "900804"])
def test_the_older_gateway_throttles_by_code(code: str) -> None:
    """Its codes mean throttling whatever status they come with, so even a write is repeated."""
    responses.post(URL, status=400, json={"fault": {"code": int(code), "message": "out"}})
    responses.post(URL, json={})
    sender = transport(StillClock())
    sender.send(WRITE)
    assert sender.calls == 2


@responses.activate
def test_every_try_asks_the_quota() -> None:
    """Repeated calls are counted and waited for like first ones."""
    responses.get(URL, status=500)
    responses.get(URL, json={})
    clock = StillClock()
    transport(clock, OpenQuota(0.25, 0.25)).send(READ)
    assert clock.slept == [0.25, 1, 0.25]


@responses.activate
def test_logs_hold_no_query_and_no_token(caplog) -> None:
    """A debug line names method, path and status, and nothing that could be personal or secret."""
    responses.get(URL, json={})
    with caplog.at_level(logging.DEBUG, "connector"):
        transport(StillClock(), auth=Bearer()).send(
            Call("GET", "/api/1/list/l-0001", params={"email": "ann@x.test"})
        )
    assert "GET /api/1/list/l-0001 200" in caplog.text
    assert "ann" not in caplog.text
    assert "Bearer" not in caplog.text


@responses.activate
def test_a_certificate_fault_is_final() -> None:
    """A server that cannot prove who it is is not asked again."""
    responses.get(URL, body=requests.exceptions.SSLError("self-signed certificate"))
    sender = transport(StillClock())
    with pytest.raises(ActOnError) as caught:
        sender.send(READ)
    assert sender.calls == 1
    assert "CA bundle" in caught.value.hint


def test_a_connection_that_was_never_made_did_nothing() -> None:
    """Even a write is tried again while nobody listens at the address."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        sender = Transport(
            address, quota=OpenQuota(), clock=StillClock(), patience=Patience(attempts=3)
        )
        with pytest.raises(ActOnError) as caught:
            sender.send(WRITE)
    assert sender.calls == 3
    assert "127.0.0.1" not in caught.value.message


class Plain(BaseHTTPRequestHandler):
    """Answers gzipped JSON, keeps connections, and writes down what it was asked."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answers."""
        self.server.seen.append((self.client_address, dict(self.headers)))
        body = gzip.compress(b'{"ok": true}')
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    """Serves on loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Plain) as serving:
        serving.daemon_threads = True
        serving.seen = []
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield serving
        serving.shutdown()
        thread.join()


def test_connections_are_reused_and_answers_compressed(server) -> None:
    """Several calls share a connection, and compressed answers are asked for and read."""
    sender = Transport(
        f"http://127.0.0.1:{server.server_port}", quota=OpenQuota(), clock=StillClock()
    )
    assert [sender.send(READ).json() for _ in range(3)] == [{"ok": True}] * 3
    sender.close()
    assert len({peer for peer, _ in server.seen}) == 1
    assert "gzip" in server.seen[0][1]["Accept-Encoding"]


def test_a_proxy_of_the_environment_is_used_and_a_netrc_is_not(
    server, tmp_path, monkeypatch
) -> None:
    """The usual proxy variable works; a password lying about in a netrc file is never sent."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine acton.test login ann password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_port}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    sender = Transport("http://acton.test", quota=OpenQuota(), clock=StillClock())
    sender.send(READ)
    sender.close()
    (_, headers) = server.seen[0]
    assert headers["Host"] == "acton.test"
    assert "Authorization" not in headers
