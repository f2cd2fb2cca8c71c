"""The server itself: where it listens, what it writes down, and the files that fit it."""

import threading
import tomllib

import pytest
import requests

from connector.sandbox import config_files, run_forever, serve


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "::"])  # noqa: S104  # refused
def test_only_this_machine_is_served(host):
    """Any address that others can reach is refused."""
    with pytest.raises(ValueError, match="loopback"):
        serve(host)


def test_localhost_is_this_machine():
    """The usual name is taken for the loopback address."""
    with serve("localhost", contacts=10) as server:
        assert requests.get(f"{server.url}/_sandbox/now", timeout=5).status_code == 200
    server.close()


def test_a_taken_port_is_an_error():
    """Two servers cannot share a port, and the second leaves nothing running."""
    with serve(contacts=10) as server:
        port = int(server.url.rpartition(":")[2])
        before = threading.active_count()
        with pytest.raises(OSError, match="in use"):
            serve(port=port, contacts=10)
        assert threading.active_count() == before


def test_run_forever_serves_until_it_is_stopped():
    """The command's way to run: told when ready, ended by an event."""
    stop, seen = threading.Event(), []

    def ready(server):
        seen.append(requests.get(f"{server.url}/_sandbox/now", timeout=5).status_code)
        stop.set()

    run_forever(ready, stop, contacts=10)
    assert seen == [200]


def test_calls_are_logged_without_values(acton):
    """Method, path, names of the query, content type and status; controls are not counted."""
    acton.control("log/clear")
    acton.get("/api/1/list/lookup/l-0001", email="ada@one.example")
    acton("PUT", "/api/1/list/l-0900", json={})
    acton("GET", "/api/1/nothing")
    acton.get("/_sandbox/now")
    log = acton.get("/_sandbox/log")
    assert [(line["method"], line["query"], line["status"]) for line in log] == [
        ("GET", ["email"], 200), ("PUT", [], 400), ("GET", [], 404),
    ]  # fmt: skip
    assert log[1]["content_type"] == "application/json"
    assert "ada" not in str(log)
    calls = acton.get("/_sandbox/calls")
    assert calls["total"] == 3
    assert calls["by_path"]["GET /api/1/list/lookup/l-0001"] == 1


def test_the_lists_files_map_only_columns_that_exist(acton):
    """Every heading of connector.toml is a heading of its list."""
    files = config_files(acton.url)
    config = tomllib.loads(files["connector.toml"])
    assert config["account"]["base_url"] == acton.url
    for source in config["source"]:
        headers = acton.get(f"/api/1/list/{source['id']}", count=1)["headers"]
        mapped = {c if isinstance(c, str) else c["column"] for c in source["columns"].values()}
        assert mapped <= set(headers)
    assert acton.get(f"/api/1/list/{config['tag']['list']}")["totalCount"] == 0


def test_the_contacts_file_maps_only_columns_that_exist(acton):
    """Every heading is a name of the schema, and so is the column of the list of origin."""
    (source,) = tomllib.loads(config_files(acton.url, "contacts")["connector.toml"])["source"]
    names = {column["name"] for column in acton.get("/ucl/v2/12345/schema/")["columns"]}
    mapped = {c if isinstance(c, str) else c["column"] for c in source["columns"].values()}
    assert {*mapped, source["origin"]} <= names


def test_the_credentials_file_opens_the_account(calling):
    """The written credentials are the sandbox's own."""
    caller = calling(login=False)
    secrets = tomllib.loads(config_files(caller.url)["credentials.toml"])["acton"]
    answer = caller("POST", "/token", data={"grant_type": "password", **secrets})
    assert answer.status_code == 200


def test_the_policy_has_the_registers_that_the_people_refer_to(acton):
    """Every category is mapped; every form, notice and request form of the rows is registered."""
    policy = tomllib.loads(config_files(acton.url)["policy.toml"])
    names = {c["name"] for c in acton.get("/api/1/subscription/category")}
    assert set(policy["categories"]) == names
    rows = acton.rows("l-0001")
    notices = {notice["version"] for notice in policy["notice"]}
    assert {row["Privacy Notice"] for row in rows} - {""} <= notices
    assert {row["Form"] for row in rows} - {""} <= {
        capture["form"] for capture in policy["capture"]
    }
    asked = {form["form"] for form in policy["request_form"]}
    assert {row["Request Form"] for row in rows} - {""} <= asked
    assert len(notices) == 5
    assert len(policy["capture"]) == 4
    assert asked == {"q-0101", "q-0102", "q-0103"}
