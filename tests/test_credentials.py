"""What the chain of secrets promises: one order, no half secrets, nothing shown."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import InitError, KeyringLocked, NoKeyringError

from connector.credentials import FIELDS, Credentials, find, keep, remove, status
from connector.errors import CredentialsError

VALUES = {"client_id": "c-1", "client_secret": "s-2", "username": "u@x.test", "password": "p-4"}
SECRETS = Credentials(**VALUES)
ENVIRON = {f"ACTON_CONNECTOR_ACTON_{key.upper()}": f"env-{key}" for key in FIELDS}


class MemoryKeyring(KeyringBackend):
    """A keyring in memory that counts how often it is asked, and fails on demand."""

    priority = 1  # type: ignore[assignment]  # a class property in the parent

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self.held: dict[tuple[str, str], str] = {}
        self.error = error
        self.asked = 0

    def _answer(self) -> None:
        self.asked += 1
        if self.error is not None:
            raise self.error

    def get_password(self, service: str, username: str) -> str | None:
        """Returns what is held."""
        self._answer()
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Holds a password."""
        self._answer()
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Drops a password."""
        self._answer()
        del self.held[service, username]


class PromptingKeyring(MemoryKeyring):
    """A keyring of a kind that pops up a window."""


PromptingKeyring.__module__ = "keyring.backends.kwallet"


@pytest.fixture
def held() -> Iterator[MemoryKeyring]:
    """Puts a keyring in memory in the machine's place."""
    before = keyring.get_keyring()
    backend = MemoryKeyring()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


def write(path: Path, *, mode: int = 0o600, text: str | None = None) -> Path:
    """Writes a credentials file."""
    lines = "".join(f'{key} = "{value}"\n' for key, value in VALUES.items())
    path.write_text(f"[acton]\n{lines}" if text is None else text)
    path.chmod(mode)
    return path


def test_printing_credentials_shows_none() -> None:
    """Neither repr nor str holds any of the four values."""
    assert not any(value in repr(SECRETS) + str(SECRETS) for value in VALUES.values())


def test_the_environment_comes_first(tmp_path, held) -> None:
    """Where the environment answers, file and keyring are not looked at."""
    found = find("acton", file=write(tmp_path / "c", mode=0o644), environ=ENVIRON)
    assert (found.where, found.credentials.password) == ("environment", "env-password")
    assert held.asked == 0


def test_a_dash_in_a_name_is_an_underscore(held) -> None:
    """A name with a dash has variables that a shell can set."""
    environ = {f"ACTON_CONNECTOR_MY_CRM_{key.upper()}": "x" for key in FIELDS}
    assert find("my-crm", file=None, environ=environ).where == "environment"


