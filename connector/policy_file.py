"""The policy file: TOML that a data-protection officer reads and signs, into ``Policy``.

Source: rules 1.5, 2.4, 2.5, 2.7. ``extends`` names built-in policies or other files; tables are
merged, registers appended. The hash is taken over the merged content without the signature, so a
comment may change and a rule may not.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from connector.consent.countries import country_code
from connector.consent.policy import (
    DEFAULT_ROLES,
    Capture,
    Declaration,
    Policy,
    Relaxable,
    ScorePolicy,
)
from connector.consent.profiles import profile_of
from connector.consent.values import normal
from connector.errors import PolicyError, UsageError
from connector.policy_schema import BUILT_IN, PolicyTables, instant
from connector.toml_file import checked, read_toml

LONGEST_RELAXATION: Final = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed which content, and when."""

    name: str
    date: date
    hash: str


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """A policy that was read: the rules, the tables they come from, and the signature."""

    policy: Policy
    tables: PolicyTables
    signature: Signature | None

    @property
    def signed(self) -> bool:
        """True if the signature is over exactly this content."""
        return self.signature is not None and self.signature.hash == self.policy.hash

    def require_signature(self) -> None:
        """Raises PolicyError unless the policy is signed as it stands; ``observe`` needs none."""
        if self.policy.observe or self.signed:
            return
        found = "is not signed" if self.signature is None else "was altered after it was signed"
        raise PolicyError(
            f"the policy {self.policy.name!r} {found}",
            hint="read it with 'acton-connector policy show', then 'acton-connector policy sign'",
        )


def load_policy(path: Path, *, today: date) -> PolicyFile:
    """Reads a policy file; raises PolicyError with every fault at once.

    ``today`` bounds relaxations of an unsigned policy; a signed one is bounded by its signature.
    """
    text, _ = read_toml(path, what="the policy")
    try:
        merged = merged_tables(path)
        tables = checked(PolicyTables, merged, text=text, name=path.name)
    except UsageError as error:
        raise PolicyError(error.message, hint=error.hint, problems=error.problems) from error
    signed_on = tables.signature.date if tables.signature else today
    problems = tuple(f"{path.name}: {fault}" for fault in _faults(tables, signed_on))
    if problems:
        raise PolicyError(f"{path.name}: {len(problems)} fault(s)", problems=problems)
    digest = policy_hash(merged)
    signed = tables.signature
    signature = None if signed is None else Signature(signed.name, signed.date, signed.hash)
    return PolicyFile(_policy(tables, digest), tables, signature)


