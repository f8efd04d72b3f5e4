"""The command line: `synctasks …`."""

from __future__ import annotations

import sys

import click

from synctasks.cli.alerts import alerts
from synctasks.cli.audit import audit
from synctasks.cli.check import check
from synctasks.cli.dead_letters import dead_letters
from synctasks.cli.demo import demo
from synctasks.cli.explain import explain_command
from synctasks.cli.flows import flows
from synctasks.cli.install import install, uninstall
from synctasks.cli.listen import listen
from synctasks.cli.pause import pause, resume
from synctasks.cli.review import review
from synctasks.cli.runs import runs
from synctasks.cli.serve import serve
from synctasks.cli.status import status
from synctasks.cli.sync import sync
from synctasks.cli.verify import verify_command
from synctasks.errors import SynctasksError
from synctasks.monitoring import logs

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


@click.group(epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="synctasks")
def cli() -> None:
    """Keep a government data warehouse and its citizen portal in step, both ways."""
    logs.for_commands()


_COMMANDS = (
    demo,
    install,
    uninstall,
    check,
    listen,
    serve,
    flows,
    status,
    runs,
    sync,
    verify_command,
    explain_command,
    pause,
    resume,
    dead_letters,
    alerts,
    review,
    audit,
)
for _command in _COMMANDS:
    cli.add_command(_command)


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
