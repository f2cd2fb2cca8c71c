"""The documents cannot lie: commands exist, examples load, the two command lines are one line."""

import re
import shlex
from datetime import date
from pathlib import Path

import click
import pytest

from connector.cli import cli
from connector.config import load_config
from connector.consent.reasons import REASONS
from connector.errors import ConnectorError
from connector.policy_file import load_policy

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
MENTIONED = re.findall(r"acton-connector ([a-z][^`|#\n>;]*)", README)


def check(line: str) -> None:
    """Walks a command line through the real commands; raises if a word is none of theirs."""
    words = shlex.split(line.replace("'", ""))
    command: click.Command = cli
    while isinstance(command, click.Group) and words:
        command = command.commands[words.pop(0)]
    options = {name for option in command.params for name in option.opts}
    unknown = [word for word in words if word.startswith("--") and word not in options]
    assert unknown == [], line


@pytest.mark.parametrize("line", sorted(set(MENTIONED)))
def test_every_command_in_the_readme_exists(line: str) -> None:
    """No document names a command or option that the program does not have."""
    check(line)


def test_every_command_of_the_cron_example_exists() -> None:
    """What people paste into their crontab runs."""
    text = (ROOT / "cron.example").read_text()
    jobs = [line for line in text.splitlines() if line and line[0] in "*0123456789"]
    found = re.findall(r"acton-connector ([a-z][^>;]*)", "\n".join(jobs))
    assert len(jobs) == 3
    for line in found:
        check(line)


@pytest.mark.parametrize("heading", ["Try it", "Run the tests"])
def test_one_heading_has_one_command_line(heading: str) -> None:
    """The two lines that everybody types stand alone in one block each."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    blocks = re.findall(r"```[a-z]*\n(.*?)```", section, re.DOTALL)
    assert len(blocks) == 1
    assert len(blocks[0].strip().splitlines()) == 1


def test_the_examples_load() -> None:
    """The commented example files are valid as they stand, but for the missing signature."""
    config = load_config(ROOT / "docs" / "connector.example.toml")
    assert config.tables.source
    file = load_policy(ROOT / "docs" / "policy.example.toml", today=date(2026, 11, 24))
    assert not file.signed


def test_every_exit_code_is_documented() -> None:
    """Each error's exit code has a line in the README's table."""

    def all_errors(kind: type[ConnectorError]) -> set[int]:
        below = (all_errors(sub) for sub in kind.__subclasses__())
        return {kind.exit_code}.union(*below)

    for code in all_errors(ConnectorError):
        assert re.search(rf"^\| {code} \|", README, re.MULTILINE), code


def test_every_reason_has_its_line_in_the_register() -> None:
    """docs/reasons.md lists every code with its rule number, citation and sentence."""
    text = (ROOT / "docs" / "reasons.md").read_text()
    for code, reason in REASONS.items():
        assert f"| {reason.number} | `{code}` |" in text
        assert reason.law in text
