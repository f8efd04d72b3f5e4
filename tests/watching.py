"""What the tests of the watch share: figures as they are now, and time that has passed."""

from __future__ import annotations

from typing import Any

from synctasks.capture import pulse
from synctasks.database import transaction
from synctasks.flow import Database, Flow
from synctasks.flows import FLOWS
from synctasks.monitoring.figures.gather import gather
from tests.rows import Connection, execute


def entry_of(flow: Flow) -> dict[str, Any]:
    """What the tables say of a flow."""
    return dict(gather(flow.source.database, FLOWS).flows[flow.name])


def tick(database: Database = Database.WAREHOUSE) -> None:
    """What is visible now is noted, as the listener does each second."""
    with transaction(database) as tx:
        pulse.tick(tx)


def let_pass(source: Connection, seconds: float) -> None:
    """As if all that is in the change log, and all ticks, were so much older."""
    shift = {"seconds": seconds}
    execute(
        source,
        """
        UPDATE synctasks.change_log
        SET captured_at = captured_at - make_interval(secs => %(seconds)s);
        UPDATE synctasks.tick SET at = at - make_interval(secs => %(seconds)s)
        """,
        shift,
    )
