"""`synctasks install` and `synctasks uninstall`."""

from __future__ import annotations

import click

from synctasks.capture import installer
from synctasks.cli.output import confirm, console, notices
from synctasks.flow import Database
from synctasks.flows import FLOWS

_INSTALL_EXAMPLES = """\b
Examples:
  synctasks install                        add what the sync needs to both databases
  synctasks install --with-schemas         create their tables too, where missing
  synctasks install --print-sql            print the SQL instead, for psql
  synctasks install --print-sql --database warehouse | psql "$SYNCTASKS_WAREHOUSE_URL"

It may run again at any time: what is there is left alone or brought up to date.
"""


@click.command(epilog=_INSTALL_EXAMPLES)
@click.option("--with-schemas", is_flag=True, help="Create the two databases' own tables too.")
@click.option("--print-sql", is_flag=True, help="Print the SQL; change nothing.")
@click.option("--no-notify", is_flag=True, help="No NOTIFY: the listener polls every 100 ms.")
@click.option(
    "--database",
    type=click.Choice([str(each) for each in Database]),
    help="With --print-sql: this database's part only.",
)
def install(with_schemas: bool, print_sql: bool, no_notify: bool, database: str | None) -> None:
    """Add schema `synctasks` and the capture triggers to both databases.

    The application's tables get triggers and nothing else, each in a short transaction that
    never makes writers wait. A flow that was not captured before gets a full run requested.
    """
    if database and not print_sql:
        raise click.UsageError("--database goes with --print-sql: install needs both databases.")
    if print_sql:
        chosen = [Database(database)] if database else list(Database)
        text = installer.print_sql(
            FLOWS, databases=chosen, with_schemas=with_schemas, notifies=not no_notify
        )
        click.echo(text)
        return
    new = installer.install(
        FLOWS, with_schemas=with_schemas, notifies=not no_notify, progress=notices.print
    )
    if new:
        console.print(f"Installed. A full run is requested for: {', '.join(new)}")
        console.print("Start worker, listener and beat (see Procfile), then: synctasks status")
    else:
        console.print("Everything was in place already.")


@click.command(epilog="\b\nExamples:\n  synctasks uninstall\n  synctasks uninstall --yes")
@click.option("--discard-pending", is_flag=True, help="Even if changes are pending: forget them.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def uninstall(discard_pending: bool, yes: bool) -> None:
    """Remove the triggers and schema `synctasks` from both databases.

    The tables' own rows stay as they are. Refuses while changes are pending. The audit goes, too:
    to keep it, run `synctasks audit --json > audit.json` before.
    """
    confirm(
        "Remove all triggers, bookkeeping and dead letters of synctasks, and its audit of who did "
        "what (to keep that: synctasks audit --json > audit.json)?",
        yes=yes,
    )
    installer.uninstall(discard_pending=discard_pending, progress=notices.print)
    console.print("Uninstalled. A later install requests a full run of every flow.")
