"""`sparkdeck status`: how the stack is, now."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rich.text import Text

from tui.actions.replicas import choose
from tui.cli.arguments import Json, Services
from tui.cli.output import note, print_json, print_table, say, table
from tui.cli.session import Exit, open_session, verb
from tui.clients.spark_master import MasterState
from tui.clients.text import plain
from tui.engine.interface import Health, Replica, Sample, State
from tui.stack.roles import one_shots
from tui.watch.cluster import Cluster, look_at_cluster
from tui.watch.dependencies import waits_of, waits_text
from tui.watch.names import short_name
from tui.watch.role_lines import role_lines
from tui.watch.samples import sample_all
from tui.watch.session import Session
from tui.watch.words import DONE, DOWN, NOT_REGISTERED, is_well, run_seconds, size, state_word, took, took_text

_SIGNS = {
    "healthy": ("●", "green"),
    "running": ("●", "green"),
    "done": ("✓", "green"),
    "starting": ("◐", "yellow"),
    "created": ("◌", "yellow"),
    "restarting": ("◐", "yellow"),
    "paused": ("‖", "yellow"),
    NOT_REGISTERED: ("▲", "red"),
    "unhealthy": ("▲", "red"),
    "ended": ("○", "red"),
    DOWN: ("○", "dim"),
}


@verb
async def status(services: Services = None, as_json: Json = False) -> int:
    """Show how each service is.

    Exit code 0: all are well; 1: something is down or unwell.
    """
    async with open_session() as session:
        chosen = await choose(session.engine, session.project, services or [])
        found = [replica for replica in await session.engine.replicas() if not replica.is_run]
        replicas = [replica for replica in found if chosen.includes(replica)]
        cluster, samples = await asyncio.gather(
            look_at_cluster(session.engine, session.stack, session.project, found),
            sample_all(session.engine, replicas),
        )
        lines = await role_lines(session.engine, session.stack, session.project, replicas, cluster)
        rows = _rows(session, chosen.all_services, _Seen(found, replicas, cluster, samples, lines))
    if as_json:
        print_json(
            {
                "stack": session.stack.name,
                "engine": _engine(session),
                "spark": _spark(cluster.state),
                "services": rows,
            }
        )
    else:
        _print(session, rows, cluster.state)
    return Exit.OK if all(row["well"] for row in rows) else Exit.FAILED


@dataclass(frozen=True, slots=True)
class _Seen:
    """One moment: all replicas and those that are shown; of these the samples and what they say, by their ids."""

    every: list[Replica]
    replicas: list[Replica]
    cluster: Cluster
    samples: dict[str, Sample]
    lines: dict[str, str]


def _rows(session: Session, names: list[str], seen: _Seen) -> list[dict[str, Any]]:
    ending = one_shots(session.project, session.stack.layout)
    rows: list[dict[str, Any]] = []
    for name, service in session.project.services.items():
        if names and name not in names:
            continue
        role = session.stack.role(name)
        own = [replica for replica in seen.replicas if replica.service == name]
        # In a stack that is down nobody waits.
        waits = waits_text(waits_of(service, seen.every), datetime.now(UTC)) if seen.every else ""
        if not own and not service.profiles:
            down = {"service": name, "replica": None, "name": name, "role": str(role), "state": DOWN, "well": False}
            rows.append({**down, "says": waits})
        for replica in own:
            word = state_word(replica, one_shot=name in ending, registered=seen.cluster.registered(replica))
            sample = seen.samples.get(replica.id)
            worker = seen.cluster.workers.get(replica.id)
            rows.append(
                {
                    "service": name,
                    "replica": replica.name,
                    "name": short_name(replica, session.project),
                    "role": str(role),
                    "state": word,
                    "well": is_well(word),
                    "exit_code": replica.exit_code if replica.state is State.ENDED else None,
                    "out_of_memory": replica.out_of_memory,
                    "health_output": replica.health_output if replica.health is Health.UNHEALTHY else "",
                    "restarts": replica.restarts,
                    "started_at": replica.started_at,
                    "took_seconds": run_seconds(replica),
                    "says": waits if replica.state is State.CREATED else _says(replica, word, seen.lines),
                    "cpu_percent": sample.cpu_percent if sample else None,
                    "memory": sample.memory if sample else None,
                    "memory_limit": sample.memory_limit if sample else None,
                    "processes": sample.processes if sample else None,
                    "ports": [f"{port.published}->{port.target}" for port in replica.ports if port.published],
                    "spark": (
                        {"state": worker.state, "cores": worker.cores, "cores_used": worker.cores_used}
                        if worker
                        else None
                    ),
                }
            )
    return rows


def _says(replica: Replica, word: str, lines: dict[str, str]) -> str:
    return took_text(replica) if word == DONE else lines.get(replica.id, "")


def _engine(session: Session) -> dict[str, str]:
    info = session.engine.info
    return {"kind": info.kind, "version": info.version, "endpoint": info.endpoint, "reason": info.reason}


def _spark(state: MasterState | None) -> dict[str, Any] | None:
    if state is None:
        return None
    return {
        "workers": len(state.alive_workers()),
        "cores": state.cores,
        "cores_used": state.cores_used,
        "memory": state.memory,
        "memory_used": state.memory_used,
        "applications": [{"id": app.id, "name": app.name, "state": app.state} for app in state.active],
    }


def _print(session: Session, rows: list[dict[str, Any]], state: MasterState | None) -> None:
    info = session.engine.info
    say(f"{session.stack.name} on {info.kind} {info.version} ({info.endpoint})", "bold")
    if state is not None:
        apps = ", ".join(f"{plain(app.name, 40)} {app.state.lower()}" for app in state.active) or "no application"
        say(
            f"spark: {len(state.alive_workers())} workers, {state.cores_used} of {state.cores} cores and "
            f"{size(state.memory_used)} of {size(state.memory)} in use, {apps}"
        )
    say()
    print_table(
        table(
            *("", "service", "state", "up for", "CPU", "memory", "restarts", "ports", "says"),
            rows=[_cells(row) for row in rows],
            right=("up for", "CPU", "memory", "restarts"),
        )
    )
    say()
    note(f"CPU in percent of one core; memory {info.memory_is}.")
    for row in rows:
        if row.get("health_output"):
            note(f"{row['name']} is unhealthy: {plain(row['health_output'], 300)}", "yellow")
        if row["state"] == "ended":
            why = " (out of memory)" if row["out_of_memory"] else ""
            note(
                f"{row['name']} ended with exit code {row['exit_code']}{why}: sparkdeck logs {row['name']}",
                "yellow",
            )
        if row["state"] == NOT_REGISTERED:
            note(
                f"{row['name']} is up, but the Spark master does not know it: sparkdeck logs {row['name']}",
                "yellow",
            )


def _cells(row: dict[str, Any]) -> list[str | Text]:
    sign, style = _SIGNS.get(row["state"], ("?", "yellow"))
    if row["replica"] is None:
        return [Text(sign, style=style), row["name"], row["state"], "-", "-", "-", "-", "", row["says"]]
    runs = row["started_at"] and row["well"] and row["state"] != DONE
    up = took((datetime.now(UTC) - row["started_at"]).total_seconds()) if runs else "-"
    cpu = "-" if row["cpu_percent"] is None else f"{row['cpu_percent']:.1f} %"
    return [
        Text(sign, style=style),
        row["name"],
        row["state"],
        up,
        cpu,
        size(row["memory"]),
        str(row["restarts"]),
        " ".join(_short(row["ports"])),
        row["says"],
    ]


def _short(ports: list[str]) -> list[str]:
    """At most three ports; a range of eleven tells nothing more."""
    return ports if len(ports) <= 3 else [*ports[:2], f"+{len(ports) - 2}"]
