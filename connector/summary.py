"""The summary of a run, for people."""

from connector.output import table, tell
from connector.report import Report


def tell_report(report: Report) -> None:
    """Prints funnel, actions, what is lacking, and the withdrawal clock."""
    what = "carried out" if report.applied else "plan only: nothing was written"
    tell(f"Run {report.run} ({what})")
    rows = [(name, number) for name, number in report.outcomes.items()]
    table(
        "Contacts seen by outcome",
        ("outcome", "contacts"),
        [*rows, ("in all", report.contacts_seen)],
    )
    actions = [(kind, number) for kind, number in report.actions.items() if number]
    if actions:
        table("Actions", ("action", "number"), actions)
    else:
        tell("Nothing to do.")
    if report.lacking:
        gaps = [(piece, n, report.freed_by.get(piece, 0)) for piece, n in report.lacking.items()]
        headings = ("what held people lack", "people", "freed by it alone")
        table("Evidence that is missing", headings, gaps[:8])
    clock = report.clock()
    if clock:
        tell(
            "Withdrawal clock (act to confirmed recall): "
            f"median {clock['p50']:g} s, 95 % {clock['p95']:g} s, longest {clock['max']:g} s"
        )
    for fault in report.faults:
        tell(f"refused, will be tried again: {fault}")
    if report.cancelled:
        tell(f"{report.cancelled} writes were cancelled: the person acted meanwhile")
    if report.unreadable:
        tell(f"{report.unreadable} suppression entries have no readable address")
    tell(f"Calls to Act-On: {report.calls} (at least {report.lower_bound}). Plan: {report.plan}")
