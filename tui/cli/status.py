"""`sparkdeck status`: how the stack is, now."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import typer
from rich.text import Text

from tui.actions.replicas import Chosen, choose
from tui.cli.arguments import Json, Services
from tui.cli.output import note, print_json, print_table, say, table
from tui.cli.session import Exit, open_session, verb
from tui.clients.spark_master import MasterState
from tui.clients.text import plain
from tui.engine.interface import Health, Replica, Sample, State
from tui.watch.cluster import look_at_cluster
from tui.watch.places import pane_name, service_of
from tui.watch.ready import all_behind_profiles
from tui.watch.role_lines import role_lines
from tui.watch.samples import sample_all
from tui.watch.scene import Scene
from tui.watch.session import Session
from tui.watch.words import DONE, run_seconds, sign, size, took, took_text

_COLOURS = {"good": "green", "warn": "yellow", "bad": "red", "dim": "dim"}


@verb
async def status(context: typer.Context, services: Services = None, as_json: Json = False) -> int:
    """Show how each service is.

    Exit code 0: all are well; 1: something is down or unwell.
    """
    async with open_session(context) as session:
        rows, state = await look(session, await choose(session.engine, session.project, services or []))
    if as_json:
        print_json(
            {
                "stack": session.stack.name,
                "engine": _engine(session),
                "spark": _spark(state),
                "services": rows,
            }
        )
    else:
        _print(session, rows, state)
    # Of nothing at all nothing is known to be well.
    return Exit.OK if rows and all(row["well"] for row in rows) else Exit.FAILED


async def look(session: Session, chosen: Chosen) -> tuple[list[dict[str, Any]], MasterState | None]:
    """A row for each place that is chosen, and what the Spark master says. Raises EngineError."""
    found = [replica for replica in await session.engine.replicas() if not replica.is_run]
    replicas = [replica for replica in found if chosen.includes(replica)]
    cluster, samples = await asyncio.gather(
        look_at_cluster(session.engine, session.stack, session.project, found),
        sample_all(session.engine, replicas),
    )
    lines = await role_lines(session.engine, session.stack, session.project, replicas, cluster)
    scene = Scene(session.stack, session.project, found, cluster, says=lines)
    rows = [
        _row(scene, key, replica, samples, lines)
        for key, replica in scene.places().items()
        if (chosen.includes(replica) if replica else chosen.has(service_of(key)))
    ]
    return rows, cluster.state


def _row(
    scene: Scene, key: str, replica: Replica | None, samples: Mapping[str, Sample], lines: Mapping[str, str]
) -> dict[str, Any]:
    service = service_of(key)
    condition = scene.condition(service, replica)
    row = {
        "service": service,
        "replica": None,
        "name": pane_name(scene.project, key, replica),
        "role": str(scene.stack.role(service)),
        "state": condition.word,
        "well": condition.well,
        "says": condition.note if condition.waits else "",
    }
    if replica is None:
        return row
    sample, worker = samples.get(replica.id), scene.cluster.workers.get(replica.id)
    return {
        **row,
        "replica": replica.name,
        "exit_code": replica.exit_code if replica.state is State.ENDED else None,
        "out_of_memory": replica.out_of_memory,
        "health_output": replica.health_output if replica.health is Health.UNHEALTHY else "",
        "restarts": replica.restarts,
        "started_at": replica.started_at,
        "took_seconds": run_seconds(replica),
        "says": row["says"] or (took_text(replica) if condition.word == DONE else lines.get(replica.id, "")),
        "why": condition.reason,
        "cpu_percent": sample.cpu_percent if sample else None,
        "memory": sample.memory if sample else None,
        "memory_limit": sample.memory_limit if sample else None,
        "processes": sample.processes if sample else None,
        "ports": [f"{port.published}->{port.target}" for port in replica.ports if port.published],
        "spark": {"state": worker.state, "cores": worker.cores, "cores_used": worker.cores_used} if worker else None,
    }


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
    if not rows and (behind := all_behind_profiles(session.stack, session.project)):
        note(behind, "yellow")
    note(f"CPU in percent of one core; memory {info.memory_is}.")
    for row in rows:
        if row.get("why"):
            note(f"{row['name']}: {plain(row['why'], 300)} (sparkdeck logs {row['name']})", "yellow")


def _cells(row: dict[str, Any]) -> list[str | Text]:
    mark, tone = sign(row["state"])
    style = _COLOURS[tone]
    if row["replica"] is None:
        return [Text(mark, style=style), row["name"], row["state"], "-", "-", "-", "-", "", row["says"]]
    runs = row["started_at"] and row["well"] and row["state"] != DONE
    up = took((datetime.now(UTC) - row["started_at"]).total_seconds()) if runs else "-"
    cpu = "-" if row["cpu_percent"] is None else f"{row['cpu_percent']:.1f} %"
    return [
        Text(mark, style=style),
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
