"""The one table of actions. Keys, footer, help, palette, read-only mode and the README's key table come from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from tui.engine.interface import Capability

PANES, ZOOM, MERGED = "panes", "zoom", "merged"
EVERYWHERE = (PANES, ZOOM, MERGED)
ONE_PANE = (PANES, ZOOM)
LOGS = (ZOOM, MERGED)
# Dialogs. One that an action opens is named as the action, and its key closes it too.
MENU, LOGIN, ASK, TEXT, CLEANUP, PALETTE, SUBMIT = "menu", "login", "ask", "text", "cleanup", "palette", "submit"
COMMANDS, FINDINGS, MLFLOW, HELP, INSPECT = "commands", "findings", "mlflow", "help", "inspect"
READ = (COMMANDS, FINDINGS, MLFLOW, HELP, INSPECT)
CHOICES = (MENU, LOGIN, PALETTE, FINDINGS, MLFLOW)
ASKING = (MENU, LOGIN, ASK, TEXT, CLEANUP, PALETTE, SUBMIT)


@dataclass(frozen=True, slots=True)
class Action:
    """Something a key does. `keys` are characters or Textual's key names; without any it is in the palette only.

    `scope`: the screens and dialogs where it is valid. `changes`: it changes the stack, so that `--read-only` removes
    it. `danger`: it destroys something, so that it asks first. `rank` orders the footer, 0 keeps out of it.
    """

    id: str
    keys: tuple[str, ...]
    title: str
    help: str
    scope: tuple[str, ...] = EVERYWHERE
    changes: bool = False
    danger: bool = False
    rank: int = 0


ACTIONS: tuple[Action, ...] = (
    Action("left", ("left", "h"), "left", "The pane to the left; in a log, scroll left", (*EVERYWHERE, ASK)),
    Action(
        "down", ("down", "j"), "down", "The pane below; in a log, the next line", (*EVERYWHERE, *READ, PALETTE, SUBMIT)
    ),
    Action(
        "up",
        ("up", "k"),
        "up",
        "The pane above; in a log, the line before, and pause",
        (*EVERYWHERE, *READ, PALETTE, SUBMIT),
    ),
    Action("right", ("right", "l"), "right", "The pane to the right; in a log, scroll right", (*EVERYWHERE, ASK)),
    Action("next", ("tab",), "next", "The next pane; zoomed in, the next service", (*ONE_PANE, SUBMIT)),
    Action(
        "previous", ("shift+tab",), "previous", "The pane before; zoomed in, the service before", (*ONE_PANE, SUBMIT)
    ),
    Action("jump", tuple("123456789"), "jump", "Pane number 1 to 9", ONE_PANE),
    Action("page-up", ("pageup", "ctrl+b"), "page up", "A page up"),
    Action("page-down", ("pagedown", "ctrl+f"), "page down", "A page down"),
    Action("top", ("g", "home"), "top", "To the top; again in a log: older lines are loaded"),
    Action("bottom", ("G", "end"), "bottom", "To the end; a log follows again"),
    Action("zoom", ("enter",), "zoom", "The focused service in full: log, graphs, settings", (PANES,), rank=1),
    Action("open-row", ("enter",), "unfold", "Open a folded stack trace, load skipped or older lines", LOGS, rank=3),
    Action(
        "back", ("escape",), "back", "Back; first ends a search, a selection or a filter", (*EVERYWHERE, MLFLOW), rank=2
    ),
    Action(
        "find", ("/",), "find", "Search the log (text or /regex/); in the table, filter", (*EVERYWHERE, MLFLOW), rank=4
    ),
    Action("find-next", ("n",), "next match", "The next match", LOGS),
    Action("find-previous", ("N",), "match before", "The match before", LOGS),
    Action("filter", ("&",), "filter", "Only lines with a text or /regex/; !text: those without", LOGS, rank=6),
    Action("level", ("v",), "level", "Only warnings and worse, only errors, all", LOGS, rank=7),
    Action("follow", ("f",), "follow", "Follow the end of the log, or stop here", LOGS, rank=5),
    Action("wrap", ("w",), "wrap", "Wrap long lines", LOGS),
    Action("timestamps", ("t",), "times", "Show the time of each line", LOGS),
    Action("fold", ("z",), "fold", "Fold stack traces to a line, or show them all", LOGS),
    Action(
        "mark", ("space",), "mark", "Mark a pane, to act on several; in a log, a line", (*EVERYWHERE, MLFLOW), rank=12
    ),
    Action("next-mark", ("]",), "next mark", "The next marked line", LOGS),
    Action("previous-mark", ("[",), "mark before", "The marked line before", LOGS),
    Action("export", ("W",), "to file", "Write the log, what is shown or all of it, to a file", LOGS),
    Action("merged", ("L",), "logs together", "Logs of the marked services, or all, in one by time", ONE_PANE, rank=9),
    Action("table", ("T",), "table", "Panes or table", (PANES,)),
    Action("sort", ("<", ">"), "sort", "Sort the table by the column before or after", (PANES,)),
    Action(
        "inspect",
        ("i",),
        "inspect",
        "Settings, mounts, ports, processes and the raw record",
        (*ONE_PANE, INSPECT),
        rank=10,
    ),
    Action("secrets", ("V",), "secrets", "Show or hide secrets among the settings", (ZOOM, INSPECT, LOGIN)),
    Action("start", ("u",), "start", "Start the focused service, or the marked ones", ONE_PANE, changes=True),
    Action("stop", ("s",), "stop", "Stop the focused service, or the marked ones", ONE_PANE, changes=True, danger=True),
    Action("restart", ("r",), "restart", "Restart the focused service, or the marked ones", ONE_PANE, True, rank=8),
    Action("restart-menu", ("R",), "restart...", "Restart all workers, recreate, rebuild", ONE_PANE, True),
    Action("scale-up", ("+",), "worker more", "One worker more", ONE_PANE, changes=True),
    Action("scale-down", ("-",), "worker less", "One worker less; it finishes its tasks first", ONE_PANE, True, True),
    Action("shell", ("e",), "shell", "A shell in the service; leaving it comes back here", ONE_PANE, True, rank=11),
    Action("spark-shell", ("E",), "Spark shell", "A Spark shell on the cluster, Scala or Python", ONE_PANE, True),
    Action("open", ("o",), "open UI", "Open the service's page, or copy its address", (*ONE_PANE, MLFLOW), rank=9),
    Action(
        "copy",
        ("y",),
        "copy",
        "Copy name, id, address; in a log the selection or line",
        (*EVERYWHERE, MLFLOW, HELP, INSPECT, LOGIN),
    ),
    Action("submit", ("J",), "submit a job", "Submit a job, see runs so far, submit one again", ONE_PANE, True, rank=7),
    Action("mlflow", ("m",), "MLflow runs", "Newest runs: metrics, parameters, two side by side", (*ONE_PANE, MLFLOW)),
    Action("findings", ("!",), "findings", "What is wrong, and what to do about it", (*ONE_PANE, FINDINGS)),
    Action("cancel", ("x",), "cancel", "Cancel the focused run", ONE_PANE, changes=True, danger=True),
    Action("up-stack", ("U",), "stack up", "Start the whole stack", ONE_PANE, changes=True, rank=13),
    Action("down-stack", ("D",), "stack down", "Stop and remove every service and run", ONE_PANE, True, danger=True),
    Action("cleanup", (), "clean up", "What the stack keeps here, and its removal", ONE_PANE, True, danger=True),
    Action(
        "commands",
        ("c",),
        "commands",
        "What was run, how long it took, what it answered",
        (*EVERYWHERE, COMMANDS),
        rank=14,
    ),
    Action("stop-command", (), "stop command", "Stop waiting for the newest running command", EVERYWHERE),
    Action("theme", (), "theme", "Dark or light", EVERYWHERE),
    Action("palette", (":", "ctrl+p"), "actions", "Every action valid here, by name", rank=15),
    Action("help", ("?",), "help", "The keys valid here", (*EVERYWHERE, *READ), rank=16),
    Action("quit", ("q",), "quit", "Leave; the stack and its runs go on", rank=17),
    Action("choose", ("enter",), "choose", "In a dialog: take what is highlighted", CHOICES),
    Action(
        "leave",
        ("escape",),
        "leave",
        "In a dialog: leave it without an answer",
        (*ASKING, COMMANDS, FINDINGS, HELP, INSPECT),
    ),
    Action("close", ("q",), "close", "In a page that is read: close it", READ),
    Action("yes", ("y",), "yes", "In a question: yes", (ASK,)),
    Action("no", ("n",), "no", "In a question: no", (ASK, CLEANUP)),
    Action("stop-this", ("x",), "stop", "Among the commands: stop the chosen one", (COMMANDS,)),
    Action("send", ("ctrl+s",), "submit", "In the form: submit the job", (SUBMIT,)),
)

BY_ID: Mapping[str, Action] = {action.id: action for action in ACTIONS}

# What an engine must have for an action: where it has not, the action is greyed and says why.
NEEDS: Mapping[str, Capability] = {
    **dict.fromkeys(("merged", "export"), Capability.LOGS),
    **dict.fromkeys(
        ("start", "stop", "restart", "restart-menu", "up-stack", "down-stack", "cancel"), Capability.CONTROL
    ),
    **dict.fromkeys(("scale-up", "scale-down"), Capability.SCALE),
    **dict.fromkeys(("shell", "spark-shell"), Capability.INSIDE),
    "submit": Capability.RUNS,
    "cleanup": Capability.CLEANUP,
}

_SHOWN = {
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "escape": "Esc",
    "enter": "Enter",
    "space": "Space",
    "tab": "Tab",
    "shift+tab": "Shift+Tab",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
}


def shown(key: str) -> str:
    """A key as a person writes it."""
    return _SHOWN.get(key, key.replace("ctrl+", "Ctrl+"))


def keys_text(keys: Iterable[str]) -> str:
    """Several keys in few cells."""
    keys = list(keys)
    if keys == list("123456789"):
        return "1-9"
    return " ".join(shown(key) for key in keys)


class Keymap:
    """Which key does what, with the user's own keys and without what `--read-only` removes.

    `lacks`: why the engine of now has not got a capability.
    """

    def __init__(
        self,
        overrides: Mapping[str, tuple[str, ...]] | None = None,
        *,
        read_only: bool = False,
        lacks: Callable[[Capability], str] = lambda capability: "",
    ) -> None:
        self._lacks = lacks
        own = overrides or {}
        self.actions = [action for action in ACTIONS if not (read_only and action.changes)]
        self.keys = {action.id: own.get(action.id, action.keys) for action in ACTIONS}
        self._found = {
            (scope, key): action for action in self.actions for scope in action.scope for key in self.keys[action.id]
        }

    def find(self, scope: str, key: str) -> Action | None:
        """The action of a key on a screen."""
        return self._found.get((scope, key))

    def tell(self, text: str) -> str:
        """A sentence with keys in it, `{leave} closes`: the first one of each action that is named."""
        return text.format_map({name: shown(keys[0]) if keys else "-" for name, keys in self.keys.items()})

    def allows(self, action_id: str) -> bool:
        """Whether an action exists at all in this mode."""
        return any(action.id == action_id for action in self.actions)

    def why_not(self, action_id: str) -> str:
        """Why an action cannot be done on this engine; empty if it can."""
        needed = NEEDS.get(action_id)
        return self._lacks(needed) if needed else ""

    def of(self, scope: str) -> list[Action]:
        """The actions valid on a screen, in the table's order."""
        return [action for action in self.actions if scope in action.scope]

    def footer(self, scope: str) -> list[tuple[str, Action]]:
        """First key and action for the footer, the most wanted first."""
        ranked = sorted((action for action in self.of(scope) if action.rank), key=lambda action: action.rank)
        return [(shown(self.keys[action.id][0]), action) for action in ranked if self.keys[action.id]]


def clashes(keys: Mapping[str, tuple[str, ...]]) -> list[tuple[str, str, str]]:
    """Keys that two actions of the same screen want: key, first action, second action."""
    found: list[tuple[str, str, str]] = []
    taken: dict[tuple[str, str], str] = {}
    for action in ACTIONS:
        for key in keys.get(action.id, action.keys):
            for scope in action.scope:
                other = taken.setdefault((scope, key), action.id)
                if other != action.id and (key, other, action.id) not in found:
                    found.append((key, other, action.id))
    return found


def readme_table() -> str:
    """The README's key table, in Markdown."""
    lines = ["| Key | Action | What it does |", "|---|---|---|"]
    for action in ACTIONS:
        keys = "1-9" if action.id == "jump" else " ".join(f"`{shown(key)}`" for key in action.keys)
        asks = "; asks first" if action.danger else ""
        lines.append(f"| {keys or 'palette'} | {action.title} | {action.help}{asks} |")
    return "\n".join(lines) + "\n"
