"""A log in rotated files: nothing is lost, doubled or torn, whoever reads while it is written."""

from __future__ import annotations

import os
import threading
from itertools import pairwise
from pathlib import Path

import pytest

from tui.engine.process.logfile import LONGEST, LogReader, LogWriter


def read(reader: LogReader) -> list[str]:
    found = []
    while lines := reader.more():
        found += [line.text for line in lines]
    return found


def test_streams_keep_their_lines_and_times_grow(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path)
    writer.feed("o", b"one\ntw")
    writer.feed("e", b"bad\n")
    writer.feed("o", b"o\nthe end")
    writer.end()
    reader = LogReader(tmp_path)
    lines = reader.more()
    reader.close()
    assert [(line.text, line.is_error) for line in lines] == [
        ("one", False),
        ("bad", True),
        ("two", False),
        ("the end", False),
    ]
    assert all(first.at_ns < then.at_ns for first, then in pairwise(lines))


def test_a_long_line_comes_in_pieces_of_which_none_is_lost(tmp_path: Path) -> None:
    text = "".join(chr(97 + place % 26) for place in range(3 * LONGEST + 5))
    writer = LogWriter(tmp_path)
    for start in range(0, len(text), 10_000):
        writer.feed("o", text[start : start + 10_000].encode())
    writer.feed("o", b"\n")
    pieces = read(LogReader(tmp_path))
    assert "".join(pieces) == text and max(map(len, pieces)) <= LONGEST


def test_files_are_bounded_and_the_newest_lines_stay(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path, limit=1000, kept=3)
    for number in range(500):
        writer.feed("o", b"line %d\n" % number)
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["log", "log.1", "log.2"]
    assert all(file.stat().st_size < 1100 and file.stat().st_mode & 0o077 == 0 for file in files)
    texts = read(LogReader(tmp_path))
    assert texts == [f"line {number}" for number in range(500 - len(texts), 500)] and len(texts) > 60


@pytest.mark.parametrize("tail", [0, 1, 7, 40, 1000])
def test_the_last_lines_and_what_comes_after(tmp_path: Path, tail: int) -> None:
    writer = LogWriter(tmp_path, limit=1000, kept=9)
    for number in range(100):
        writer.feed("o", b"line %d\n" % number)
    reader = LogReader(tmp_path)
    assert [line.text for line in reader.start_with(tail)] == [f"line {n}" for n in range(max(0, 100 - tail), 100)]
    writer.feed("o", b"new\n")
    assert read(reader) == ["new"]


def test_a_reader_of_nothing_waits_for_the_first_line(tmp_path: Path) -> None:
    reader = LogReader(tmp_path)
    assert reader.start_with(5) == [] and reader.more() == []
    LogWriter(tmp_path).feed("o", b"first\n")
    assert read(reader) == ["first"]


def test_a_line_that_is_taken_back_is_not_seen_in_half(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path)
    writer.feed("o", b"one\n")
    reader = LogReader(tmp_path)
    assert read(reader) == ["one"]
    # Half a line on a full disk, taken back by the writer.
    with (tmp_path / "log").open("ab") as file:
        file.write(b"123 o half a li")
    assert read(reader) == []
    with (tmp_path / "log").open("ab") as file:
        file.truncate(file.tell() - len(b"123 o half a li"))
    writer.feed("o", b"two\n")
    assert read(reader) == ["two"]


def test_a_reader_whose_file_was_dropped_goes_on_with_the_oldest(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path, limit=300, kept=2)
    writer.feed("o", b"line 0\n")
    reader = LogReader(tmp_path)
    assert read(reader) == ["line 0"]
    for number in range(1, 200):
        writer.feed("o", b"line %d\n" % number)
    texts = read(reader)
    numbers = [int(text.split()[1]) for text in texts]
    assert numbers == sorted(set(numbers)) and numbers[-1] == 199


@pytest.mark.parametrize("moment", ["before", "amid", "after"])
def test_a_rotation_while_the_reader_looks_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    writer = LogWriter(tmp_path, limit=100, kept=200)
    number = looks = 0
    stat, is_amid = Path.stat, False

    def rotate() -> None:
        nonlocal number
        for _ in range(5):
            writer.feed("o", b"line %d\n" % number)
            number += 1

    def look() -> object:
        nonlocal looks, is_amid
        looks += 1
        is_due = looks < 60
        if is_due and moment == "before":
            rotate()
        is_amid = is_due and moment == "amid"
        found = files()
        if is_due and moment == "after":
            rotate()
        return found

    def stat_amid(file: Path, **how: bool) -> os.stat_result:
        nonlocal is_amid
        if is_amid and file.name == "log.1":
            is_amid = False
            rotate()
        return stat(file, **how)

    rotate()
    reader = LogReader(tmp_path)
    files = reader._files
    monkeypatch.setattr(reader, "_files", look)
    monkeypatch.setattr(Path, "stat", stat_amid)
    texts = read(reader)
    assert texts == [f"line {n}" for n in range(number)] and looks > 20


def test_following_a_log_that_is_rotated_all_the_time(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path, limit=2000, kept=200)
    count = 5000

    def write() -> None:
        for number in range(count):
            writer.feed("o", b"line %d\n" % number)

    thread = threading.Thread(target=write)
    reader = LogReader(tmp_path)
    thread.start()
    texts: list[str] = []
    while thread.is_alive():
        texts += [line.text for line in reader.more()]
    texts += read(reader)
    reader.close()
    assert texts == [f"line {number}" for number in range(count)]


def test_a_full_disk_is_counted_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = 70

    def write(handle: int, text: bytes) -> int:
        nonlocal room
        if room == 0:
            raise OSError(28, "No space left on device")
        part = text[:room]
        room -= len(part)
        return real(handle, part)

    real = os.write
    monkeypatch.setattr(os, "write", write)
    writer = LogWriter(tmp_path)
    for number in range(9):
        writer.feed("o", b"line %d\n" % number)
    for number in range(9, 15):
        # Never enough for the note and the line.
        room = 20
        writer.feed("o", b"line %d\n" % number)
    room = 10_000
    writer.feed("o", b"room again\n")
    texts = read(LogReader(tmp_path))
    (note,) = [text for text in texts if "the disk was full" in text]
    shown = [text for text in texts if text.startswith("line")]
    assert 1 <= len(shown) < 9 and texts[-1] == "room again"
    assert note.startswith(f"{15 - len(shown)} lines")
