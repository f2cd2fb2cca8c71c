"""The command line as its users meet it: exit codes, errors with a next step, JSON contracts."""

import csv
import json
import os
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rdflib import Graph

from connector.store.ledger import Ledger

from .conftest import Account

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests" / "consent_cases"


def command(*args: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    """Runs acton-connector in a process of its own, with an environment like cron's."""
    kept = {k: v for k, v in os.environ.items() if k in {"PATH", "HOME"} or k[:4] == "COVE"}
    plain = {**kept, **env}
    line = [sys.executable, "-m", "connector", *args]
    return subprocess.run(
        line, cwd=ROOT, env=plain, input=stdin, capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip


def test_the_plan_is_told_as_one_json_document(account: Account) -> None:
    """sync --json keeps its contract and writes one line per action into the plan file."""
    done = command("--config", account.config, "sync", "--json")
    document = json.loads(done.stdout)
    assert done.returncode == document["exit"] == 0
    assert document["schema"] == 1
    assert document["applied"] is False
    assert set(document["outcomes"]) == {"PUSH", "HOLD", "REVIEW", "SUPPRESS", "BELOW_WATCH"}
    assert sum(document["outcomes"].values()) == document["contacts_seen"]
    lines = [json.loads(line) for line in Path(document["plan"]).read_text().splitlines()]
    assert len(lines) == sum(document["actions"].values())
    assert {"seq", "kind", "person", "destination", "code"} == set(lines[0])
    assert "@" not in Path(document["plan"]).read_text()


def test_first_apply_exits_5_and_the_hint_releases_it(account: Account) -> None:
    """The breaker's message names the command that releases the plan, and it works."""
    stopped = command("--config", account.config, "sync", "--apply")
    assert stopped.returncode == 5
    hint = stopped.stderr.split("run 'sync --approve ")[1].split("'")[0]
    released = command("--config", account.config, "sync", "--approve", hint, "--json")
    assert released.returncode == 0, released.stderr
    assert json.loads(released.stdout)["actions"]["push"] == len(account.leads()) > 0


def test_an_unsigned_policy_exits_2(account: Account) -> None:
    """--apply refuses a policy that was altered after it was signed; a plan does not need it."""
    account.edit("policy.toml", "threshold = 40", "threshold = 41", resign=False)
    done = command("--config", account.config, "sync", "--apply")
    assert done.returncode == 2
    assert "altered after it was signed" in done.stderr
    assert "policy sign" in done.stderr
    assert command("--config", account.config, "sync").returncode == 0


def test_all_faults_of_a_file_are_said_at_once(account: Account) -> None:
    """Each fault has file, line, key and what is allowed."""
    account.edit("connector.toml", 'kind = "marketing_list"', 'kind = "list"\ntypo = 1')
    done = command("--config", account.config, "sync")
    assert done.returncode == 2
    assert done.stderr.count("connector.toml:") >= 2
    assert "unknown key" in done.stderr


def test_a_vanished_column_exits_4_and_pushes_nothing(account: Account) -> None:
    """A mapped column that is gone stops the run with its name."""
    account.run()
    before = account.leads()
    account.post("drop_column", {"list": "l-0001", "heading": "OK to contact"})
    done = command("--config", account.config, "sync", "--apply")
    assert done.returncode == 4
    assert "'OK to contact'" in done.stderr
    assert account.leads() == before


def test_a_missing_list_exits_4(account: Account) -> None:
    """A list that is gone stops the run."""
    account.post("drop_list", {"list": "l-0002"})
    done = command("--config", account.config, "sync")
    assert done.returncode == 4
    assert "10004" in done.stderr


def test_a_wrong_account_id_exits_2(account: Account) -> None:
    """Nothing is read or written for an account that is not ours."""
    account.edit("connector.toml", 'id = "12345"', 'id = "54321"')
    done = command("--config", account.config, "sync", "--apply", "--approve")
    assert done.returncode == 2
    assert "12345" in done.stderr
    assert account.leads() == {}


def test_missing_or_open_credentials_exit_7(account: Account) -> None:
    """Secrets that others can read are refused with the command that mends it."""
    path = account.folder / "credentials.toml"
    path.chmod(0o644)
    done = command("--config", account.config, "sync")
    assert done.returncode == 7
    assert "chmod 600" in done.stderr
    path.unlink()
    done = command("--config", account.config, "sync", PYTHON_KEYRING_BACKEND=NO_KEYRING)
    assert done.returncode == 7
    assert "ACTON_CONNECTOR_ACTON_CLIENT_ID" in done.stderr


NO_KEYRING = "keyring.backends.fail.Keyring"


def test_refused_credentials_exit_7_and_are_not_tried_again(account: Account) -> None:
    """A wrong password costs one authentication, not one in every run."""
    account.edit("credentials.toml", "sandbox-password", "wrong")
    assert command("--config", account.config, "sync").returncode == 7
    assert command("--config", account.config, "sync").returncode == 7
    tokens = [line for line in account.log() if line["path"] == "/token"]
    assert len(tokens) == 1


def test_a_used_up_quota_exits_8(account: Account) -> None:
    """The share of the day is kept across runs."""
    account.edit("connector.toml", "per_second = 1000", "per_second = 1000\nper_day = 10")
    done = command("--config", account.config, "sync")
    assert done.returncode == 8
    assert "quota" in done.stderr


def test_a_held_lock_exits_6_and_says_nothing_under_cron(account: Account) -> None:
    """A second run waits for nobody and mails nobody."""
    account.run(apply=False)
    with (
        Ledger(account.folder, per_second=4, per_day=100) as ledger,
        ledger.lock(datetime.now(UTC)),
    ):
        done = command("--config", account.config, "sync", "--apply")
    assert done.returncode == 6
    assert done.stderr == ""


def test_an_unreadable_state_exits_9(account: Account) -> None:
    """A damaged state is never taken for an empty one: nobody is pushed again."""
    account.run()
    (account.folder / "state.db").write_bytes(b"not a database, but long enough to look" * 50)
    done = command("--config", account.config, "sync", "--apply")
    assert done.returncode == 9
    assert "backup" in done.stderr


def test_a_missing_identity_key_exits_9(account: Account) -> None:
    """Without its key the state would let erased people return."""
    account.run()
    (account.folder / "identity.key").unlink()
    done = command("--config", account.config, "sync", "--apply")
    assert done.returncode == 9


def test_the_log_verifies_and_a_changed_line_exits_10(account: Account) -> None:
    """audit verify prints the head, and names the first broken line."""
    account.run()
    done = command("--config", account.config, "audit", "verify")
    assert done.returncode == 0
    assert "Head: " in done.stdout
    with sqlite3.connect(account.folder / "state.db") as db:
        db.execute("UPDATE audit_entry SET type = 'ALTERED' WHERE seq = 5")
    db.close()
    done = command("--config", account.config, "audit", "verify")
    assert done.returncode == 10
    assert "line 6 does not follow the line before it" in done.stderr


def test_explain_answers_from_the_state_alone(account: Account) -> None:
    """Inputs, rule, law and next step are told; no score is kept; unknown people are no error."""
    account.run()
    who = sorted(account.leads())[0]
    account.server.close()
    done = command("--config", account.config, "explain", "-", "--json", stdin=who + "\n")
    document = json.loads(done.stdout)
    assert document["person"] == {"known": True}
    decision = document["decisions"][0]
    assert decision["outcome"] == "PUSH"
    assert decision["route"] is None
    assert {i["column"] for i in decision["inputs"]} >= {"E-mail Address", "Consent Date"}
    assert "score" not in {i["field"] for i in decision["inputs"]}
    assert decision["says"]
    assert decision["law"]
    unknown = command("--config", account.config, "explain", "nobody@x.example", "--json")
    assert unknown.returncode == 0
    assert json.loads(unknown.stdout)["person"] == {"known": False}
    words = command("--config", account.config, "explain", who)
    assert "Next: " in words.stdout


def test_status_lists_who_is_held(account: Account) -> None:
    """status --held shows pseudonyms, reasons and since when."""
    account.run()
    done = command("--config", account.config, "status", "--held")
    assert done.returncode == 0
    assert "CONSENT_MISSING" in done.stdout
    assert "@" not in done.stdout


@pytest.mark.filterwarnings("ignore:.*is deprecated, use Dataset")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_exports_are_safe_and_parse(account: Account, tmp_path: Path) -> None:
    """Leads open in a spreadsheet without running; consent records are JSON-LD of known terms."""
    account.run()
    leads, records = tmp_path / "leads.csv", tmp_path / "records.jsonl"
    done = command(
        "--config", account.config, "export", "--leads", str(leads),
        "--consent-records", str(records),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(leads.open()))
    assert len(rows) == len(account.leads())
    text = (ROOT / "tests" / "consent_text" / "dpv_terms.txt").read_text()
    known = {line.split(":")[1].split()[0] for line in text.splitlines() if line[:1] not in "# "}
    lines = records.read_text().splitlines()
    assert len(lines) == len(rows)
    for line in lines[:20]:
        graph = Graph().parse(data=line, format="json-ld")
        used = {str(term) for triple in graph for term in triple if "w3id.org/dpv" in str(term)}
        schema = "https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr"
        terms = {term for term in used if term != schema and "/loc#" not in term}
        assert {term.rsplit("#")[-1] for term in terms} <= known
        assert "@" not in line.replace('"@', "").replace("privacy@acme.example", "")


def test_doctor_looks_at_everything(account: Account) -> None:
    """Each line is ok, warn or fail, with its mend."""
    done = command("--config", account.config, "doctor", "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stdout
    whats = {line["what"] for line in lines}
    assert {"configuration and policy", "signature", "state", "account"} <= whats
    assert "source l-0001" in whats
    account.post("drop_column", {"list": "l-0001", "heading": "OK to phone"})
    done = command("--config", account.config, "doctor")
    assert done.returncode == 1
    assert "'OK to phone'" in done.stdout


def test_auth_status_names_the_place_and_no_secret(account: Account) -> None:
    """Where credentials were found is told, what they are is not."""
    done = command("--config", account.config, "auth", "status")
    assert "file" in done.stdout
    assert "sandbox-" not in done.stdout
    environment = {f"ACTON_CONNECTOR_ACTON_{n}": "x" for n in ENVIRONMENT}
    done = command("--config", account.config, "auth", "status", **environment)
    assert "environment" in done.stdout
    assert command("--config", account.config, "auth", "test").stdout.startswith("acton: account")


ENVIRONMENT = ("CLIENT_ID", "CLIENT_SECRET", "USERNAME", "PASSWORD")


def test_policy_test_keeps_its_contract(tmp_path: Path) -> None:
    """One JSON object per row in file order; exit 0, 1 or 2."""
    line = ("policy", "test", str(CASES / "cases.csv"), "--policies", str(CASES / "policies"))
    done = command(*line, "--json")
    rows = [json.loads(row) for row in done.stdout.splitlines()]
    assert done.returncode == 0
    assert [row["id"] for row in rows][:2] == ["V001", "V002"]
    assert len(rows) == 197
    assert all(row["ok"] for row in rows)
    keys = ["id", "decision", "code", "also", "route", "channels", "look_again_at", "ok"]
    assert list(rows[0]) == keys
    text = (CASES / "cases.csv").read_text().replace(",OK_CONSENT,", ",OPTED_OUT,", 1)
    (tmp_path / "wrong.csv").write_text(text)
    wrong = str(tmp_path / "wrong.csv")
    done = command("policy", "test", wrong, "--policies", str(CASES / "policies"))
    assert done.returncode == 1
    (tmp_path / "broken.csv").write_text("id,policy,now,records\n1,strict,yesterday,[]\n")
    broken = str(tmp_path / "broken.csv")
    done = command("policy", "test", broken, "--policies", str(CASES / "policies"))
    assert done.returncode == 2


def test_policy_show_sign_and_diff(account: Account, tmp_path: Path) -> None:
    """The page names hash and signer; a diff shows whose decision would change, and why."""
    path = str(account.folder / "policy.toml")
    shown = command("policy", "show", "--policy", path)
    assert "sha256:" in shown.stdout
    assert "Signed by T. Tester" in shown.stdout or "Signed by A. Officer" in shown.stdout
    other = account.folder / "other.toml"
    text = (account.folder / "policy.toml").read_text().split("[signature]")[0]
    other.write_text(text.replace("uses_tracking = true", "uses_tracking = false"))
    done = command("--config", account.config, "policy", "diff", str(other), "--json")
    changes = [json.loads(row) for row in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr
    assert any(c["now"].startswith("HOLD TRACKING") for c in changes)
    assert all(c["now"] != c["then"] for c in changes)
    signed = command("policy", "sign", "--policy", str(other), "--name", "B. Signer")
    assert signed.returncode == 0
    assert "B. Signer" in command("policy", "show", "--policy", str(other)).stdout


@pytest.mark.parametrize("line", [("--help",), ("sync", "--help"), ("policy", "--help")])
def test_help_is_there(line: tuple[str, ...]) -> None:
    """Every command explains itself."""
    assert command(*line).returncode == 0


def test_wrong_usage_exits_2() -> None:
    """An option that does not exist is wrong usage."""
    assert command("sync", "--nonsense").returncode == 2
