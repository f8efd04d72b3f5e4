"""For each rule a case in which it fires, and its neighbours in which it does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.scraping import rules

# Two web processes say the same, so that a rule which tells of both is found.
SCRAPED = ('job="synctasks",instance="a"', 'job="synctasks",instance="b"')
_MINUTES = 30


@dataclass(frozen=True)
class Case:
    """Series by name and labels, as promtool writes them, and the labels of what fires then."""

    rule: str
    series: Mapping[str, str]
    fires: tuple[str, ...] = ()
    labels: tuple[str, ...] = field(default=("flow",))

    @property
    def test(self) -> dict[str, object]:
        """As promtool takes it: each that fires is counted, and must be one."""
        [expression] = [rule["expr"] for rule in rules() if rule["alert"] == self.rule]
        fired = f"count by ({', '.join(self.labels)}) ({expression})"
        return {
            "name": self.rule,
            "interval": "15s",
            "input_series": [
                {"series": name.replace("}", f",{scraped}}}"), "values": values}
                for name, values in self.series.items()
                for scraped in SCRAPED
            ],
            "promql_expr_test": [
                {
                    "expr": fired,
                    "eval_time": f"{_MINUTES}m",
                    "exp_samples": [{"labels": each, "value": 1} for each in self.fires],
                }
            ],
        }


def always(number: float) -> str:
    """A series that stays what it is."""
    return f"{float(number)}x{_MINUTES * 4}"


def growing(each: float) -> str:
    """A counter that grows by so many each 15 s."""
    return f"1000+{each}x{_MINUTES * 4}"


def records(flow: str, **each: float) -> dict[str, str]:
    """Counters of a flow's records, by what they grow each 15 s."""
    return {
        f'synctasks_records_total{{flow="{flow}",outcome="{outcome}"}}': growing(count)
        for outcome, count in {"written": 0, "rejected": 0, "waiting": 0, **each}.items()
    }


def latencies(flow: str, *, fast: float, slow: float) -> dict[str, str]:
    name = "synctasks_latency_seconds"
    return {
        f'{name}_bucket{{flow="{flow}",le="10.0"}}': growing(fast),
        f'{name}_bucket{{flow="{flow}",le="+Inf"}}': growing(fast + slow),
        f'{name}_count{{flow="{flow}"}}': growing(fast + slow),
        f'synctasks_late_pending_seconds{{flow="{flow}"}}': always(0),
    }


def ended(flow: str, state: str) -> dict[str, str]:
    """How a flow's last run ended."""
    return {
        **{
            f'synctasks_last_run_state{{flow="{flow}",state="{each}"}}': always(each == state)
            for each in ("succeeded", "guarded", "stopped", "failed")
        },
        f'synctasks_last_run_repeats{{flow="{flow}"}}': always(1),
    }


def of_two(metric: str, at: float, above: float) -> dict[str, str]:
    """A gauge at its threshold for flow a, and above it for flow b."""
    return {f'{metric}{{flow="a"}}': always(at), f'{metric}{{flow="b"}}': always(above)}


def heard(**ages: float) -> dict[str, str]:
    """How long ago each process was heard of."""
    name = "synctasks_presence_age_seconds"
    return {
        **{f'{name}{{process="{each}"}}': always(age) for each, age in ages.items()},
        f'{name}{{process="worker events"}}': always(121),
        f'{name}{{process="worker dlq"}}': always(120),
        'synctasks_up{dependency="broker"}': always(1),
    }


B = ('{flow="b"}',)

