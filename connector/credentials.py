"""Secrets, by one ordered chain: environment, systemd credentials, a 0600 file, keyring.

A name such as ``acton`` has four fields. Under cron nothing may block or pop up, so the keyring
comes last and is asked only where a session answers; systemd's documentation
(systemd.exec, ``LoadCredential=``) describes the second link.
"""

import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from connector.errors import CredentialsError

FIELDS: Final = ("client_id", "client_secret", "username", "password")
SERVICE: Final = "acton-connector"
ALTERNATIVES: Final = (
    "set ACTON_CONNECTOR_{0}_CLIENT_ID, _CLIENT_SECRET, _USERNAME and _PASSWORD,"
    " or write a credentials file with mode 0600 and name it in connector.toml,"
    " or run 'acton-connector auth set {1}' in a desktop session"
)
OTHERS_MAY_READ: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Credentials:
    """One account's secrets; printing them shows none."""

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    username: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Found:
    """Credentials and where they were found."""

    credentials: Credentials
    where: str


def find(name: str, *, file: Path | None, environ: Mapping[str, str]) -> Found:
    """Returns the first complete set along the chain; raises CredentialsError if there is none.

    A link that holds some fields but not all is an error: half a secret helps nobody.
    """
    for where, values in (
        ("environment", _from_environment(name, environ)),
        ("systemd credentials", _from_systemd(name, environ)),
        (f"file {file}" if file else "file", _from_file(name, file)),
    ):
        found = _complete(values, where, name)
        if found is not None:
            return found
    found = _complete(_from_keyring(name), "keyring", name)
    if found is None:
        raise CredentialsError(f"no credentials for {name!r} were found", hint=_hint(name))
    return found


def _hint(name: str) -> str:
    return ALTERNATIVES.format(name.upper(), name)


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
    prefix = f"ACTON_CONNECTOR_{name.upper()}_"
    return {key: environ.get(prefix + key.upper(), "") for key in FIELDS}


def _from_systemd(name: str, environ: Mapping[str, str]) -> dict[str, str]:
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        return {}
    values = {}
    for key in FIELDS:
        path = Path(folder) / f"{name}.{key}"
        if path.is_file():
            values[key] = path.read_text(encoding="utf-8").strip()
    return values


def _from_file(name: str, file: Path | None) -> dict[str, str]:
    if file is None:
        return {}
    try:
        mode = file.stat().st_mode
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise CredentialsError(f"the credentials file {file} cannot be read") from error
    if mode & OTHERS_MAY_READ:
        raise CredentialsError(
            f"the credentials file {file} can be read by others", hint=f"run: chmod 600 {file}"
        )
    try:
        table = tomllib.loads(text).get(name, {})
    except tomllib.TOMLDecodeError as error:
        raise CredentialsError(f"the credentials file {file} is not valid TOML") from error
    return {key: str(table.get(key, "")) for key in FIELDS} if isinstance(table, dict) else {}


def _from_keyring(name: str) -> dict[str, str]:
    # keyring probes for a desktop session when imported, so nobody pays for it who needs it not
    import keyring  # noqa: PLC0415  # see above
    from keyring.errors import KeyringError  # noqa: PLC0415  # see above

    try:
        return {key: keyring.get_password(SERVICE, f"{name}.{key}") or "" for key in FIELDS}
    except (KeyringError, RuntimeError) as error:
        raise CredentialsError(
            f"no credentials for {name!r} were found and no keyring answers here",
            hint=_hint(name),
        ) from error


def keep(name: str, credentials: Credentials) -> str:
    """Keeps credentials in the keyring; returns the name of the keyring that took them."""
    import keyring  # noqa: PLC0415  # see _from_keyring
    from keyring.errors import KeyringError  # noqa: PLC0415  # see _from_keyring

    try:
        for key in FIELDS:
            keyring.set_password(SERVICE, f"{name}.{key}", getattr(credentials, key))
        return str(keyring.get_keyring().name)
    except (KeyringError, RuntimeError) as error:
        raise CredentialsError("no keyring answers here", hint=_hint(name)) from error


def remove(name: str) -> int:
    """Removes credentials from the keyring; returns how many fields there were."""
    import keyring  # noqa: PLC0415  # see _from_keyring
    from keyring.errors import KeyringError, PasswordDeleteError  # noqa: PLC0415

    removed = 0
    try:
        for key in FIELDS:
            if keyring.get_password(SERVICE, f"{name}.{key}") is not None:
                keyring.delete_password(SERVICE, f"{name}.{key}")
                removed += 1
    except PasswordDeleteError as error:
        raise CredentialsError(f"the keyring did not remove {name!r}") from error
    except (KeyringError, RuntimeError) as error:
        raise CredentialsError("no keyring answers here", hint=_hint(name)) from error
    return removed
