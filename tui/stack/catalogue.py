"""Where stacks are: the bundled ones, a folder, a compose file, a layout, the current folder's project."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from platformdirs import user_data_path

from tui.stack.environment import read_env_file
from tui.stack.errors import LayoutError, StackError, nearest
from tui.stack.layout import LAYOUT_NAME, SCHEMA_NAME, is_layout, load_layout
from tui.stack.model import NO_LAYOUT, Stack, Variant
from tui.stack.root import bundled_root
from tui.stack.selection import FILES, NOTHING, Selection, applied, existing, named_files

DEFAULT_STACK = "flight-delay"
# In the environment or a stack's `.env`: which of its variants is opened.
VARIANT_VARIABLE = "SPARKDECK_VARIANT"

# The order in which docker compose itself takes them.
COMPOSE_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
OVERRIDE_NAMES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)


def bundled_stacks() -> list[Stack]:
    """The stacks that SparkDeck brings, by name. Raises LayoutError if a layout has mistakes."""
    return [_folder_stack(_compose_root() / name) for name in _bundled_names()]


def find_stack(choice: str | None, cwd: Path, variant: str | None = None, selection: Selection = NOTHING) -> Stack:
    """The stack that is meant: a bundled one's NAME, or the PATH of a folder, a compose file or a layout.

    Where its layout has variants: the one of this name, else that of SPARKDECK_VARIANT in its `.env`, else the default.

    A bundled name goes before a folder of the same name (write `./NAME` for that). Without a choice it is the
    compose project of `cwd` or of the nearest folder above, as for docker compose, else `flight-delay`; but never
    that where `cwd` has compose files of other names. Files or a folder in `selection` go before all of that, as
    do COMPOSE_FILE in the environment, where there is no choice, and in the `.env` of the project's folder.
    Raises StackError, or LayoutError if the stack's layout has mistakes.
    """
    if choice and selection.names_project:
        raise StackError(
            "--stack (SPARKDECK_STACK) and --file or --project-directory both say which project is meant. Say it once."
        )
    try:
        named = _selected(selection, cwd) if choice is None else None
        found = named or _find(choice, cwd)
    except LayoutError as error:
        if error.bare is not None:
            error.bare = applied(error.bare, selection, cwd)
        raise
    stack = applied(with_variant(found, variant), selection, cwd)
    where = () if named else _words(stack, choice, cwd)
    return replace(stack, words=(*where, *selection.words(cwd), *(("--variant", variant) if variant else ())))


def _selected(selection: Selection, cwd: Path) -> Stack | None:
    """The project that compose's own options or COMPOSE_FILE name."""
    if not selection.names_project and not os.environ.get(FILES):
        return None
    cwd = _still_there(cwd)
    folder = (cwd / selection.directory).absolute()
    if not folder.is_dir():
        raise StackError(f"There is no folder {folder}, which --project-directory names.")
    files = tuple(existing((cwd / name).absolute(), "--file") for name in selection.files)
    if not files and os.environ.get(FILES):
        files = named_files(cwd, also=os.environ)
    return _folder_stack(folder if selection.directory or not files else files[0].parent, files)


def _words(stack: Stack, choice: str | None, cwd: Path) -> Sequence[str]:
    if choice in _bundled_names() or (stack.bundled and choice is None):
        return "--stack", stack.name
    if choice is None and stack.folder == cwd.resolve():
        return ()
    return "--stack", str((cwd / Path(choice).expanduser()).absolute() if choice else stack.folder)


def with_variant(stack: Stack, name: str | None) -> Stack:
    """A stack with the compose files of one of its variants. Raises StackError naming those that there are."""
    variants = stack.layout.variants if stack.variant else ()
    name = name or (read_env_file(stack.env_file).get(VARIANT_VARIABLE) if variants else None)
    if not name:
        return stack
    known = [variant.name for variant in variants]
    if name not in known:
        has = f"It has: {', '.join(known)}." if known else "It has none."
        raise StackError(f"{stack.name} has no variant {name!r}{nearest(name, known)} {has}")
    return _with_files(stack, variants[known.index(name)])