def policy_hash(merged: Mapping[str, Any]) -> str:
    """Returns ``sha256:`` and the digest of the content, without the signature."""
    content = {key: value for key, value in merged.items() if key not in {"signature", "extends"}}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=_text_of_date)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _text_of_date(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def merged_tables(path: Path, above: tuple[Path, ...] = ()) -> dict[str, Any]:
    """Returns the tables of a policy file with everything it extends."""
    if path.resolve() in above:
        raise PolicyError(f"the policy {path.name} extends itself")
    _, own = read_toml(path, what="the policy")
    merged: dict[str, Any] = {}
    extended = own.get("extends", "strict")
    for name in [extended] if isinstance(extended, str) else extended:
        if name in BUILT_IN:
            base = dict(BUILT_IN[name])
        else:
            base = merged_tables(path.parent / str(name), (*above, path.resolve()))
        merged = _merge(merged, base)
    return _merge(merged, own)


def _merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            result[key] = _merge(old, value)
        elif _is_register(old) and _is_register(value):
            result[key] = [*old, *value]  # type: ignore[misc]  # both are lists here
        else:
            result[key] = value
    return result


def _is_register(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(entry, dict) for entry in value)


def _faults(tables: PolicyTables, signed_on: date) -> Iterator[str]:
    """Yields what is wrong across tables: overlaps, unknown names, unbounded relaxations."""
    notices = {normal(notice.version) for notice in tables.notice}
    relaxes_notice = any(Relaxable.NOTICE in relax.what for relax in tables.relax)
    if not notices and not relaxes_notice and tables.kind != "observe":
        yield "notice: register at least one [[notice]], or relax 'notice_version'"
    if len(notices) < len(tables.notice):
        yield "notice: a version is registered twice"
    for number, capture in enumerate(tables.capture, 1):
        if normal(capture.notice) not in notices:
            yield f"capture[{number}].notice: {capture.notice!r} is not a registered notice"
    yield from _overlaps(tables)
    if tables.score.watch is not None and tables.score.watch > tables.score.threshold:
        yield "score.watch: must not be above score.threshold"
    if tables.relax and tables.kind != "starter":
        yield "relax: only a policy that extends 'starter' may relax anything"
    bound = signed_on + LONGEST_RELAXATION
    for number, relax in enumerate(tables.relax, 1):
        if instant(relax.until).date() > bound:
            yield f"relax[{number}].until: at most 180 days ahead, that is {bound.isoformat()}"
    if tables.kind == "statutory" and not tables.lia:
        yield "lia: a statutory policy needs a [[lia]] with profile and reference"
    if tables.lia and tables.kind != "statutory":
        yield "lia: only a policy that extends 'statutory' uses legitimate interest"


def _overlaps(tables: PolicyTables) -> Iterator[str]:
    by_form: dict[str, list[Any]] = {}
    for capture in tables.capture:
        by_form.setdefault(normal(capture.form), []).append(capture)
    for form, captures in by_form.items():
        ordered = sorted(captures, key=lambda capture: instant(capture.since))
        for earlier, later in pairwise(ordered):
            if earlier.until is None or instant(earlier.until) > instant(later.since):
                yield f"capture: two periods of form {form!r} overlap"
    forms = [normal(form.form) for form in tables.request_form]
    if len(set(forms)) < len(forms):
        yield "request_form: a form is registered twice"


def _policy(tables: PolicyTables, digest: str) -> Policy:
    controller, score = tables.controller, tables.score
    captures: dict[str, tuple[Capture, ...]] = {}
    for entry in tables.capture:
        form = normal(entry.form)
        captures[form] = (*captures.get(form, ()), entry.value())
    watch = score.watch if score.watch is not None else score.threshold * 0.6
    return Policy(
        name=tables.name,
        version=tables.version or f"{tables.name}-{digest[7:15]}",
        hash=digest,
        notices={normal(notice.version): notice.value() for notice in tables.notice},
        controllers=frozenset(
            normal(name) for name in (controller.name, *controller.names) if name
        ),
        established_in=tuple(
            profile_of(country_code(normal(country)) or "") for country in controller.established_in
        ),
        home_profile=tables.home_profile,
        observe=tables.kind == "observe",
        statutory=tables.kind == "statutory",
        assessed=frozenset(entry.profile for entry in tables.lia),
        uses_tracking=score.uses_tracking,
        opt_in_mode_since=tables.tracking.since(),
        valid_months=tables.consent.valid_months,
        internal_domains=frozenset(normal(domain) for domain in controller.internal_domains),
        roles=DEFAULT_ROLES | {normal(role) for role in tables.role_addresses},
        captures=captures,
        request_forms={normal(form.form): form.value() for form in tables.request_form},
        categories={normal(name): reach for name, reach in tables.categories.items()},
        lists={normal(entry.id): entry.value() for entry in tables.declared},
        relaxations=tuple(r for relax in tables.relax for r in relax.values()),
        score=ScorePolicy(score.threshold, watch, score.slack, score.limits_of_sheets()),
        asking=tables.asking.value(),
        optout_codes=frozenset(tables.optout.codes),
        optout_cap=tables.optout.cap,
        all_unpermitted=tables.native_flags == "all_unpermitted",
    )


def with_lists(policy: Policy, declared: Mapping[str, Declaration]) -> Policy:
    """Returns the policy with what the column map declares of its lists; the policy's own
    declaration of a list wins."""
    return replace(policy, lists={**declared, **policy.lists})
