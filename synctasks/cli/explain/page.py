"""An explanation as people read it: the sentence first, then what it is made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from synctasks.cli.output import console

_STYLES = {"unknown": "yellow", "rejected": "red", "held": "red", "missing": "red"}
_STYLES |= dict.fromkeys(("different", "extra"), "red")
_STYLES |= dict.fromkeys(("in_flight", "deferred", "waiting"), "yellow")
_MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("·", "dim")}

#: A mark (good, bad, neither), a name, and what is said of it.
Line = tuple[bool | None, str, str]


def print_page(found: Mapping[str, Any]) -> None:
    """Print an explanation."""
    style = _STYLES.get(found["outcome"], "green")
    console.print(Text(_printable(found["sentence"]), style=f"bold {style}"), soft_wrap=True)
    for record in found["source"]["records"]:
        _print_record(found, record)
    _print_left_out(found["source"]["left_out"], "records")
    target = found["target"]
    for row in target["rows"]:
        _section(f"At the target: {target['database']} {target['table']}", _values(row))
    _print_left_out(target["left_out"], "rows")
    if not target["rows"]:
        _section(f"At the target: {target['database']} {target['table']}", [(None, "no row", "")])
    _section("What is under way", _under_way(found))
    _section("Dead letters", [_letter(each) for each in found["dead_letters"]])
    _section("Event log", [_entry(each) for each in found["event_log"]])


def _print_record(found: Mapping[str, Any], record: Mapping[str, Any]) -> None:
    source = found["source"]
    name = "" if record["record"] == found["key"] else f", record {record['record']}"
    now = _NOW.get(record["now"] or "", record["now"] or "is not looked at")
    title = f"At the source: {source['database']} {source['table']}{name} (now: {now})"
    always = [(None, name, f"{word} (constant)") for name, word in source["constants"].items()]
    _section(title, [*_values(record["row"]), *always])
    _section("  Filters", [_filter(each) for each in record["filters"]], indent=4)
    rules = [
        (each["verdict"] == "passes", each["column"], _rule(each)) for each in record["contract"]
    ]
    gate = {True: "the gate let it pass", False: "the gate did not let it pass", None: ""}
    _section(f"  Contract: {gate[record['gate']]}", rules, indent=4)
    _section("  References", [_reference(each) for each in record["references"]], indent=4)
    if conflict := record["conflict"]:
        said = f"{conflict['source']} here, {conflict['target']} there: {conflict['decision']}"
        _section("  Conflict", [(None, conflict["column"], said)], indent=4)


_NOW = {
    "missing": "would be written",
    "different": "would be written",
    "unchanged": "in step",
    "filtered": "filtered",
    "rejected": "would be rejected",
}


def _section(title: str, lines: Sequence[Line], *, indent: int = 2) -> None:
    """A heading and its lines; nothing at all without lines."""
    if not lines:
        return
    if indent == 2:
        console.print()
    console.print(Text(_printable(title), style="bold"), soft_wrap=True)
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 1, 0, 0))
    table.add_column(width=indent)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for good, name, said in lines:
        mark, style = _MARKS[good]
        table.add_row("", Text(mark, style=style), Text(_printable(name)), Text(_printable(said)))
    console.print(table)


def _printable(text: str) -> str:
    """A text that does nothing to a terminal, whatever somebody has written."""
    return text if text.isprintable() else repr(text)


def _print_left_out(count: int, of: str) -> None:
    if count:
        console.print(f"\n{count:,} more {of}: give a larger --limit.")


def _values(row: Mapping[str, str | None]) -> list[Line]:
    return [(None, name, "null" if each is None else each) for name, each in row.items()]


def _filter(each: Mapping[str, Any]) -> Line:
    good = {"passes": True, "no": True, "excludes": False, "yes": False}[each["verdict"]]
    words = " ".join(each["sql"].split())
    return good, each["filter"], f"{each['verdict']}: {words}"


def _rule(each: Mapping[str, Any]) -> str:
    unsure = "" if each["gate"] else "; the gate was not sure"
    return f"{each['verdict']} ({each['rule']}{unsure})"


def _reference(each: Mapping[str, Any]) -> Line:
    good = {"found": True, "missing": False, "ambiguous": False}.get(each["verdict"])
    found = f" {each['found']}" if each["found"] else ""
    rows = f", {each['rows']:,} rows" if each["rows"] > 1 else ""
    return good, each["column"], f"{each['verdict']}{found} in {each['table']}{rows}"


def _under_way(found: Mapping[str, Any]) -> list[Line]:
    lines: list[Line] = [(None, "change", _change(each)) for each in found["pending"]]
    lane, run = found["lane"], found["run"]
    if lane.get("in_ladder"):
        until = _second(lane["retry_at"])
        lines.append((False, f"lane {lane['lane']}", f"in its ladder until {until}"))
    if lane["busy"]:
        lines.append((None, f"lane {lane['lane']}", "a worker holds it"))
    for each in found["breakers"]:
        state = "open" if each["climber"] is None else f"lane {each['climber']} climbs"
        said = f"{state} since {_second(each['opened_at'])}: {each['reason']}"
        lines.append((False, f"breaker of the {each['side']}", said))
    if paused := found["paused"]:
        reason = f": {paused['reason']}" if paused["reason"] else ""
        lines.append(
            (False, "paused", f"since {_second(paused['since'])} by {paused['actor']}{reason}")
        )
    if found["pending"]:
        lines += [(False, each, "not heard of lately") for each in found["silent"]]
    if run:
        lines.append((None, f"full run {run['id']}", f"{run['state']}: {run['reason']}"))
    for name in ("held", "deferred"):
        if found[name]:
            lines.append((False, name, f"since {_second(found[name]['since'])}"))
    return [*lines, *(_waiting(each) for each in found["waiting"])]


def _change(each: Mapping[str, Any]) -> str:
    said = [f"{each['operation']} {each['origin']} at {_second(each['since'])}"]
    said += [f"tries so far: {each['attempts']}"] if each["attempts"] else []
    said += [f"not before {_second(each['not_before'])}"] if each["not_before"] else []
    said += ["rests until the slot"] if each["rests"] else []
    said += ["its removal is accepted"] if each["removal_accepted"] else []
    return ", ".join([*said, "due"] if each["due"] else said)


def _waiting(each: Mapping[str, Any]) -> Line:
    needs = " or ".join(filter(None, each["needs"]))
    since = f"since {_second(each['since'])}" if each["since"] else "still tried by itself"
    return False, "waits", f"for {needs}, {since}, next look {_second(each['next_look'])}"


def _letter(each: Mapping[str, Any]) -> Line:
    first, last = _second(each["first_seen"]), _second(each["last_seen"])
    said = f"{each['state']}, {each['error']}; seen: {each['count']:,}, first {first}, last {last}"
    by = f" by {each['acted_by']}" if each["acted_by"] else ""
    reason = f" ({each['reason']})" if each["reason"] else ""
    return False, str(each["id"]), f"{said}{by}{reason}"


def _entry(each: Mapping[str, Any]) -> Line:
    values: Iterable[str] = (
        f"{name}={'null' if value is None else value}" for name, value in each["row"].items()
    )
    return None, each["change"], f"{_second(each['captured_at'])} {' '.join(values)}"


def _second(moment: str) -> str:
    return moment[:19].replace("T", " ")
