"""The command `sparkdeck`: what stands before the verb, and the verbs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from tui.cli import (
    cleanup,
    data,
    demo,
    doctor,
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
from tui.cli.session import Exit, chosen_stack, fail
from tui.engine.choose import EngineKind
from tui.stack.catalogue import VARIANT_VARIABLE
from tui.stack.errors import StackError
from tui.stack.root import folder_here

# What only looks. `--read-only` refuses every other verb.
LOOKS = frozenset({"status", "doctor", "logs", "jobs", "open", "stacks"})

app = typer.Typer(
    name="sparkdeck",
    help="The cockpit for a local Spark and ML stack.",
    invoke_without_command=True,
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
    context: typer.Context,
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
    variant: Annotated[
        str | None,
        typer.Option(
            "--variant",
            metavar="NAME",
            envvar=VARIANT_VARIABLE,
            help="One of the stack's variants, where its layout has some (sparkdeck stacks). "
            f"Without it: {VARIANT_VARIABLE} in its .env, else the default.",
        ),
    ] = None,
    file: Annotated[
        list[str] | None,
        typer.Option("--file", "-f", metavar="FILE", help="A compose file; several are merged."),
    ] = None,
    project_directory: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="The project's folder, where it is not that of its first file.")
    ] = None,
    env_file: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="Settings instead of .env; of several the last wins."),
    ] = None,
    project_name: Annotated[
        str | None,
        typer.Option("--project-name", "-p", metavar="NAME", help="The name of the compose project."),
    ] = None,
    profile: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="An active profile; several can be. '*' is all of them.")
    ] = None,
    engine: Annotated[
        EngineKind,
        typer.Option(
            "--engine",
            envvar="SPARKDECK_ENGINE",
            help="What runs the stack: Docker, or plain processes of this machine. auto: Docker where it answers.",
        ),
    ] = EngineKind.AUTO,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Only look: no key and no verb that changes anything.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Drive a local Spark and ML stack: start it, watch it, run jobs on it. Without a verb the deck opens."""
    verb = context.invoked_subcommand
    if verb is None:
        _open_deck(context, engine, read_only)
    elif read_only and verb not in LOOKS:
        fail(Exit.USAGE, f"{verb} may change something, and --read-only was said. Without it: sparkdeck {verb}")


def _open_deck(context: typer.Context, engine: EngineKind, read_only: bool) -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        fail(Exit.USAGE, "The deck needs a terminal. What is up: sparkdeck status; all verbs: sparkdeck --help")
    # Textual costs a fifth of a second: only the deck pays for it.
    from tui.deck.open import open_deck

    # Kept: the folder that this was called in may go.
    cwd = folder_here() or Path()
    try:
        code = open_deck(lambda: chosen_stack(context, cwd), read_only=read_only, engine=engine)
    except StackError as error:
        fail(Exit.USAGE, str(error))
    raise typer.Exit(code)


passes_on = {"allow_extra_args": True, "ignore_unknown_options": True}

app.command()(setup.setup)
app.command()(up.up)
app.command()(stop.stop)
app.command()(restart.restart)
app.command()(down.down)
app.command()(status.status)
app.command()(doctor.doctor)
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


def run(words: Sequence[str] | None = None) -> None:
    """The entry point of the installed command, with its words unless others are given. Raises SystemExit."""
    words = sys.argv[1:] if words is None else list(words)
    at = words.index("--") if "--" in words else len(words)
    app(words[:at], obj=words[at + 1 :])
