"""What the demo shows: steps, progress, live figures, the tables at the end.

On a terminal things move in place; elsewhere there are plain lines, and few of them.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from synctasks.demo.agreement import Agreement
from synctasks.demo.figures import Figures, carried, pending
from synctasks.demo.specimen import Field
from synctasks.demo.workload import Workload

# No terminal, no width: so wide that a record's values and all of verify's columns need no second
# line.
FILE_WIDTH = 108
_LINE_SECONDS = 5.0


def seconds(value: float | None) -> str:
    """A latency for people: `8 ms`, `1.3 s`, or a dash."""
    if value is None:
        return "-"
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


class Step:
    """A step of the demo: `note` says how far it is, `result` what came of it.

    `seconds` is how long it took, where that is not the time for which it was watched.
    """

    def __init__(self, live: Live | None, doing: str) -> None:
        self._live = live
        self._doing = doing
        self.result = ""
        self.seconds: float | None = None

    def note(self, text: str, done: int = 0, total: int = 0) -> None:
        """Say on a terminal how far the step is, with a bar where the total is known."""
        if self._live is None:
            return
        line = Table.grid(padding=(0, 1))
        line.add_row(
            Text(f"{self._doing}: {text}", style="cyan"),
            ProgressBar(total=total, completed=done, width=20) if total else "",
        )
        self._live.update(line)


@contextlib.contextmanager
def step(console: Console, doing: str) -> Iterator[Step]:
    """A step that takes a moment: shown while it runs, one line with its time when it is done."""
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        live = None
        if console.is_terminal:
            live = Live(Text(f"{doing} …", style="cyan"), console=console, transient=True)
            stack.enter_context(live)
        taken = Step(live, doing)
        yield taken
    result = f": {taken.result}" if taken.result else ""
    took = time.monotonic() - began if taken.seconds is None else taken.seconds
    console.print(f"{doing}{result} ({took:.1f} s)", markup=False, soft_wrap=True)


class Scoreboard:
    """The figures while the sources change: a table in place, or a line every five seconds."""

    def __init__(self, console: Console, workload: Workload) -> None:
        self._console = console
        self._workload = workload
        self._began = self._said = time.monotonic()
        self._live = Live(console=console) if console.is_terminal else None

    def show(self, doing: str, figures: Mapping[str, Figures]) -> None:
        """Show the figures of this moment; `doing` says what the demo is at."""
        now = time.monotonic()
        work = self._workload
        line = (
            f"{now - self._began:3.0f} s, {doing}: {work.transactions:,} transactions, "
            f"{sum(work.changes.values()):,} changes"
        )
        if self._live is not None:
            self._live.update(Group(Text(line, style="bold cyan"), _live_table(figures)))
        elif now - self._said >= _LINE_SECONDS:
            self._said = now
            slowest = max((each.latency["p99"] or 0 for each in figures.values()), default=0)
            self._console.print(
                f"{line}, {carried(figures):,} carried, {pending(figures):,} pending, "
                f"p99 {seconds(slowest or None)}",
                markup=False,
                soft_wrap=True,
            )

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()


def _live_table(figures: Mapping[str, Figures]) -> Table:
    table = _table("flow", "pending", "carried", "written", "removed", "p50", "p99")
    for name, each in figures.items():
        counts = (each.pending, each.carried, each.written, each.removed)
        latency = (seconds(each.latency["p50"]), seconds(each.latency["p99"]))
        table.add_row(name, *(f"{count:,}" for count in counts), *latency)
    return table


def result(agreements: Sequence[Agreement], figures: Mapping[str, Figures]) -> Table:
    """The demo's result, a row for each flow."""
    table = _table("flow", "rows", "changes", "p50", "p95", "p99", "agreement")
    for each in agreements:
        of_flow = figures[each.flow]
        latency = (seconds(of_flow.latency[share]) for share in ("p50", "p95", "p99"))
        style = "red" if each.differing else "green"
        table.add_row(
            each.flow,
            f"{each.rows:,}",
            f"{of_flow.carried:,}",
            *latency,
            f"[{style}]{each}[/]",
        )
    return table


def errors(groups: Sequence[Mapping[str, Any]]) -> Table:
    """Dead letters by error."""
    table = Table(box=None, show_header=False)
    table.add_column(justify="right")
    table.add_column()
    for group in groups:
        table.add_row(f"{group['letters']:,}", Text(group["error"]))
    return table


def record(fields: Sequence[Field], source: str, target: str) -> Table:
    """One record beside its source; on a terminal what is masked stands out."""
    table = Table("column", box=None)
    for side in (source, target):
        table.add_column(side, overflow="fold")
    for column, original, arrived, mask in fields:
        shown = Text("-" if arrived is None else arrived, style="yellow" if mask else "")
        table.add_row(column, Text("-" if original is None else original), shown)
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(first, box=None)
    for name in others:
        table.add_column(name, justify="left" if name == "agreement" else "right")
    return table
