"""Secrets, by one ordered chain: environment, systemd credentials, a 0600 file, keyring.

A name such as ``acton`` has four fields. Under cron nothing may block or pop up, so the keyring
comes last, and without a terminal only one that is open already is asked. systemd's documentation
(systemd.exec, ``LoadCredential=``) describes the second link.
"""

import os
import stat
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from connector.errors import CredentialsError

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

FIELDS: Final = ("client_id", "client_secret", "username", "password")
SERVICE: Final = "acton-connector"
SYSTEMD_FILE: Final = "credentials.toml"
ALTERNATIVES: Final = (
    "set ACTON_CONNECTOR_{0}_CLIENT_ID, _CLIENT_SECRET, _USERNAME and _PASSWORD,"
    " or write a credentials file with mode 0600 and name it in connector.toml,"
    " or run 'acton-connector auth set {1}' in a desktop session"
)
OTHERS_MAY: Final = stat.S_IRWXG | stat.S_IRWXO
PROMPTING: Final = ("keyring.backends.kwallet", "keyring.backends.libsecret", "keyrings.alt.file")
"""Keyrings that may ask a person to unlock them, and do not tell beforehand whether they will."""
DESKTOP_KEYRING: Final = "keyring.backends.SecretService"


@dataclass(frozen=True, slots=True)
class Credentials:
    """One account's secrets; printing them shows none."""

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    username: str = field(repr=False)
    password: str = field(repr=False)


class Found(NamedTuple):
    """Credentials and where they were found."""

    credentials: Credentials
    where: str


class Link(NamedTuple):
    """One link of the chain: its name, and what it holds, never a value."""

    where: str
    says: str
    answers: bool = False


def find(
    name: str, *, file: Path | None, environ: Mapping[str, str], terminal: bool | None = None
) -> Found:
    """Returns the first complete set along the chain; raises CredentialsError if there is none.

    A link that holds some fields but not all is an error: half a secret helps nobody. The keyring
    is not touched where an earlier link answers. ``terminal`` says whether a person could answer
    a prompt; by default, whether standard input is a terminal.
    """
    for where, read in _links(name, file, environ, terminal):
        found = _complete(read(), where, name)
        if found is not None:
            return found
    raise CredentialsError(f"no credentials for {name!r} were found", hint=_hint(name))


def status(
    name: str, *, file: Path | None, environ: Mapping[str, str], terminal: bool | None = None
) -> tuple[Link, ...]:
    """Returns what each link holds, in order, up to the one that answers or is at fault."""
    links: list[Link] = []
    for where, read in _links(name, file, environ, terminal):
        try:
            found = _complete(read(), where, name)
        except CredentialsError as error:
            return (*links, Link(where, error.message))
        if found is not None:
            return (*links, Link(where, "holds all fields", answers=True))
        links.append(Link(where, "holds nothing"))
    return tuple(links)


def _links(
    name: str, file: Path | None, environ: Mapping[str, str], terminal: bool | None
) -> tuple[tuple[str, Callable[[], Mapping[str, str]]], ...]:
    return (
        ("environment", lambda: _from_environment(name, environ)),
        ("systemd credentials", lambda: _from_systemd(name, environ)),
        (f"file {file}" if file else "file", lambda: _from_file(name, file)),
        ("keyring", lambda: _from_keyring(name, terminal=terminal)),
    )


def _hint(name: str) -> str:
    return ALTERNATIVES.format(_upper(name), name)


def _upper(name: str) -> str:
    return name.upper().replace("-", "_")


def _complete(values: Mapping[str, str], where: str, name: str) -> Found | None:
    present = {key: value for key, value in values.items() if value}
    if not present:
        return None
    missing = [key for key in FIELDS if key not in present]
    if missing:
        raise CredentialsError(
            f"the {where} has no {' and no '.join(missing)} for {name!r}", hint=_hint(name)
        )
    return Found(Credentials(**{key: present[key] for key in FIELDS}), where)


def _from_environment(name: str, environ: Mapping[str, str]) -> dict[str, str]:
    prefix = f"ACTON_CONNECTOR_{_upper(name)}_"
    return {key: environ.get(prefix + key.upper(), "") for key in FIELDS}