def _with_files(stack: Stack, variant: Variant) -> Stack:
    files = tuple(stack.folder / name for name in variant.files)
    missing = [file for file in files if not file.is_file()]
    if missing:
        raise StackError(f"{stack.name}: the variant {variant.name} names {missing[0]}, and there is no such file.")
    return replace(stack, files=files, variant=variant)


def _find(choice: str | None, cwd: Path) -> Stack:
    if choice in _bundled_names():
        return _folder_stack(_compose_root() / choice)
    if choice is None or not (choice.startswith("~") or Path(choice).is_absolute()):
        cwd = _still_there(cwd)
    if choice is None:
        here = cwd if named_files(cwd) else next((one for one in (cwd, *cwd.parents) if _holds_stack(one)), None)
        if here is None and (others := _other_files(cwd)):
            raise StackError(
                f"{cwd} has no compose file under a usual name ({', '.join(COMPOSE_NAMES)}), but {', '.join(others)}. "
                f"Open one: sparkdeck --stack ./{others[0]}. A bundled stack: sparkdeck --stack {DEFAULT_STACK}."
            )
        return _folder_stack(here if here else _compose_root() / DEFAULT_STACK)
    try:
        return _path_stack(choice, cwd)
    except (OSError, RuntimeError, ValueError) as error:
        raise StackError(f"The stack {choice!r} cannot be read: {_reason(error)}") from error


def _still_there(cwd: Path) -> Path:
    try:
        return cwd.absolute()
    except FileNotFoundError:
        raise StackError("The folder that this was started in is gone. Change to another one.") from None


def compose_files(folder: Path) -> tuple[Path, ...]:
    """The compose files of a folder, as docker compose picks them: those that COMPOSE_FILE in its `.env` names, else
    the usual one and its override; none if there is none. Raises StackError for one that is named and not there."""
    if named := named_files(folder):
        return named
    main = _first(folder, COMPOSE_NAMES)
    override = _first(folder, OVERRIDE_NAMES)
    if main is None:
        return ()
    return (main, override) if override else (main,)


def copy_out(stack: Stack, target: Path) -> list[Path]:
    """Copies a stack's folder and layout for editing, whole or not at all; returns the files of the copy.

    `work/` and `.env` stay behind; links are followed. Raises StackError if `target` is not empty.
    """
    source, target = stack.folder.resolve(), target.absolute()
    if target.resolve().is_relative_to(source):
        raise StackError(f"{target} lies in the stack's own folder {source}. Choose another folder.")
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise StackError(f"{target} is not an empty folder. Choose a new or an empty one; nothing was written.")
        _copy(stack, source, target)
        return sorted(path for path in target.rglob("*") if path.is_file())
    except (OSError, shutil.Error) as error:
        raise StackError(f"{stack.name} could not be copied to {target}: {_reason(error)}") from error


def _holds_stack(folder: Path) -> bool:
    """Whether a compose project lies there, under its usual names or those of its own layout."""
    return _first(folder, (*COMPOSE_NAMES, LAYOUT_NAME)) is not None


def _other_files(folder: Path) -> list[str]:
    """What look like compose files of other names than docker compose finds: one of them is meant, no bundled stack."""
    try:
        names = sorted(path.name for path in folder.iterdir() if path.suffix in (".yaml", ".yml") and path.is_file())
    except OSError:
        return []
    return [name for name in names if "compose" in name.lower()]


def _compose_root() -> Path:
    return bundled_root() / "compose"


def _bundled_names() -> list[str]:
    root = _compose_root()
    return sorted(folder.name for folder in root.iterdir() if _is_bundled(folder)) if root.is_dir() else []


def _is_bundled(folder: Path) -> bool:
    return bool(compose_files(folder)) or (bundled_root() / "layouts" / f"{folder.name}.yaml").is_file()


def _first(folder: Path, names: Iterable[str]) -> Path | None:
    try:
        return next((folder / name for name in names if (folder / name).is_file()), None)
    except OSError:  # a folder above that is not ours to read
        return None


def _path_stack(choice: str, cwd: Path) -> Stack:
    path = cwd / Path(choice).expanduser()
    if not choice or (not set("/.~") & set(choice) and not path.exists()):
        names = _bundled_names()
        raise StackError(
            f"There is no stack {choice!r}{nearest(choice, names)} "
            f"Known stacks: {', '.join(names) or 'none'}. "
            "Or give the path of a folder, a compose file or a layout."
        )
    if path.is_dir():
        return _folder_stack(path)
    if not path.is_file():
        raise StackError(f"There is no file or folder {path}.")
    # As with `docker compose -f`: a file that is named comes without its override.
    return _layout_stack(path) if is_layout(path) else _folder_stack(path.parent, (path.absolute(),))


