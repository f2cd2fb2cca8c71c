"""Tokens and limits behave as Act-On documents them, on simulated time."""

import pytest

from connector.sandbox import Limits


def test_a_password_grant_opens_the_account(calling):
    """The known credentials give a token of one hour, and the account's number."""
    caller = calling(login=False)
    answer = caller.token().json()
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 3600)
    caller.session.headers["Authorization"] = f"Bearer {answer['access_token']}"
    assert caller.get("/api/1/account")["account_id"] == 12345


def test_an_access_token_dies_after_an_hour(acton):
    """The gateway answers 401 in its own envelope when the hour is over."""
    acton.control("advance", {"seconds": 3599})
    assert acton("GET", "/api/1/account").status_code == 200
    acton.control("advance", {"seconds": 1})
    answer = acton("GET", "/api/1/account")
    assert answer.status_code == 401
    assert answer.json() == {
        "httpCode": "401", "httpMessage": "Unauthorized", "moreInformation": "",
    }  # fmt: skip


def test_a_call_without_a_token_is_refused(calling):
    """No data call is answered without a bearer token."""
    assert calling(login=False)("GET", "/api/1/list").status_code == 401


def test_a_refresh_token_works_once(calling):
    """The second use of a refresh token is refused with 403 and the documented words."""
    caller = calling(login=False)
    first = caller.token().json()["refresh_token"]
    refresh = {"grant_type": "refresh_token", "refresh_token": first}
    assert caller.token(**refresh).status_code == 200
    answer = caller.token(**refresh)
    assert answer.status_code == 403
    assert answer.json()["error_description"] == "Unknown or invalid refresh token."


def test_a_new_token_ends_the_refresh_token_before_it(calling):
    """A second process with the same user kills the refresh token of the first."""
    caller = calling(login=False)
    first = caller.token().json()["refresh_token"]
    caller.token()
    answer = caller.token(grant_type="refresh_token", refresh_token=first)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("wrong", "status", "error"),
    [
        ({"client_secret": "no"}, 401, "access_denied"),
        ({"password": "no"}, 403, "invalid_grant"),
        ({"grant_type": "magic"}, 400, "unsupported_grant_type"),
    ],
)
def test_wrong_credentials_have_their_own_answers(calling, wrong, status, error):
    """A wrong client is 401, a wrong password 403."""
    answer = calling(login=False).token(**wrong)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_five_authentications_an_hour_and_failures_count(calling):
    """The sixth attempt within the hour is refused, however the others ended."""
    caller = calling(login=False, limits=Limits(per_second=100))
    for _ in range(5):
        caller.token(password="no")
    assert caller.token().status_code == 429
    caller.control("advance", {"hours": 1})
    assert caller.token().status_code == 200


def test_five_calls_a_second(calling):
    """The sixth call within one second is refused; a second later it is answered."""
    caller = calling(limits=Limits(), login=False)
    caller.login()
    statuses = [caller("GET", "/api/1/account").status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 200, 429]
    refusal = caller("GET", "/api/1/account").json()
    assert (refusal["httpCode"], refusal["moreInformation"]) == ("429", "Rate Limit exceeded")
    caller.control("advance", {"seconds": 1})
    assert caller("GET", "/api/1/account").status_code == 200


def test_calls_of_a_day_are_limited(calling):
    """The window of a day rolls, and refused calls are not counted again."""
    caller = calling(limits=Limits(per_second=100, per_day=3))
    for _ in range(2):
        assert caller("GET", "/api/1/account").status_code == 200
    assert caller("GET", "/api/1/account").status_code == 429
    caller.control("advance", {"hours": 25})
    caller.login()
    assert caller("GET", "/api/1/account").status_code == 200


def test_the_contacts_of_another_account_are_closed(acton):
    """A wrong account number in the path gets 403 without a body."""
    answer = acton("GET", "/ucl/v2/99999/schema/")
    assert (answer.status_code, answer.text) == (403, "")


def test_unknown_paths_get_the_gateways_404(acton):
    """What Act-On does not offer is answered by the gateway."""
    answer = acton("GET", "/api/1/nothing")
    assert (answer.status_code, answer.json()["httpCode"]) == (404, "404")
