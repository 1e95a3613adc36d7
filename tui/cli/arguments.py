"""Arguments that several verbs share, with their completion."""

from __future__ import annotations

from typing import Annotated

import typer


def complete_service(context: typer.Context, incomplete: str) -> list[str]:
    """The services that the chosen stack's layout names."""
    return [name for name in _layout_names(context, "services") if name.startswith(incomplete)]


def complete_job(context: typer.Context, incomplete: str) -> list[str]:
    """The jobs that the chosen stack's layout names."""
    return [name for name in _layout_names(context, "jobs") if name.startswith(incomplete)]


def _layout_names(context: typer.Context, kind: str) -> list[str]:
    from tui.cli.session import chosen_stack
    from tui.stack.errors import StackError

    try:
        layout = chosen_stack(context).layout
    except StackError:
        return []
    if kind == "jobs":
        return [job.name for job in layout.jobs]
    fixed = layout.scale.fixed if layout.scale else ()
    return [entry.pattern for entry in layout.services if "*" not in entry.pattern] + list(fixed)


Services = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SERVICE|REPLICA]...", help="All if none is named.", autocompletion=complete_service),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Timeout = Annotated[float, typer.Option(help="How long to wait for health, in seconds.")]
