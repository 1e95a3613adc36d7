"""What carries a replica's mark, wherever it has got to."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress

import psutil

from tui.engine.process.identity import below, families
from tui.engine.process.keeper import MARKER


def marked(replica_ids: set[str]) -> list[psutil.Process]:
    """This user's processes whose environment says that they belong to one of these replicas."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(MARKER) in replica_ids:
                found.append(process)
    return found


def family(roots: Iterable[int], children: Mapping[int, list[int]] | None = None) -> list[psutil.Process]:
    """These processes and all below them, each once; `children` if who belongs to whom was looked up already."""
    found = []
    for pid in below(families() if children is None else children, roots):
        with suppress(psutil.Error):
            found.append(psutil.Process(pid))
    return found


def listening(processes: Iterable[psutil.Process]) -> set[int] | None:
    """The TCP ports on which these processes listen; None where one of them may not be asked."""
    found = set()
    for process in processes:
        try:
            connections = process.net_connections("tcp")
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
        except (psutil.Error, OSError):
            return None
        found |= {one.laddr.port for one in connections if one.status == psutil.CONN_LISTEN and one.laddr}
    return found


def end_marked(replica_ids: set[str], *, grace: float = 0.0) -> None:
    """Ends them, politely for `grace` seconds, then by force. It must be called beside the event loop."""
    if grace:
        for process in marked(replica_ids):
            with suppress(psutil.Error):
                process.send_signal(signal.SIGTERM)
        psutil.wait_procs(marked(replica_ids), timeout=grace)
    for _ in range(50):
        left = marked(replica_ids)
        for process in left:
            with suppress(psutil.Error):
                process.kill()
        if not left:
            return
        time.sleep(0.02)
