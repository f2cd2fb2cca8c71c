"""``policy``: try, show, sign and compare policies."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from connector.policy_file import PolicyFile

FAILED = 1


def today() -> date:
    """Returns the day on which a policy is read."""
    return datetime.now(UTC).date()


@click.group()
def policy() -> None:
    """Try, show, sign and compare policies."""


def _path(context: click.Context, given: str | None) -> Path:
    from connector.config import find_config, load_config  # noqa: PLC0415  # commands start fast

    return Path(given) if given else load_config(find_config(context.obj)).policy_path


@policy.command("test")
@click.argument("cases", type=click.Path())
@click.option("--policies", type=click.Path(), help="Folder with one policy file per name.")
@click.option("--policy", "file", type=click.Path(), help="One policy file for every case.")
@click.option("--json", "as_json", is_flag=True, help="One object per case.")
@click.pass_context
def test(
    context: click.Context, cases: str, policies: str | None, file: str | None, *, as_json: bool
) -> int:
    """Judge the cases of a CSV file; exit 0 if all agree, 1 if not, 2 if one cannot be read."""
    from connector.output import tell, tell_json  # noqa: PLC0415  # commands start fast
    from connector.policy_file import load_policy  # noqa: PLC0415  # see above
    from connector.policy_trial import judge_case, read_cases  # noqa: PLC0415  # see above

    loaded: dict[str, PolicyFile] = {}
    verdicts = []
    for case in read_cases(Path(cases)):
        name = case.policy if policies else ""
        if name not in loaded:
            path = Path(policies) / f"{name}.toml" if policies else _path(context, file)
            loaded[name] = load_policy(path, today=today())
        verdicts.append(judge_case(case, loaded[name].policy))
    failed = [verdict for verdict in verdicts if verdict.ok is False]
    if as_json:
        for verdict in verdicts:
            tell_json(verdict.as_json())
    else:
        for verdict in failed:
            tell(f"{verdict.case.id}: {'; '.join(verdict.differs)}")
        compared = sum(verdict.ok is not None for verdict in verdicts)
        tell(f"{len(verdicts)} cases, {compared} compared, {len(failed)} differ")
    return FAILED if failed else 0


@policy.command()
@click.option("--policy", "file", type=click.Path(), help="The policy file.")
@click.pass_context
def show(context: click.Context, file: str | None) -> None:
    """Print the policy as a page for signature, with its hash."""
    from connector.output import tell  # noqa: PLC0415  # commands start fast
    from connector.policy_file import load_policy  # noqa: PLC0415  # see above
    from connector.policy_sign import page  # noqa: PLC0415  # see above

    tell(page(load_policy(_path(context, file), today=today())))


@policy.command()
@click.option("--policy", "file", type=click.Path(), help="The policy file.")
@click.option("--name", prompt="Who signs", help="The person who signs.")
@click.pass_context
def sign(context: click.Context, file: str | None, name: str) -> None:
    """Sign the policy as it stands; --apply refuses an unsigned or altered one."""
    from connector.output import tell  # noqa: PLC0415  # commands start fast
    from connector.policy_sign import sign as write_signature  # noqa: PLC0415  # see above

    path = _path(context, file)
    signed = write_signature(path, name, today())
    tell(f"{path.name}: signed by {name}, {signed.policy.hash}")


@policy.command()
@click.argument("other", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="One object per changed person.")
@click.pass_context
def diff(context: click.Context, other: str, *, as_json: bool) -> int:
    """Read the account afresh and show whose decision OTHER would change, and why."""
    from connector.output import table, tell, tell_json  # noqa: PLC0415  # commands start fast
    from connector.policy_compare import compare  # noqa: PLC0415  # see above

    changes = compare(context.obj, Path(other))
    if as_json:
        for change in changes:
            tell_json(change.as_json())
        return 0
    rows = [(c.person[:8], c.now, c.then, c.why) for c in changes]
    if rows:
        table(f"Decisions that {other} would change", ("person", "now", "then", "why"), rows)
    tell(f"{len(rows)} decisions would change")
    return 0
