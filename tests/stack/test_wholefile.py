"""Files that are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.stack.wholefile import whole_file


def test_a_new_file_takes_no_other_ones_place(tmp_path: Path) -> None:
    target = tmp_path / "log"
    with pytest.raises(FileExistsError), whole_file(target, new=True) as file:
        file.write("ours")
        target.write_text("theirs")
    assert target.read_text() == "theirs" and list(tmp_path.iterdir()) == [target], "and no part is left"
    with whole_file(target) as file:
        file.write("ours")
    assert target.read_text() == "ours"