CASES = (
    Case("SynctasksSilent", {}, ("{}",), ()),
    Case("SynctasksSilent", {'synctasks_up{dependency="broker"}': always(0)}, (), ()),
    Case(
        "SynctasksUnwatched",
        {'synctasks_presence_age_seconds{process="watch"}': always(121)},
        ("{}",),
        (),
    ),
    Case(
        "SynctasksOther",
        {
            'synctasks_alert_firing{alert="slot missed",about="a"}': always(1),
            'synctasks_alert_firing{alert="latency",about="b"}': always(1),
        },
        ('{alert="slot missed",about="a"}',),
        ("alert", "about"),
    ),
    Case(
        "SynctasksFailureRate",
        {
            # At 1 %, above it, above it of too few, and one whose contract does not fit.
            **records("a", written=198, rejected=2),
            **records("b", written=197, rejected=3, waiting=900),
            **records("c", written=0.5, rejected=1),
            **records("d", rejected=100),
            **ended("d", "stopped"),
        },
        B,
    ),
    Case(
        "SynctasksLatency",
        {
            **latencies("a", fast=70, slow=0),
            **latencies("b", fast=70, slow=0.1),
            **latencies("c", fast=0, slow=0),
            'synctasks_late_pending_seconds{flow="c"}': always(10.5),
        },
        (*B, '{flow="c"}'),
    ),
    Case("SynctasksDeadLetters", of_two("synctasks_dead_letters_open", 500, 500), (), ()),
    Case("SynctasksDeadLetters", of_two("synctasks_dead_letters_open", 500, 501), ("{}",), ()),
    Case("SynctasksVolumeDrop", {**ended("a", "succeeded"), **ended("b", "guarded")}, B),
    Case("SynctasksRunFailed", {**ended("a", "stopped"), **ended("b", "failed")}, B),
    Case("SynctasksContractMismatch", {**ended("a", "failed"), **ended("b", "stopped")}, B),
    Case("SynctasksBreakerOpen", of_two("synctasks_breaker_open", 0, 1), B),
    Case("SynctasksRemovalsHeld", of_two("synctasks_held_removals", 0, 1), B),
    Case(
        "SynctasksWaitingTooLong",
        of_two("synctasks_oldest_waiting_seconds", 604_800, 604_801),
        B,
    ),
    Case(
        "SynctasksStaleData",
        {
            **of_two("synctasks_review", 50, 51),
            **of_two("synctasks_reviewed", 100, 100),
            'synctasks_review{flow="c"}': always(99),
            'synctasks_reviewed{flow="c"}': always(99),
        },
        B,
    ),
    Case("SynctasksPausedTooLong", of_two("synctasks_paused_seconds", 86_400, 86_401), B),
    Case(
        "SynctasksMessagesRefused",
        {
            'synctasks_refused_messages{database="warehouse"}': always(1),
            'synctasks_refused_messages{database="citizen"}': always(0),
        },
        ('{database="warehouse"}',),
        ("database",),
    ),
    Case(
        "SynctasksBooksOutOfBalance",
        {
            'synctasks_unbalanced_books{database="warehouse"}': always(0),
            'synctasks_unbalanced_books{database="citizen"}': always(1),
        },
        ('{database="citizen"}',),
        ("database",),
    ),
    Case(
        "SynctasksAway",
        {
            'synctasks_up{dependency="warehouse"}': always(0),
            'synctasks_up{dependency="citizen"}': always(1),
        },
        ('{dependency="warehouse"}',),
        ("dependency",),
    ),
    Case(
        "SynctasksNoHeartbeat",
        heard(listener=30, beat=61),
        ('{process="beat"}', '{process="worker events"}'),
        ("process",),
    ),
    # Nobody asks the workers: without the listener, or without the broker.
    Case("SynctasksNoHeartbeat", heard(listener=31), ('{process="listener"}',), ("process",)),
    Case(
        "SynctasksNoHeartbeat",
        {**heard(listener=30, beat=60), 'synctasks_up{dependency="broker"}': always(0)},
        (),
        ("process",),
    ),
    Case(
        "SynctasksHeartbeatLate",
        {
            'synctasks_heartbeat_age_seconds{direction="to_citizen"}': always(31),
            'synctasks_heartbeat_age_seconds{direction="to_warehouse"}': always(30),
        },
        ('{direction="to_citizen"}',),
        ("direction",),
    ),
)
