"""``sandbox`` and ``demo``: the connector without an Act-On account."""

import json
import signal
import threading
from pathlib import Path

import click


@click.command()
@click.option("--port", default=0, help="0 takes any free port.")
@click.option("--contacts", default=1000, type=click.IntRange(1, 1_000_000))
@click.option("--seed", default=1)
@click.option("--per-second", default=5, type=click.IntRange(1), help="As Act-On: 5.")
@click.option("--write-config", type=click.Path(), help="Write fitting files into this folder.")
@click.option("--kind", type=click.Choice(["marketing_list", "contacts"]), default="marketing_list")
def sandbox(  # noqa: PLR0917  # click passes options by name
    port: int, contacts: int, seed: int, per_second: int, write_config: str | None, kind: str
) -> None:
    """Serve an Act-On account that is not there, on this machine only, until interrupted."""
    from connector.cli.policies import today  # noqa: PLC0415  # commands start fast
    from connector.policy_sign import write_signed  # noqa: PLC0415  # see above

    try:
        from connector.sandbox import config_files, serve  # noqa: PLC0415  # an extra
    except ModuleNotFoundError as error:
        raise click.UsageError("the sandbox needs the extra [sandbox]") from error

    with serve(port=port, contacts=contacts, seed=seed, limits=(per_second, 30_000, 5)) as server:
        if write_config:
            write_signed(Path(write_config), config_files(server.url, kind), today())
        click.echo(json.dumps({"url": server.url, "config": write_config}))
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        stop.wait()


@click.command()
@click.option("--contacts", default=3000, type=click.IntRange(100, 100_000))
@click.option("--folder", type=click.Path(), help="Where the files go (a new temporary folder).")
def demo(contacts: int, folder: str | None) -> None:
    """Watch three runs: a first sync, people who answer and ask, and one who withdraws."""
    from connector.demo import show  # noqa: PLC0415  # commands start fast

    show(contacts, Path(folder) if folder else None)
