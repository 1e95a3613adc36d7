"""What a log line is: its level, and whether it continues the stack trace above it. Pure; text is untrusted."""

from __future__ import annotations

import re
from collections.abc import Callable

from tui.text import bare

# The level stands near the beginning, after a time, a thread and a logger at most.
_HEAD = 160
_WORDS_BEFORE = 8
_LOOK_BACK = 80

_LEVELS = {
    "FATAL": "error",
    "CRITICAL": "error",
    "SEVERE": "error",
    "ERROR": "error",
    "PANIC": "error",
    "WARN": "warn",
    "WARNING": "warn",
    "INFO": "info",
    "NOTICE": "info",
    "DEBUG": "debug",
    "TRACE": "debug",
}
_LETTERS = {"C": "error", "F": "error", "E": "error", "W": "warn", "I": "info", "D": "debug"}
_WORD = re.compile(r"(?<![\w.-])(FATAL|CRITICAL|SEVERE|ERROR|PANIC|WARN(?:ING)?|INFO|NOTICE|DEBUG|TRACE)(?![\w-])")
# Jupyter `[I 2026-11-21 02:14:51.123 ServerApp]`, glog `I1121 02:14:51.123`.
_LETTER = re.compile(r"\[([CDEIW]) \d{4}-\d\d-\d\d |([FEIW])\d{4} \d\d:\d\d:")
# JSON and logfmt.
_KEY = re.compile(r"""(?:"(?:level|levelname|severity|lvl)"\s*:\s*"|\b(?:level|severity|lvl)=)([A-Za-z]{3,8})""")

_TRACEBACK = "Traceback (most recent call last):"
_JAVA = re.compile(r"\s+at [\w$.<>/@-]+\(|\s*(?:Caused by: |Suppressed: |\.\.\. \d+ (?:more|common frames omitted))")
_THROWN = re.compile(
    r"(?:[a-zA-Z_][\w$]*\.)+[A-Z][\w$]*(?::|$)|[A-Z]\w*(?:Error|Exception|Warning|Interrupt|Exit)(?::|$)"
)
_IN_THREAD = 'Exception in thread "'
_CHAINED = ("During handling of the above exception,", "The above exception was the direct cause")


def level(text: str) -> str | None:
    """error, warn, info, debug, or None where the line names none."""
    head = _head(text)
    if not head:
        return None
    if head[0] == "{" or "=" in head:
        found = _KEY.search(text, 0, 2000)
        if found:
            return _LEVELS.get(found[1].upper())
    letter = _LETTER.match(head)
    if letter:
        return _LETTERS[letter[1] or letter[2]]
    word = _WORD.search(head)
    if word and head.count(" ", 0, word.start()) <= _WORDS_BEFORE:
        return _LEVELS[word[1]]
    return "error" if head.startswith((_TRACEBACK, _IN_THREAD)) else None


def continues(text: str, before: Callable[[int], str | None], *, above_does: bool | None = None) -> bool:
    """Whether the line belongs to what was begun above; `before(1)` is the line above, None where there is none.
    `above_does`: whether that one belongs to it, where that is known."""
    head = _head(text)
    if _goes_on(head):
        return True
    if _is_indented(head):
        # Else a long text with indented lines is read again and again.
        if above_does is not None and (above := before(1)) is not None:
            other = _head(above)
            if _is_indented(other) and not _goes_on(other):
                return above_does
        return _in_traceback(before)
    if not head.startswith(_TRACEBACK) and not _THROWN.match(head):
        return False
    above = before(1)
    # An exception belongs to the line that logged it.
    logged = above is not None and not _THROWN.match(_head(above)) and level(above) in ("error", "warn")
    return logged or _in_traceback(before)


def _goes_on(head: str) -> bool:
    return head[:1] == "\t" or _JAVA.match(head) is not None or head.startswith(_CHAINED)


def _is_indented(head: str) -> bool:
    return not head or head[0] == " "


def _in_traceback(before: Callable[[int], str | None]) -> bool:
    """Whether the lines above are those of a Python traceback, up to its first."""
    for distance in range(1, _LOOK_BACK):
        above = before(distance)
        if above is None:
            return False
        head = _head(above)
        if head.startswith(_TRACEBACK):
            return True
        if head and head[0] not in " \t" and not _THROWN.match(head) and not head.startswith(_CHAINED):
            return False
    return False


def _head(text: str) -> str:
    head = text[: 2 * _HEAD]
    return (bare(head) if "\x1b" in head else head)[:_HEAD].rstrip("\r\n ")
