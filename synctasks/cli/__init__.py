"""The command line: `synctasks …`."""

from __future__ import annotations

import sys

import click

from synctasks.cli.lazy import LazyGroup
from synctasks.errors import SynctasksError

_EPILOG = """\b
Examples:
  synctasks demo                      see it work, with servers of its own
  synctasks install --with-schemas    create tables, bookkeeping and triggers
  synctasks check                     is everything as it has to be, and if not, what to do
  synctasks sync profile_data         carry a whole flow over, with progress
  synctasks status                    what is pending, how late, the last runs
  synctasks verify                    do both sides agree, record by record?
  synctasks explain profile_data GR-1 why a record is or is not there
  synctasks dead-letters list         what was rejected, and why
  synctasks review list               what nobody has updated for 180 days
  synctasks pause profile_data        let nobody write to its target for a while
  synctasks alerts list               what somebody has to look at, since when
  synctasks audit                     who did what, when and why

\b
The three URLs are read from the environment, see config/.env.example:
  SYNCTASKS_WAREHOUSE_URL, SYNCTASKS_CITIZEN_URL, SYNCTASKS_BROKER_URL
and for workers and dead letters the keys that seal rejected rows:
  SYNCTASKS_ENCRYPTION_KEYS

Exit status: 0 good, 1 found something wrong, 2 wrong usage or set-up.
"""


_COMMANDS = {
    "alerts": "synctasks.cli.alerts:alerts",
    "audit": "synctasks.cli.audit:audit",
    "check": "synctasks.cli.check:check",
    "dead-letters": "synctasks.cli.dead_letters:dead_letters",
    "demo": "synctasks.cli.demo:demo",
    "explain": "synctasks.cli.explain:explain_command",
    "flows": "synctasks.cli.flows:flows",
    "install": "synctasks.cli.install:install",
    "listen": "synctasks.cli.listen:listen",
    "pause": "synctasks.cli.pause:pause",
    "resume": "synctasks.cli.pause:resume",
    "review": "synctasks.cli.review:review",
    "runs": "synctasks.cli.runs:runs",
    "serve": "synctasks.cli.serve:serve",
    "status": "synctasks.cli.status:status",
    "sync": "synctasks.cli.sync:sync",
    "uninstall": "synctasks.cli.install:uninstall",
    "verify": "synctasks.cli.verify:verify_command",
}

# These have nothing to log: to load what logs would take longer than they take.
_WITHOUT_LOGS = frozenset({"flows", "status"})
# They ask a few questions and end.
_BRIEF = frozenset({"alerts", "audit", "explain", "runs", "status"})


@click.group(
    cls=LazyGroup,
    found_at=_COMMANDS,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="synctasks")
@click.pass_context
def cli(context: click.Context) -> None:
    """Keep a government data warehouse and its citizen portal in step, both ways."""
    if context.invoked_subcommand not in _WITHOUT_LOGS:
        from synctasks.monitoring import logs

        logs.for_commands()
    if context.invoked_subcommand in _BRIEF:
        from synctasks.database import lend_briefly

        lend_briefly()


def main() -> None:
    """The console script. Every foreseeable problem is one line on standard error."""
    try:
        code = cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.exceptions.Abort:
        click.echo("\nsynctasks: stopped", err=True)
        code = 130
    except SynctasksError as error:
        click.echo(f"synctasks: {error}", err=True)
        code = 2
    except BrokenPipeError:
        # The reader of our output has gone (`synctasks … | head`); keep Python from saying so.
        sys.stderr.close()
        code = 1
    sys.exit(code or 0)
