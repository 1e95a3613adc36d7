"""The data: real, split the same way each time, and held to what its columns say."""

import json
import stat
from pathlib import Path

import pytest
from airflow_standalone import make_login
from breastcancer.checks import problems
from breastcancer.columns import FEATURES, NAMES, TARGET
from breastcancer.data import SPOILS, load, read, split, write


def test_the_data_is_real_and_whole() -> None:
    frame = load()
    assert list(frame) == [*NAMES, TARGET]
    assert len(frame) == 569
    assert frame[TARGET].sum() == 212, "the malignant ones"
    assert problems(frame) == []
    first = frame.iloc[0]
    assert [first[one.name] for one in FEATURES] == [one.example for one in FEATURES]


@pytest.mark.parametrize(
    ("fault", "words"),
    {
        "missing": ["column texture has no value in 12 of 569 samples"],
        "range": ["column area is outside 10 to 10000 in 6 samples, as -1001"],
        "schema": ["column radius is missing", "column diameter is not known"],
        "labels": ["column malignant is 1 in 0% of the samples: either class needs at least 10%"],
    }.items(),
)
def test_each_fault_is_found_and_named(fault: str, words: list[str]) -> None:
    assert fault in SPOILS
    assert problems(load(fault)) == words


def test_other_faults_are_found_too() -> None:
    frame = load()
    assert problems(frame.head(50)) == ["50 samples are too few: at least 200"]
    frame["symmetry"] = "wide"
    frame.loc[3, TARGET] = 2
    assert problems(frame) == [
        "column symmetry holds object, not numbers",
        "column malignant is neither 0 nor 1 in 1 samples, as 2",
    ]
    assert len(problems(frame.head(0)[["radius"]])) > 9, "an empty set with one column"


def test_a_sample_is_in_the_same_part_whatever_stands_beside_it(tmp_path: Path) -> None:
    frame = load()
    train, held_out = split(read(write(frame, tmp_path)))
    assert len(train) + len(held_out) == len(frame)
    assert 0.2 < len(held_out) / len(frame) < 0.3
    fewer = frame.sample(300, random_state=1)
    _, of_fewer = split(fewer)
    assert set(of_fewer.index) == set(held_out.index) & set(fewer.index)


def test_a_file_is_named_by_what_is_in_it(tmp_path: Path) -> None:
    path = write(load(), tmp_path)
    assert read(path).equals(load()), "to the last bit"
    before = path.stat().st_mtime_ns
    assert write(load(), tmp_path) == path
    assert path.stat().st_mtime_ns == before
    assert write(load("range"), tmp_path) != path
    assert not list(tmp_path.glob("*.part"))


def test_the_login_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    home = tmp_path / "airflow"
    make_login(home)
    (path,) = home.iterdir()
    made = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(json.loads(made)["admin"]) >= 20
    make_login(home)
    assert path.read_text() == made
