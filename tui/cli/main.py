"""The command `sparkdeck`: what stands before the verb, and the verbs."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from tui.cli import (
    cleanup,
    data,
    demo,
    down,
    init,
    jobs,
    logs,
    open,
    restart,
    scale,
    setup,
    shell,
    stacks,
    status,
    stop,
    submit,
    up,
)
from tui.cli.session import choice

app = typer.Typer(
    name="sparkdeck",
    help="The cockpit for a local Spark and ML stack.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"sparkdeck {version('sparkdeck')}")
        raise typer.Exit


def _stack_names(incomplete: str) -> list[str]:
    from tui.stack.catalogue import bundled_stacks

    return [stack.name for stack in bundled_stacks() if stack.name.startswith(incomplete)]


@app.callback()
def before_the_verb(
    stack: Annotated[
        str | None,
        typer.Option(
            "--stack",
            "-S",
            metavar="NAME|PATH",
            envvar="SPARKDECK_STACK",
            help="A bundled stack, or a compose project's folder or file. "
            "Without it: the project of this folder, else flight-delay.",
            autocompletion=_stack_names,
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Drive a local Spark and ML stack: start it, watch it, run jobs on it."""
    choice.stack = stack


passes_on = {"allow_extra_args": True, "ignore_unknown_options": True}

app.command()(setup.setup)
app.command()(up.up)
app.command()(stop.stop)
app.command()(restart.restart)
app.command()(down.down)
app.command()(status.status)
app.command()(logs.logs)
app.command()(submit.submit)
app.command()(jobs.jobs)
app.command()(shell.shell)
app.command("spark-shell", context_settings=passes_on)(shell.spark_shell)
app.command("open")(open.open_link)
app.command()(scale.scale)
app.command()(cleanup.cleanup)
app.command(context_settings=passes_on)(data.data)
app.command()(stacks.stacks)
app.command()(init.init)
app.command()(demo.demo)


def run() -> None:
    """The entry point of the installed command."""
    words = sys.argv[1:]
    if "--" in words:
        at = words.index("--")
        words, choice.rest = words[:at], words[at + 1 :]
    app(words)
