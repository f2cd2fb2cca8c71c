"""``explain``, ``status``, ``audit`` and ``export``: what was decided, and the proof of it."""

import sys
from pathlib import Path

import click

WAITING = 1


@click.command()
@click.argument("email")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
def explain(context: click.Context, email: str, *, as_json: bool) -> None:
    """Say why EMAIL was pushed, held or suppressed, now and before ('-' reads standard input)."""
    from connector.explain import explain as explained  # noqa: PLC0415  # commands start fast
    from connector.output import tell, tell_json  # noqa: PLC0415  # see above
    from connector.wiring import state_only  # noqa: PLC0415  # see above

    address = sys.stdin.readline().strip() if email == "-" else email
    with state_only(context.obj) as (store, names, config):
        found = explained(address, store, names, config.headings())
    if as_json:
        documents = [decision.document for decision in found]
        tell_json({"person": {"known": bool(found)}, "decisions": documents})
        return
    if not found:
        tell("Nothing is kept about this address: it never reached the watch level.")
    for decision in found:
        _tell_decision(decision.document)


def _tell_decision(document: dict) -> None:  # type: ignore[type-arg]  # a JSON document
    from connector.output import table, tell  # noqa: PLC0415  # commands start fast

    tell(f"{document['outcome']} {document['code']} at {document['at']} (run {document['run']})")
    for sentence in document["says"]:
        tell(f"  {sentence}")
    tell(f"  Next: {document['next']['what']}")
    for lifted in document["lifted_by"]:
        tell(f"  Changed by: {lifted}")
    tell(f"  Law: {'; '.join(document['law'])}")
    tell(f"  Policy {document['policy']['version']}, {document['policy']['hash']}")
    rows = [(i["column"], i["value"], i["source"], i["read_at"][:16]) for i in document["inputs"]]
    table("Seen", ("column", "value", "source", "read at"), rows)


@click.command()
@click.option("--held", is_flag=True, help="List who waits for permission, and for what.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
def status(context: click.Context, *, held: bool, as_json: bool) -> int:
    """Say how it stands; exit 1 if something needs a person."""
    from connector.output import day_and_time, table, tell, tell_json  # noqa: PLC0415  # see above
    from connector.status import status as standing  # noqa: PLC0415  # commands start fast
    from connector.wiring import state_only  # noqa: PLC0415  # see above

    with state_only(context.obj) as (store, _, _config):
        now = standing(store)
    needs = bool(now.unfinished) or (now.last is not None and now.last.exit != 0)
    if as_json:
        waiting = [
            {"person": h.person, "code": h.code, "since": day_and_time(h.since)} for h in now.held
        ]
        tell_json(
            {"tracked": now.tracked, "pushed": now.pushed, "held": waiting,
             "unfinished": now.unfinished, "last_run": now.last.id if now.last else None}
        )  # fmt: skip
        return int(needs)
    last = f"{now.last.id} (exit {now.last.exit})" if now.last else "none"
    tell(f"Last run: {last}. Pushed: {now.pushed}. Held: {len(now.held)}. Kept: {now.tracked}.")
    for state, number in now.unfinished.items():
        tell(f"{number} writes are {state}: the next run goes on with them")
    if held:
        rows = [(h.person[:8], h.code, day_and_time(h.since), h.reperm_state) for h in now.held]
        table("Qualified and held", ("person", "code", "since", "asked"), rows)
    return int(needs)


@click.group()
def audit() -> None:
    """Check the decision log."""


@audit.command()
@click.option("--head", default="", help="A head that was kept elsewhere.")
@click.pass_context
def verify(context: click.Context, head: str) -> None:
    """Verify the chain from its first line, and print its head for safe keeping elsewhere."""
    from connector.audit import verify as check  # noqa: PLC0415  # commands start fast
    from connector.wiring import state_only  # noqa: PLC0415  # see above

    with state_only(context.obj) as (store, _, _config):
        found = check(store.log_entries(), store.log_records().of, head)
    click.echo(f"{found.count} lines hold, {found.records} with their record. Head: {found.head}")


@click.command()
@click.option("--leads", type=click.Path(), help="Write the leads of the local CRM as CSV.")
@click.option("--consent-records", type=click.Path(), help="Write one JSON-LD record per push.")
@click.pass_context
def export(context: click.Context, leads: str | None, consent_records: str | None) -> None:
    """Export leads (safe to open in a spreadsheet) or consent records (JSON-LD, ISO 27560)."""
    from connector.exports import write_leads, write_records  # noqa: PLC0415  # commands start fast

    if not (leads or consent_records):
        raise click.UsageError("name what to export: --leads FILE or --consent-records FILE")
    if leads:
        click.echo(f"{write_leads(context.obj, Path(leads))} leads written to {leads}")
    if consent_records:
        count = write_records(context.obj, Path(consent_records))
        click.echo(f"{count} consent records written to {consent_records}")