def _from_systemd(name: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Reads ``<name>.<field>`` files, or one ``credentials.toml`` with a table for each name.

    The folder belongs to the service alone, so modes are systemd's affair.
    """
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        return {}
    paths = {key: Path(folder) / f"{name}.{key}" for key in FIELDS}
    with _reading("the systemd credentials"):
        values = {
            key: path.read_text(encoding="utf-8").strip()
            for key, path in paths.items()
            if path.is_file()
        }
        table = Path(folder) / SYSTEMD_FILE
        if not values and table.is_file():
            values = _table_in(table.read_text(encoding="utf-8"), name, str(table))
    return values


def _from_file(name: str, file: Path | None) -> dict[str, str]:
    if file is None or not file.exists():
        return {}
    with _reading(f"the credentials file {file}"), file.open("rb") as opened:
        # of the opened file, so that nobody can swap it between the look and the reading
        found = os.fstat(opened.fileno())
        if stat.S_IMODE(found.st_mode) & OTHERS_MAY:
            raise CredentialsError(
                f"the credentials file {file} is open to others", hint=f"run: chmod 600 {file}"
            )
        if found.st_uid != os.geteuid():
            raise CredentialsError(
                f"the credentials file {file} belongs to somebody else",
                hint=f"run the connector as its owner, or: chown {os.geteuid()} {file}",
            )
        text = opened.read().decode("utf-8")
    return _table_in(text, name, str(file))


def _table_in(text: str, name: str, where: str) -> dict[str, str]:
    try:
        table = tomllib.loads(text).get(name, {})
    except tomllib.TOMLDecodeError:
        # the parser's message may quote the line, and a line may be a secret
        raise CredentialsError(f"{where} is not valid TOML") from None
    if not isinstance(table, dict):
        raise CredentialsError(f"{where} has no table [{name}]")
    return {key: str(table.get(key, "")) for key in FIELDS}


@contextmanager
def _reading(what: str) -> Iterator[None]:
    try:
        yield
    except (OSError, UnicodeDecodeError) as error:
        raise CredentialsError(f"{what} cannot be read ({type(error).__name__})") from None


def _from_keyring(name: str, *, terminal: bool | None) -> dict[str, str]:
    with _asking(name):
        backend = _backend(name, terminal=terminal)
        return {key: backend.get_password(SERVICE, f"{name}.{key}") or "" for key in FIELDS}


def _backend(name: str, *, terminal: bool | None) -> "KeyringBackend":
    """Returns the keyring, unless it could prompt where nobody would see it."""
    # keyring probes for a desktop session when imported, so nobody pays for it who needs it not
    import keyring  # noqa: PLC0415  # see above

    backend = keyring.get_keyring()
    if terminal is None:
        terminal = sys.stdin is not None and sys.stdin.isatty()
    if not terminal and any(_may_prompt(b) for b in getattr(backend, "backends", [backend])):
        raise CredentialsError(
            "the keyring is locked, and without a terminal nobody can unlock it", hint=_hint(name)
        )
    return backend


def _may_prompt(backend: "KeyringBackend") -> bool:
    module = type(backend).__module__
    if module != DESKTOP_KEYRING:
        return module.startswith(PROMPTING)
    # comes with keyring where its Secret Service backend works
    import secretstorage  # noqa: PLC0415  # see above

    try:
        connection = secretstorage.dbus_init()
        return bool(secretstorage.get_collection_by_alias(connection, "default").is_locked())
    except secretstorage.exceptions.SecretStorageException:
        return True


@contextmanager
def _asking(name: str) -> Iterator[None]:
    from keyring.errors import KeyringError  # noqa: PLC0415  # see _backend

    try:
        yield
    except (KeyringError, RuntimeError, ImportError, ValueError) as error:
        raise CredentialsError(
            f"no keyring answers here for {name!r} ({type(error).__name__})", hint=_hint(name)
        ) from None


def keep(name: str, credentials: Credentials) -> str:
    """Keeps credentials in the keyring and reads them back; returns the keyring's name."""
    with _asking(name):
        backend = _backend(name, terminal=None)
        for key in FIELDS:
            backend.set_password(SERVICE, f"{name}.{key}", getattr(credentials, key))
        kept = [backend.get_password(SERVICE, f"{name}.{key}") for key in FIELDS]
    if kept != [getattr(credentials, key) for key in FIELDS]:
        raise CredentialsError("the keyring did not keep the credentials", hint=_hint(name))
    return str(backend.name)


def remove(name: str) -> int:
    """Removes credentials from the keyring; returns how many fields there were."""
    with _asking(name):
        backend = _backend(name, terminal=None)
        present = [
            key for key in FIELDS if backend.get_password(SERVICE, f"{name}.{key}") is not None
        ]
        for key in present:
            backend.delete_password(SERVICE, f"{name}.{key}")
    return len(present)
