"""Where a stack's MLflow servers are."""

from __future__ import annotations

from collections.abc import Sequence

from tui.engine.interface import Replica
from tui.stack.model import Project, Role, Stack
from tui.watch.links import host_url


def mlflow_url(stack: Stack, project: Project, replicas: Sequence[Replica]) -> dict[str, str]:
    """The address of each MLflow service that runs and publishes a port, by service."""
    found: dict[str, str] = {}
    layout = stack.layout
    for name, service in project.services.items():
        if layout is None or layout.service(name).role is not Role.MLFLOW:
            continue
        ports = [link.port for link in layout.service(name).links] or [port.target for port in service.ports]
        url = next((url for port in ports if (url := host_url(replicas, name, port))), None)
        if url is not None:
            found[name] = url
    return found
