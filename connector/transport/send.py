"""Sending, and the only place where a call is sent again.

What is repeated is decided by ``VERDICTS``. A throttled call, a refused bearer token and a
connection that was never made did nothing, so any call may be sent again; after a timeout or a
failing server nobody knows, so only a call that is ``repeatable`` is. A broken body of a streamed
answer is the reader's affair: it reads again from the start.

Proxy and CA-bundle variables work as ``requests`` documents them. Redirects are never followed:
the bearer token must not travel to another host. Neither bodies, queries nor headers are logged,
and an address in a path is masked.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

import requests
from requests.auth import AuthBase
from tenacity import RetryCallState, Retrying, retry_if_exception

from connector.errors import ConnectorError
from connector.transport.call import Call, Clock, Patience, Quota, Renewable
from connector.transport.faults import (
    Failure,
    Fault,
    Verdict,
    as_acton_error,
    failure_of,
    verdict_on,
)

log = logging.getLogger(__name__)

OK: Final = 200
NOT_OK: Final = 300
LONGEST_PAUSE_S: Final = 60.0
_PATIENT: Final = Patience()


class _Failed(Exception):
    """Carries a failure through the retrying; ``again`` says that it may be tried once more."""

    def __init__(self, failure: Failure, *, again: bool) -> None:
        super().__init__(str(failure))
        self.failure = failure
        self.again = again


class Transport:
    """Sends calls to one host, within its quota; safe to share between threads."""

    def __init__(
        self,
        base_url: str,
        *,
        quota: Quota,
        clock: Clock,
        auth: AuthBase | None = None,
        explain: Callable[[Failure], ConnectorError] = as_acton_error,
        patience: Patience = _PATIENT,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.clock = clock
        self.calls = 0
        self._quota = quota
        self._auth = auth
        self._explain = explain
        self._patience = patience
        self._session = requests.Session()
        self._counting = threading.Lock()

    def close(self) -> None:
        """Closes the kept connections."""
        self._session.close()

    def send(self, call: Call) -> requests.Response:
        """Returns the 2xx answer to a call; raises what ``explain`` makes of a failure.

        A streamed answer must be closed by the caller, and its body may still break off.
        """
        started = self.clock.now()

        def stop(state: RetryCallState) -> bool:
            spent = (self.clock.now() - started).total_seconds() + state.upcoming_sleep
            patience = self._patience
            return state.attempt_number >= patience.attempts or spent > patience.total_s

        refusals: list[requests.PreparedRequest] = []
        retrying = Retrying(
            sleep=self.clock.sleep,
            wait=self._pause,
            stop=stop,
            retry=retry_if_exception(lambda error: isinstance(error, _Failed) and error.again),
            reraise=True,
        )
        try:
            return retrying(self._try, call, refusals)
        except _Failed as failed:
            raise self._explain(failed.failure) from None

    def _pause(self, state: RetryCallState) -> float:
        """Doubles from one second, with jitter; what the server asks for counts more."""
        error = state.outcome.exception() if state.outcome else None
        if not isinstance(error, _Failed) or error.failure.verdict is Verdict.UNAUTHORISED:
            return 0.0
        doubled = min(LONGEST_PAUSE_S, 2.0 ** (state.attempt_number - 1))
        jittered = doubled * (0.75 + 0.5 * self.clock.jitter())
        asked = error.failure.retry_after_s
        return asked + self.clock.jitter() if asked else jittered

    def _try(self, call: Call, refusals: list[requests.PreparedRequest]) -> requests.Response:
        """Makes one attempt; ``refusals`` keeps the requests of this call that got a 401."""
        wait = self._quota.take(self.clock.now().timestamp())
        if wait > 0:
            self.clock.sleep(wait)
        with self._counting:
            self.calls += 1
        started = time.perf_counter()
        try:
            response = self._request(call)
        except requests.RequestException as error:
            failure = Failure(call.name, verdict_on(error), fault=Fault(type(error).__name__))
            raise _Failed(failure, again=_may_repeat(failure, call)) from None
        log.debug("%s %s in %.3f s", call.name, response.status_code, time.perf_counter() - started)
        if OK <= response.status_code < NOT_OK:
            return response
        failure = failure_of(call, response, self.clock.now())
        response.close()
        if failure.verdict is not Verdict.UNAUTHORISED or not isinstance(self._auth, Renewable):
            raise _Failed(failure, again=_may_repeat(failure, call))
        refusals.append(response.request)
        renewed = self._auth.refused(response.request)
        raise _Failed(failure, again=renewed and len(refusals) == 1)

    def _request(self, call: Call) -> requests.Response:
        return self._session.request(
            call.method,
            self.base_url + call.path,
            params=call.params,
            data=call.data,
            json=call.json,
            files=call.files,
            headers={"Accept": call.accept, **(call.headers or {})},
            auth=self._auth or _unsigned,
            timeout=(self._patience.connect_s, self._patience.read_s),
            allow_redirects=False,
            stream=call.stream,
        )


def _unsigned(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Signs nothing; without it ``requests`` would send what it finds in a netrc file."""
    return request


def _may_repeat(failure: Failure, call: Call) -> bool:
    if failure.verdict is Verdict.UNKNOWN:
        return call.repeatable
    return failure.verdict in {Verdict.NOTHING_DONE, Verdict.THROTTLED}
