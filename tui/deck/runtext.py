"""MLflow runs as text: a row each, one in full, two side by side. What the server says is made harmless and cut."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import takewhile

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from tui.checks.mlflow import is_stale
from tui.clients.mlflow import MlflowRun, ModelVersion
from tui.clients.text import plain
from tui.deck import words
from tui.deck.draw import fit
from tui.text import bare
from tui.watch.roles.mlflow import Recorded

_SIGNS = {"FINISHED": ("✓", "$success"), "RUNNING": ("▸", "$accent"), "FAILED": ("✗", "$error")}
# Cells: of a name in a row (in few cells: less), of a metric's name above its column, of a name and a value of a run.
NAME, NARROW_NAME, NARROW, METRIC, KEY, VALUE = 28, 16, 110, 24, 32, 28
# How much of a value, and how many of them, a run is shown with.
LONGEST, MOST = 1000, 200
STALE = "It says RUNNING, but what logged it is gone."


class RunTable:
    """Columns for these runs in `width` cells; metrics that most of them have come first, as many as fit.

    `running` are the ids of the job runs that go on.
    """

    def __init__(self, known: Recorded, runs: Sequence[MlflowRun], running: set[str], width: int) -> None:
        self._known = known
        self._running = running
        left = width - len(_start("  ", "", "", ""))

        def fits(cells: int) -> bool:
            nonlocal left
            left -= cells + 2
            return left >= 0

        widest = NARROW_NAME if width < NARROW else NAME
        self._columns = [
            (title, cells, text)
            for title, text in (("experiment", self.experiment), ("run", _name), ("model", self._model))
            if (longest := max((cell_len(_text(text(run))) for run in runs), default=0))
            and fits(cells := min(widest, max(cell_len(title), longest)))
        ]
        counts = Counter(key for run in runs for key in run.metrics)
        widths = ((key, min(METRIC, max(8, cell_len(_text(key))))) for key, _ in counts.most_common())
        self._metrics = list(takewhile(lambda column: fits(column[1]), widths))

    def experiment(self, run: MlflowRun) -> str:
        """The name of a run's experiment, raw."""
        return self._known.experiments.get(run.info.experiment_id, "")

    def head(self) -> Content:
        """The titles."""
        titles = [_cell(title, cells) for title, cells, _ in self._columns]
        titles += [_cell(key, cells, right=True) for key, cells in self._metrics]
        return Content.styled("  ".join([_start("  ", "status", "started", "took"), *titles]), "$text-muted")

    def row(self, run: MlflowRun, *, marked: bool) -> Content:
        """A run in one line."""
        info = run.info
        status, (sign, style) = info.status.lower(), _SIGNS.get(info.status, ("■", "$text-muted"))
        took = words.UNKNOWN
        now = datetime.now(UTC)
        if is_stale(run, self._running, now):
            sign, style, status = "▲", "$warning", "stale"
        elif info.started_at is not None:
            took = words.took(((info.ended_at or now) - info.started_at).total_seconds())
        began = f"{info.started_at.astimezone():%m-%d %H:%M}" if info.started_at else words.UNKNOWN
        start = _start(f"{'●' if marked else ' '}{sign}", status, began, took)
        styles = {"experiment": "$primary", "run": "bold", "model": "$success"}
        parts = [Content.styled(start[:12], style), Content.styled(start[12:], "$text-muted")]
        parts += [Content.styled(f"  {_cell(text(run), cells)}", styles[title]) for title, cells, text in self._columns]
        metrics = run.metrics
        for key, cells in self._metrics:
            value = f"{metrics[key]:.4g}" if key in metrics else words.UNKNOWN
            parts.append(Content(f"  {_cell(value, cells, right=True)}"))
        return Content.assemble(*parts)

    def details(self, run: MlflowRun) -> Content:
        """All that is known of a run."""
        experiment = self.experiment(run)
        of = f" of {_text(experiment)}" if experiment else ""
        parts = [Content.styled(f"{_text(run.info.run_id)}{of}\n", "$text-muted")]
        if is_stale(run, self._running, datetime.now(UTC)):
            parts.append(Content.styled(f"{STALE}\n", "$warning"))
        models = {f"{one.name} {one.version}": ", ".join(one.aliases) for one in self._models(run)}
        tags = {key: value for key, value in run.tags.items() if not key.startswith("mlflow.")}
        for title, pairs in (
            ("Registered as", models),
            ("Metrics", _values(run)),
            ("Parameters", run.params),
            ("Tags", tags),
        ):
            rows = [f"  {_cell(key, KEY)}  {_text(pairs[key], LONGEST)}" for key in sorted(pairs)[:MOST]]
            parts += _section(title, rows, len(pairs))
        return Content.assemble(*parts)

    def _models(self, run: MlflowRun) -> Sequence[ModelVersion]:
        return self._known.models.get(run.info.run_id, ())

    def _model(self, run: MlflowRun) -> str:
        return ", ".join(" ".join([one.name, one.version, *one.aliases]) for one in self._models(run))


def compared(left: MlflowRun, right: MlflowRun) -> Content:
    """Two runs side by side: every metric, and the parameters that differ."""
    parts = [Content.styled(f"  {_cell('', KEY)}  {_cell(_name(left), VALUE)}  {_cell(_name(right), VALUE)}\n", "bold")]
    for title, one, other, wanted in (
        ("Metrics", _values(left), _values(right), {*left.metrics, *right.metrics}),
        ("Parameters that differ", left.params, right.params, _differing(left.params, right.params)),
    ):
        rows = [
            "  ".join(["", _cell(key, KEY), *(_cell(run.get(key, words.UNKNOWN), VALUE) for run in (one, other))])
            for key in sorted(wanted)[:MOST]
        ]
        parts += _section(title, rows, len(wanted))
    return Content.assemble(*parts)


def about(run: MlflowRun, experiment: str) -> str:
    """What a filter looks at: name, status, experiment, parameters."""
    parts = [run.info.run_name, run.info.status, experiment]
    return " ".join([*parts, *(f"{key}={value}" for key, value in run.params.items())]).lower()


def _name(run: MlflowRun) -> str:
    return run.info.run_name or run.info.run_id


def _start(signs: str, status: str, began: str, took: str) -> str:
    return f"{signs} {_cell(status, 9)} {began:>11} {took:>11}"


def _values(run: MlflowRun) -> dict[str, str]:
    return {key: f"{value:.6g}" for key, value in run.metrics.items()}


def _differing(one: Mapping[str, str], other: Mapping[str, str]) -> Collection[str]:
    return [key for key in {*one, *other} if one.get(key) != other.get(key)]


def _section(title: str, rows: Iterable[str], count: int) -> list[Content]:
    if not count:
        return []
    more = [f"  and {count - MOST} more"] if count > MOST else []
    return [Content.styled(f"{title}\n", "bold $accent"), Content("\n".join([*rows, *more, ""]))]


def _text(text: str, longest: int = 100) -> str:
    return plain(bare(text[: 4 * longest]), longest)


def _cell(text: str, cells: int, *, right: bool = False) -> str:
    """Exactly so many cells."""
    text = fit(_text(text), cells)
    return " " * (cells - cell_len(text)) + text if right else set_cell_size(text, cells)
