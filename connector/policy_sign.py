"""Signing a policy, and showing it as a page that a person can sign.

The signature is a table at the end of the file; it names a person, a day, and the hash of the
content above it and of everything that content extends.
"""

import os
import re
from datetime import date
from pathlib import Path
from typing import Final

from connector.errors import PolicyError
from connector.policy_file import PolicyFile, load_policy, merged_tables, policy_hash
from connector.policy_schema import PolicyTables

_SIGNATURE: Final = re.compile(r"^\[signature\][^\[]*", re.MULTILINE)


def sign(path: Path, name: str, today: date) -> PolicyFile:
    """Writes the signature of ``name`` into the file; raises PolicyError if it has faults."""
    load_policy(path, today=today)
    digest = policy_hash(merged_tables(path))
    text = _SIGNATURE.sub("", path.read_text(encoding="utf-8")).rstrip()
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    signed = (
        f"{text}\n\n[signature]                            # over everything above\n"
        f'name = "{quoted}"\ndate = {today.isoformat()}\nhash = "{digest}"\n'
    )
    beside = path.with_name(path.name + ".new")
    try:
        beside.write_text(signed, encoding="utf-8")
        os.replace(beside, path)  # noqa: PTH105  # one step: a reader sees the old or the new file
    except OSError as error:
        raise PolicyError(f"the policy {path.name} cannot be written: {error}") from error
    return load_policy(path, today=today)


def write_signed(folder: Path, files: dict[str, str], today: date) -> None:
    """Writes the files of a sandbox into a private folder (0600) and signs its policy."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, text in files.items():
        path = folder / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
    sign(folder / "policy.toml", "A. Officer (sandbox)", today)


def page(file: PolicyFile) -> str:
    """Returns the policy as a page of text for the person who signs it."""
    policy, tables = file.policy, file.tables
    lines = [
        f"CONSENT POLICY {policy.name}, version {policy.version}",
        f"Content: {policy.hash}",
        _signature_line(file),
        "",
        f"Kind: {tables.kind}. {KINDS[tables.kind]}",
        f"Controller: {tables.controller.name or 'not named'}, established in "
        f"{', '.join(tables.controller.established_in) or 'no country named'}; "
        f"a blank country is judged as {policy.home_profile or 'STRICT'}.",
        f"A score of {policy.score.threshold:g} qualifies; from {policy.score.watch:g} a contact "
        f"is watched and may be asked. The score {_uses(tables)} tracking.",
        f"A consent counts for {policy.valid_months} months where the law of contact or controller "
        "lets consent end.",
        f"A held person is asked at most {policy.asking.invitations} times, "
        f"{policy.asking.wait.days} days apart, {policy.asking.daily_cap} people a day.",
        "Opt-outs written for an act of the person: "
        f"{', '.join(sorted(policy.optout_codes)) or 'none'}; native CRM flags: "
        f"{tables.native_flags}.",
        *_registers(tables),
    ]
    return "\n".join(lines) + "\n"


KINDS: Final = {
    "observe": "Judges as strict and writes nothing anywhere.",
    "starter": "As strict, with the relaxations named below until they end.",
    "strict": "Consent or request only, nothing relaxed.",
    "statutory": "As strict, with the statutory bases of the profiles assessed below.",
}


def _uses(tables: PolicyTables) -> str:
    return "uses" if tables.score.uses_tracking else "does not use"


def _signature_line(file: PolicyFile) -> str:
    if file.signature is None:
        return "Not signed."
    state = "valid" if file.signed else "NOT VALID: the content was altered after it was signed"
    return f"Signed by {file.signature.name} on {file.signature.date.isoformat()} ({state})."


def _registers(tables: PolicyTables) -> list[str]:
    lines = ["", "Privacy notices"]
    lines += [
        f"  {n.version} from {n.effective_from}: scoring {_said(n.discloses_scoring)}, hand-over "
        f"{_said(n.discloses_handover)}, legitimate interest "
        f"{_said(n.names_legitimate_interest)}, right to object {_said(n.states_right_to_object)}"
        for n in tables.notice
    ]
    lines += ["", "What forms showed"]
    lines += [
        f"  {c.form} from {c.since} to {c.until or 'now'}: {', '.join(c.covers)} by "
        f"{', '.join(c.channels)}; {c.method} under {c.notice}"
        for c in tables.capture
    ]
    lines += ["", "Forms by which people ask to be contacted"]
    lines += [
        f"  {r.form}: {r.asks_for} by {', '.join(r.channels)}, answered within {r.window_days} days"
        for r in tables.request_form
    ]
    lines += ["", "Subscription categories"]
    lines += [f"  {name}: {reach}" for name, reach in tables.categories.items()]
    lines += ["", "Relaxations"]
    lines += [
        f"  {', '.join(r.what)} until {r.until}: {r.reason} ({r.name})" for r in tables.relax
    ] or ["  none"]
    lines += ["", "Legitimate-interest assessments"]
    lines += [f"  {entry.profile}: {entry.reference}" for entry in tables.lia] or ["  none"]
    return lines


def _said(disclosed: bool) -> str:
    return "stated" if disclosed else "not stated"