def _folder_stack(folder: Path, named: tuple[Path, ...] = (), layout_file: Path | None = None) -> Stack:
    folder = folder.resolve()
    files = tuple(file.parent.resolve() / file.name for file in named) or compose_files(folder)
    layout_file = layout_file or _layout_file(folder)
    try:
        layout = load_layout(layout_file) if layout_file else NO_LAYOUT
    except LayoutError as error:
        if files:
            error.bare = Stack(folder.name or "stack", folder, files, home=folder)
        raise
    variant = next((one for one in layout.variants if one.default), None) if not named else None
    if not files and not variant:
        raise StackError(f"{folder} has no compose file. Looked for: {', '.join(COMPOSE_NAMES)}")
    name = layout.name or folder.name or "stack"
    bundled = folder.parent == _compose_root().resolve()
    home = user_data_path("sparkdeck", appauthor=False) / name if bundled and _is_installed(folder) else folder
    stack = Stack(name=name, folder=folder, files=files, home=home, layout=layout, bundled=bundled)
    return _with_files(stack, variant) if variant else stack


def _layout_file(folder: Path) -> Path | None:
    """The layout beside a compose project, or that of a checkout: compose/NAME and layouts/NAME.yaml."""
    beside = folder / LAYOUT_NAME
    if beside.is_file():
        return beside
    kept = folder.parent.parent / "layouts" / f"{folder.name}.yaml"
    return kept if folder.parent.name == "compose" and kept.is_file() and is_layout(kept) else None


def _layout_stack(file: Path) -> Stack:
    sibling = file.resolve().parent.parent / "compose" / file.stem
    for folder in (file.parent, sibling):
        if compose_files(folder) or _first(folder, _named(file)):
            return _folder_stack(folder, layout_file=file.absolute())
    raise StackError(
        f"The layout {file} has no compose project. Looked in {file.parent} and {sibling} "
        f"for: {', '.join(COMPOSE_NAMES)}"
    )


def _named(layout: Path) -> list[str]:
    """The compose files that a layout's variants name."""
    return [name for variant in load_layout(layout).variants for name in variant.files]


def _is_installed(folder: Path) -> bool:
    return bool({"site-packages", "dist-packages"} & set(folder.parts)) or not os.access(folder, os.W_OK)


def _copy(stack: Stack, source: Path, target: Path) -> None:
    existed = target.exists()
    if not existed:
        target.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target, so that one rename puts the copy in place; inside of one that is there already, since
    # somebody's shell may stand in it.
    stage = Path(tempfile.mkdtemp(prefix=".sparkdeck-", dir=target if existed else target.parent))
    placed: list[Path] = []
    try:
        shutil.copytree(source, stage, ignore=_left_behind(source), dirs_exist_ok=True)
        if stack.layout.source:
            shutil.copyfile(stack.layout.source, stage / LAYOUT_NAME)
            # Its first line names the schema, for editors.
            shutil.copyfile(bundled_root() / "layouts" / SCHEMA_NAME, stage / SCHEMA_NAME)
        for path in (stage, *stage.rglob("*")):
            path.chmod(path.stat().st_mode | (0o700 if path.is_dir() else 0o600))
        if existed:
            for path in list(stage.iterdir()):
                placed.append(path.rename(target / path.name))
            stage.rmdir()
        else:
            stage.rename(target)
    except BaseException:
        for path in (stage, *placed):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        raise


def _left_behind(source: Path) -> Callable[[str, list[str]], set[str]]:
    def ignored(folder: str, names: list[str]) -> set[str]:
        mine = {"work", ".env"} if Path(folder) == source else set()
        return (mine | {"__pycache__"}) & set(names)

    return ignored


def _reason(error: Exception) -> str:
    if isinstance(error, shutil.Error) and error.args and isinstance(error.args[0], list):
        return "; ".join(f"{source}: {why}" for source, _, why in error.args[0][:3])
    return str(error)
