"""The listener of one source database: hears that something was committed, and sends for it.

While it sleeps it holds an advisory lock, which tells the triggers to notify; while it is awake
it polls, and they need not. Each second it sweeps: whatever was lost on the way (a message, a
worker, all of Redis) is found again in the tables.
"""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import psycopg2
import structlog

from synctasks import breaker, dispatch, ledger, slots
from synctasks.capture import change_log, event_log, pulse, waiting
from synctasks.capture.ears import Deaf, Ears
from synctasks.database import Transaction, connect
from synctasks.errors import SetupError, TransientError
from synctasks.flow import Database, Duty, Flow
from synctasks.flows import FLOWS
from synctasks.rounds import ROUNDS

log = structlog.get_logger("listener")

SWEEP_SECONDS = 1.0
AWAKE_POLL_SECONDS = 0.02
# Installed with --no-notify: nobody wakes us, and nobody has to.
PLAIN_POLL_SECONDS = 0.1
PROBE_SECONDS = 10.0
BEAT_SECONDS = 5.0
# Beat has a moment to knock first; a slot that it missed is no matter of seconds.
SLOT_SECONDS = 10.0
# A flag says that somebody is at a lane; a change that old says that nobody is.
STALE_FLAG_SECONDS = 2.0
_RECONNECT_SECONDS = 1.0

_NOTIFIES = "SELECT notifies FROM synctasks.installation"

_RUNS = """\
SELECT DISTINCT flow, kind
FROM synctasks.run
WHERE kind IN ('full', 'verify', 'review')
    AND state IN ('requested', 'running')
    AND flow NOT IN (SELECT breaker.flow FROM synctasks.breaker WHERE climber IS NULL)
    AND flow NOT IN (SELECT pause.flow FROM synctasks.pause WHERE resumed_at IS NULL)
"""


