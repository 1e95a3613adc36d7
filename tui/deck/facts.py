"""What a pane has to say, as the texts and figures that cards, rows, tables and zoom all draw from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tui.deck import words
from tui.text import bare
from tui.watch.live import Pane
from tui.watch.ready import Step
from tui.watch.words import DONE, took_text

# A sample older than this (seconds) is not the present any more.
STALE = 10.0

_TOKEN = re.compile(r"token=[^&\s]+")


@dataclass(frozen=True, slots=True)
class Facts:
    """The figures of a pane now; None is unknown. CPU in percent of one core, memory without page cache."""

    name: str
    word: str
    sign: str
    style: str
    up: str
    took: str
    restarts: int
    cpu: float | None
    cores: int | None
    memory: int | None
    limit: int | None
    processes: int | None
    rates: tuple[float | None, float | None, float | None, float | None]
    note: str
    line: str
    link: str
    age: float | None

    @property
    def cpu_fraction(self) -> float | None:
        """CPU of all cores of the engine's machine, 0 to 1."""
        return self.cpu / 100 / self.cores if self.cpu is not None and self.cores else None

    @property
    def memory_fraction(self) -> float | None:
        """Memory of its limit, 0 to 1."""
        return self.memory / self.limit if self.memory is not None and self.limit else None


def facts(pane: Pane, now: datetime, step: Step | None = None) -> Facts:
    """Reads a pane. `step` is where its service stands in a start that is under way."""
    replica = pane.replica
    age = pane.samples.age_seconds
    sample = pane.samples.latest if pane.is_running and (age is None or age < STALE) else None
    up = words.UNKNOWN
    if replica is not None and replica.started_at is not None:
        if pane.is_running:
            up = f"up {words.span((now - replica.started_at).total_seconds())}"
        elif replica.ended_at is not None:
            up = f"{words.span((now - replica.ended_at).total_seconds())} ago".replace("now ago", "just now")
    sign, style = words.sign(pane.word)
    note = bare(pane.note)
    if step is not None:
        note = bare(step.told)
        if not step.waits and not step.word.startswith(DONE):
            note += f" {'after' if step.ready else 'for'} {words.took(step.seconds)}"
    return Facts(
        name=bare(pane.name),
        word=bare(pane.word),
        sign=sign,
        style=style,
        up=up,
        took=took_text(replica) if replica is not None and pane.word == DONE else "",
        restarts=replica.restarts if replica else 0,
        cpu=sample.cpu_percent if sample else None,
        cores=pane.cores,
        memory=sample.memory if sample else None,
        limit=sample.memory_limit if sample else None,
        processes=sample.processes if sample else None,
        rates=pane.samples.rates() if sample else (None, None, None, None),
        note=" ".join(note.split()),
        line=bare(pane.line),
        link=without_token(bare(pane.links[0][1])) if pane.links else "",
        age=age,
    )


def without_token(text: str) -> str:
    """Who looks over the shoulder or at a picture needs no token; opening and copying take the whole address."""
    return _TOKEN.sub("token=…", text) if "token=" in text else text


def top_of(values: Sequence[float | None], least: float) -> float:
    """The value of a full graph column: the highest one seen, at least `least`."""
    return max(least, max((value for value in values if value is not None), default=0.0))
