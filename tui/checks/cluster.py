"""The Spark cluster: workers that the master does not know, applications that wait, memory promised twice."""

from __future__ import annotations

from collections.abc import Iterator

from tui.checks.finding import Finding
from tui.checks.situation import Situation
from tui.clients.text import plain
from tui.stack.model import Role
from tui.watch.names import short_name
from tui.watch.queued import Queued, queued_reason
from tui.watch.words import NOT_REGISTERED

GIB = 1024**3


def check_cluster(now: Situation) -> Iterator[Finding]:
    """Nothing where there is no master."""
    master = now.cluster.state
    if master is None:
        name = now.service_of(Role.SPARK_MASTER)
        if now.cluster.silent:
            why = f"Why: sparkdeck logs {name}. Again: sparkdeck restart {name}"
            yield Finding(f"{name} runs, but does not answer: {now.cluster.silent}", why, name)
        return
    for replica in now.replicas:
        if now.condition(replica.service, replica).word != NOT_REGISTERED:
            continue
        name = short_name(replica, now.project)
        yield Finding(
            f"{name} runs, but is not registered with the Spark master: it gets no work.",
            f"Why: sparkdeck logs {replica.service}. Again: sparkdeck restart {name}",
            replica.service,
            replica.id,
        )
    for app in master.active:
        reason = queued_reason(master, app)
        if reason is not None and reason.kind is not Queued.NOT_YET:
            yield Finding(
                f"The application {plain(app.name, 60)} waits. {reason.text}",
                reason.hint,
                now.service_of(Role.SPARK_MASTER),
            )
    promised, there = master.memory, now.engine.memory
    if there is not None and promised > there:
        workers = len(master.alive_workers())
        yield Finding(
            f"{workers} workers promise {promised / GIB:.1f} GiB to Spark, the machine has {there / GIB:.1f} GiB: "
            "jobs that take all of it will be killed.",
            f"Set SPARK_WORKER_MEMORY in {now.stack.env_file} to {there // workers // GIB or 1}G or less.",
            now.service_of(Role.SPARK_WORKER),
        )