def test_systemd_credentials_are_files_by_field(tmp_path, held) -> None:
    """Each field is a file of the credentials folder, its last line end left out."""
    for key, value in VALUES.items():
        (tmp_path / f"acton.{key}").write_text(value + "\n")
    found = find("acton", file=None, environ={"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert (found.where, found.credentials) == ("systemd credentials", SECRETS)


def test_systemd_credentials_may_be_one_file(tmp_path, held) -> None:
    """One TOML file with a table for the name serves as well."""
    write(tmp_path / "credentials.toml")
    found = find("acton", file=None, environ={"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert (found.where, found.credentials) == ("systemd credentials", SECRETS)


def test_a_private_file_answers(tmp_path, held) -> None:
    """A file of ours with mode 0600 is read, and the keyring is left alone."""
    found = find("acton", file=write(tmp_path / "c"), environ={})
    assert found.credentials == SECRETS
    assert held.asked == 0


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_a_file_open_to_others_is_refused(tmp_path, held, mode: int) -> None:
    """Any right of group or others stops, and the message says how to mend it."""
    with pytest.raises(CredentialsError) as caught:
        find("acton", file=write(tmp_path / "c", mode=mode), environ={})
    assert "chmod 600" in caught.value.hint


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else_is_refused(tmp_path) -> None:
    """A 0600 file that another user owns is not trusted."""
    path = write(tmp_path / "c")
    os.chown(path, 12345, 12345)
    with pytest.raises(CredentialsError) as caught:
        find("acton", file=path, environ={})
    assert "somebody else" in caught.value.message


@pytest.mark.parametrize(
    "text", ["[acton\npassword = 'p-4'", "\x00password p-4 =", "acton = 'p-4'"], ids=str
)
def test_a_broken_file_is_an_error_without_its_content(tmp_path, held, text: str) -> None:
    """A file that cannot be read as a table stops the chain and is not quoted."""
    with pytest.raises(CredentialsError) as caught:
        find("acton", file=write(tmp_path / "c", text=text), environ={})
    assert "p-4" not in caught.value.message


def test_a_file_that_is_no_text_is_an_error(tmp_path, held) -> None:
    """Bytes that are not UTF-8 end as CredentialsError."""
    path = tmp_path / "c"
    path.write_bytes(b"\xff\xfe")
    path.chmod(0o600)
    with pytest.raises(CredentialsError):
        find("acton", file=path, environ={})


def test_half_a_secret_stops_the_chain(tmp_path, held) -> None:
    """A link that lacks a field is named with what it lacks; the next link is not mixed in."""
    environ = {k: v for k, v in ENVIRON.items() if not k.endswith("PASSWORD")}
    with pytest.raises(CredentialsError) as caught:
        find("acton", file=write(tmp_path / "c"), environ=environ)
    assert "no password" in caught.value.message


def test_an_absent_file_leads_on_to_the_keyring(tmp_path, held) -> None:
    """Without variables and file the keyring answers."""
    keep("acton", SECRETS)
    found = find("acton", file=tmp_path / "absent", environ={})
    assert (found.where, found.credentials) == ("keyring", SECRETS)


def test_kept_credentials_can_be_removed(held) -> None:
    """What was kept is gone afterwards, and a second removal finds nothing."""
    keep("acton", SECRETS)
    assert (remove("acton"), remove("acton")) == (4, 0)
    with pytest.raises(CredentialsError):
        find("acton", file=None, environ={})


def test_a_keyring_that_forgets_is_found_out(held) -> None:
    """Keeping reads back: a keyring that loses values did not keep them."""

    def forget(*_: str) -> None:
        return None

    held.set_password = forget
    with pytest.raises(CredentialsError):
        keep("acton", SECRETS)


@pytest.mark.parametrize(
    "error", [NoKeyringError("none"), InitError("no bus"), KeyringLocked("locked")]
)
def test_a_keyring_without_a_session_names_the_alternatives(held, error: Exception) -> None:
    """No keyring, no bus or a locked one is a CredentialsError that says what to do instead."""
    held.error = error
    for attempt in (
        lambda: find("acton", file=None, environ={}),
        lambda: keep("acton", SECRETS),
        lambda: remove("acton"),
    ):
        with pytest.raises(CredentialsError) as caught:
            attempt()
        assert "ACTON_CONNECTOR_ACTON_CLIENT_ID" in caught.value.hint
        assert caught.value.exit_code == 7


@pytest.mark.parametrize(("terminal", "asked"), [(False, 0), (True, 4)])
def test_a_keyring_that_may_prompt_needs_a_terminal(terminal: bool, asked: int) -> None:
    """Without a terminal a keyring that could pop up a window is not touched."""
    before = keyring.get_keyring()
    backend = PromptingKeyring()
    keyring.set_keyring(backend)
    try:
        with pytest.raises(CredentialsError):
            find("acton", file=None, environ={}, terminal=terminal)
    finally:
        keyring.set_keyring(before)
    assert backend.asked == asked


def test_status_tells_links_and_no_values(tmp_path, held) -> None:
    """Every link up to the answering one says what it holds."""
    links = status("acton", file=write(tmp_path / "c"), environ={})
    assert [(link.where.split()[0], link.answers) for link in links] == [
        ("environment", False), ("systemd", False), ("file", True),
    ]  # fmt: skip
    assert not any(value in str(links) for value in VALUES.values())


def test_status_ends_at_a_fault(tmp_path, held) -> None:
    """A link at fault is the last one told, because the chain stops there."""
    links = status("acton", file=write(tmp_path / "c", mode=0o644), environ={})
    assert "open to others" in links[-1].says
    assert not links[-1].answers


def test_the_keyring_is_not_loaded_before_it_is_needed(tmp_path) -> None:
    """A run whose file answers never imports the keyring, which probes for a session."""
    script = (
        "import sys; from pathlib import Path; from connector.credentials import find\n"
        f"find('acton', file=Path({str(write(tmp_path / 'c'))!r}), environ={{}})\n"
        "sys.exit('keyring' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