class Listener:
    """Listens at one source. `run` returns after `stop`, which any thread or signal may call."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._stopping, self._stop_sender = socket.socketpair()
        self._stopped = False
        self._heard_once = False
        self._lost = False
        self._broker_gone = False
        self._swept = 0.0
        self._probed = 0.0
        self._slots_seen = 0.0
        self._beaten = 0.0

    def stop(self) -> None:
        """Let `run` return soon."""
        self._stopped = True
        self._stop_sender.send(b"x")

    def run(self) -> None:
        """Listen until stopped, reconnecting for ever. Raises SetupError: that needs a person."""
        while not self._stopped:
            try:
                self._listen()
            except TransientError as error:
                if not self._lost:
                    self._lost = True
                    log.warning("listener.lost", database=str(self._database), cause=str(error))
                self._wait(_RECONNECT_SECONDS)

    def _listen(self) -> None:
        """One connection's life. Raises TransientError when it is lost."""
        listening = connect(self._database, role="listener")
        probing = connect(self._database, role="listener probe")
        try:
            ears = Ears(listening, probing, self._database)
            self._open(ears)
            self._lost = False
            log.info("listener.connected", database=str(self._database))
            polls = not ears.tx.value(_NOTIFIES)
            while not self._stopped:
                self._sweep_if_due(ears)
                if polls:
                    self._send_pending(ears)
                    self._wait(PLAIN_POLL_SECONDS)
                else:
                    self._one_nap(ears)
        finally:
            listening.close()
            probing.close()

    def _open(self, ears: Ears) -> None:
        """Listen, and make sure that we hear. Raises SetupError if we never did: wrong URL."""
        try:
            ears.open()
        except Deaf:
            if self._heard_once:
                raise
            raise SetupError(
                thing=f"{self._database} database",
                cause="the listener does not hear its own notification: "
                "the URL seems to lead through a transaction-pooling proxy",
                remedy="Give the listener a URL of the server itself, or of a session pool",
            ) from None
        self._heard_once = True

    def _one_nap(self, ears: Ears) -> None:
        """Look, then sleep until notified; or poll while somebody's open changes forbid sleep."""
        self._send_pending(ears)
        if not ears.fall_asleep():
            self._wait(AWAKE_POLL_SECONDS)
            return
        try:
            # What was committed before the lock was ours did not notify.
            self._send_pending(ears)
            while self._heard_before_the_sweep(ears):
                # Still asleep to the triggers: below a busy rate, waking up would cost more.
                self._send_pending(ears)
                if ears.heard():
                    return
        finally:
            ears.wake_up()

    def _heard_before_the_sweep(self, ears: Ears) -> bool:
        """Wait for a notification; False if the next sweep is due first, or on being stopped."""
        while not self._stopped:
            # A notification may have come along with the answer to our last query.
            if ears.heard():
                return True
            seconds = self._swept + SWEEP_SECONDS - time.monotonic()
            if seconds <= 0:
                return False
            self._wait(seconds, ears.connection)
        return False

    def _send_pending(self, ears: Ears) -> None:
        pending = change_log.pending_lanes(ears.tx)
        self._send(pending, despite_flag=False)

    def _sweep_if_due(self, ears: Ears) -> None:
        now = time.monotonic()
        if now - self._probed >= PROBE_SECONDS:
            ears.probe()
            self._probed = now
        if now - self._swept >= SWEEP_SECONDS:
            self._swept = now
            pending = change_log.pending_lanes(ears.tx)
            stale = [
                each
                for each in pending
                if each.age_seconds > STALE_FLAG_SECONDS and not each.in_work
            ]
            self._send(stale, despite_flag=True)
            pulse.tick(ears.tx)
            if now - self._beaten >= BEAT_SECONDS:
                self._beaten = now
                ears.beat()
            if now - self._slots_seen >= SLOT_SECONDS:
                self._slots_seen = now
                self._make_up_slots()
                waiting.wake_some(ears.tx)
                event_log.forget_old(ears.tx)
                ledger.close(ears.tx)
                self._call_workers()
            self._send_runs(ears)
            self._probe_breakers(ears)

    def _send(self, pending: Iterable[change_log.PendingLane], *, despite_flag: bool) -> None:
        lanes = [(each.flow, each.lane) for each in pending]
        with self._sending():
            dispatch.send_drains(lanes, despite_flag=despite_flag)
        if self._broker_gone:
            self._wait(SWEEP_SECONDS)

    @contextlib.contextmanager
    def _sending(self) -> Iterator[None]:
        """Nothing is lost with the broker: the next sweep sends again. It is said once."""
        try:
            yield
            if self._broker_gone:
                # Where there was nothing to send for, nobody has asked it.
                dispatch.check()
        except TransientError as error:
            if not self._broker_gone:
                self._broker_gone = True
                log.warning("listener.broker_gone", cause=str(error))
        else:
            if self._broker_gone:
                self._broker_gone = False
                log.info("listener.broker_back")

    def _make_up_slots(self) -> None:
        """Beat knocks when a slot is due; one that it missed is found here."""
        for flow in FLOWS:
            if flow.source.database is self._database:
                for duty in flow.duties:
                    self._make_up_slot(flow, duty)

    def _make_up_slot(self, flow: Flow, duty: Duty) -> None:
        told = {"flow": flow.name, "duty": str(duty)}
        try:
            slot = slots.take(flow, duty, datetime.now(UTC))
        except TransientError as error:
            # Its target may be away: the next look takes it.
            log.warning("listener.slot_not_taken", **told, cause=str(error))
            return
        if slot is not None:
            log.info("listener.slot_made_up", **told, run=slot.run)

    def _call_workers(self) -> None:
        """Ask each queue's workers whether they are there."""
        with self._sending():
            for queue in dispatch.QUEUES:
                dispatch.send_presence(queue)

    def _send_runs(self, ears: Ears) -> None:
        runs = ears.tx.rows(_RUNS)
        with self._sending():
            for flow, kind in runs:
                if kind in ROUNDS:
                    dispatch.send_round(Duty(kind), flow)
                else:
                    dispatch.send_refresh(flow)

    def _probe_breakers(self, ears: Ears) -> None:
        """Try a flow that did not work: by one lane, and by its full run if there is one."""
        flows = breaker.to_probe(ears.tx)
        lanes = [(flow, change_log.probe_lane(ears.tx, flow)) for flow in flows]
        with self._sending():
            for flow, lane in lanes:
                if lane is not None:
                    dispatch.send_drains([(flow, lane)], despite_flag=True)
                dispatch.send_refresh(flow)

    def _wait(self, seconds: float, *also: psycopg2.extensions.connection) -> None:
        """Wait that long, or less if stopped or if something arrives."""
        select.select([self._stopping, *also], [], [], seconds)


def check(database: Database) -> None:
    """Raise SynctasksError if the listener could not start at this database."""
    with_schema = connect(database, role="listener check")
    try:
        Transaction(with_schema.cursor(), str(database)).value(_NOTIFIES)
    finally:
        with_schema.close()
