"""The mlops stack for real: trained by Airflow, kept by MLflow, served by FastAPI; and each of its faults provoked."""

from __future__ import annotations

import json
import os
import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.by import By

from tests.real.browser import browser, see
from tests.real.deck import Deck, copy_out, free_ports, taken_away
from tests.real.hold import heard, until
from tui.stack.environment import NOT_ROOT

pytestmark = pytest.mark.engine

SAMPLE = {
    "radius": 17.99,
    "texture": 10.38,
    "perimeter": 122.8,
    "area": 1001,
    "smoothness": 0.1184,
    "compactness": 0.2776,
    "concavity": 0.3001,
    "concave_points": 0.1471,
    "symmetry": 0.2419,
    "fractal_dimension": 0.07871,
}


@pytest.fixture(scope="module")
def mlops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deck]:
    """The stack, up and healthy."""
    names = ("MLFLOW_PORT", "FASTAPI_PORT", "AIRFLOW_PORT")
    ports = dict(zip(names, map(str, free_ports(3)), strict=True))
    settings = {"COMPOSE_PROJECT_NAME": f"deck-mlops-{os.getpid()}", "REFRESH_SECONDS": "2", **ports}
    deck = copy_out("mlops", tmp_path_factory.mktemp("real") / "mlops", settings)
    with taken_away(deck) as started:
        started.run("setup", timeout=1800)
        yield started


def url(deck: Deck, service: str) -> str:
    return deck.run("open", service, "--print").stdout.split()[0].removesuffix("/").removesuffix("/docs")


def call(address: str, body: object = None, method: str | None = None) -> tuple[int, Any]:
    """Status and JSON of an answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def container(deck: Deck, service: str) -> str:
    name: str = next(row["replica"] for row in deck.json("status", code=None)["services"] if row["service"] == service)
    return name


def train(deck: Deck, *conf: str, code: int = 0) -> str:
    """A training run; its output."""
    return deck.run("submit", "train", *[word for one in conf for word in ("--conf", one)], code=code).stdout


def started_at(deck: Deck, service: str) -> str:
    command = ["docker", "inspect", "--format", "{{.State.StartedAt}}", container(deck, service)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def api(mlops: Deck) -> str:
    return url(mlops, "fastapi")


@pytest.fixture(scope="module")
def first(mlops: Deck, api: str) -> str:
    """The output of the first good training run, of a candidate that is not the best."""
    status, answer = call(f"{api}/predict", SAMPLE)
    assert status == 503
    assert answer["detail"] == (
        "There is no model: no version of the model breast-cancer has the alias champion yet: train one"
    )
    assert call(f"{api}/model")[0] == 503
    assert call(f"{api}/health")[1]["version"] is None
    return train(mlops, "candidates=boosting")


@pytest.fixture(scope="module")
def worse(mlops: Deck, first: str) -> str:
    """The output of a run with a worse candidate, in the middle of which Airflow is killed."""
    submitter = mlops.start("submit", "train", "--conf", "candidates=baseline")
    seen = ""
    try:
        # From then on candidates train.
        seen = heard(submitter, "569 samples are as they should be")
        subprocess.run(["docker", "kill", container(mlops, "airflow")], check=True, capture_output=True)
        mlops.run("up", "airflow")
        seen += submitter.communicate(timeout=300)[0]
    finally:
        submitter.kill()
        submitter.communicate()
    assert submitter.returncode == 0, seen
    return seen


@pytest.fixture(scope="module")
def better(mlops: Deck, worse: str, api: str) -> str:
    """The output of a run with a better candidate, after one with a worse; the API was not restarted."""
    before = started_at(mlops, "fastapi")
    output = train(mlops)
    assert started_at(mlops, "fastapi") == before
    return output


def test_everything_is_healthy_and_nothing_runs_as_root(mlops: Deck) -> None:
    states = {row["service"]: row["state"] for row in mlops.json("status")["services"]}
    assert states == dict.fromkeys(["mlflow", "fastapi", "airflow"], "healthy")
    for service in states:
        who = mlops.run("shell", service, "--", "sh", "-c", "id -u; ps -eo uid=").stdout.split()
        assert set(who) == {str(os.getuid() or NOT_ROOT)}
    assert mlops.json("doctor") == []


def test_bad_data_stops_the_run_and_says_why(mlops: Deck, api: str) -> None:
    output = train(mlops, "spoil=range", code=1)
    assert "the data set is not to be trained on: column area is outside 10 to 10000 in 6 samples, as -1001" in output
    assert "MLflow run" not in output, "nothing was trained on it"


def test_a_setting_that_is_not_known_is_refused(mlops: Deck) -> None:
    assert "is not one of" in train(mlops, "spoil=everything", code=1)


def test_the_first_training_is_served_at_once(first: str, api: str, mlops: Deck) -> None:
    assert "promoted: version 1 is the first champion" in first
    assert "569 samples are as they should be" in first, "the tasks' logs are shown"
    model = call(f"{api}/model")[1]
    assert (model["name"], model["candidate"]) == ("breast-cancer", "boosting")
    assert 0.1 < model["metrics"]["log_loss"] < 0.3
    assert model["since"] is not None
    assert [(run["job"], run["exit_code"]) for run in mlops.json("jobs")][:1] == [("train", 0)], "as any job's run"


def test_a_worse_model_is_kept_out_though_airflow_was_killed(worse: str, first: str, api: str, mlops: Deck) -> None:
    assert "Airflow is back" in worse
    assert "kept the champion: version 2's log_loss 0.64" in worse
    assert "is not below version 1's 0.2" in worse
    kept = call(f"{api}/model")[1]
    assert kept["version"] == "1", "and no step was done twice"
    runs = call(
        f"{url(mlops, 'mlflow')}/api/2.0/mlflow/runs/search",
        {"experiment_ids": ["1"], "filter": "attributes.status = 'RUNNING'"},
    )[1]
    assert runs == {}, "nor is any of MLflow's runs left open"


def test_a_better_model_takes_its_place(better: str, api: str) -> None:
    assert "promoted: version 3's log_loss 0.12" in better
    assert re.search(r"^serving +3$", better, re.MULTILINE), "the result of the last task"
    assert call(f"{api}/model")[1]["candidate"] == "logistic"
    status, answer = call(f"{api}/predict", SAMPLE)
    assert (status, answer["diagnosis"], answer["version"]) == (200, "malignant", "3")
    assert answer["probability"] > 0.9


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"radius": -1}, {"radius"}),
        ({"area": "large", "texture": None}, {"area", "texture"}),
        ({"symmetry": 1e308, "age": 50}, {"symmetry", "age"}),
    ],
)
def test_bad_input_names_its_fields(better: str, api: str, change: dict[str, object], fields: set[str]) -> None:
    status, answer = call(f"{api}/predict", {**SAMPLE, **change})
    assert status == 422
    assert {item["loc"][-1] for item in answer["detail"]} == fields
    without = {key: value for key, value in SAMPLE.items() if key != "concavity"}
    assert call(f"{api}/predict", without)[1]["detail"][0]["loc"] == ["body", "concavity"]


def test_the_champion_outlives_mlflow_and_is_looked_for_now_and_then(mlops: Deck, better: str, api: str) -> None:
    mlops.run("stop", "mlflow")
    until("the API says so", lambda: "cannot be had" in (call(f"{api}/health")[1]["problem"] or ""))
    assert call(f"{api}/predict", SAMPLE)[1]["version"] == "3"
    mlops.run("up", "mlflow")
    registry = f"{url(mlops, 'mlflow')}/api/2.0/mlflow/registered-models/alias"
    alias = {"name": "breast-cancer", "alias": "champion"}
    for version in ("1", "3"):
        assert call(registry, {**alias, "version": version})[0] == 200
        until("what was moved by hand is served", lambda v=version: call(f"{api}/model")[1]["version"] == v)  # type: ignore[misc]


def test_every_link_opens(mlops: Deck, better: str, tmp_path: Path) -> None:
    links = {link["service"]: link for link in mlops.links("--logins")}
    assert set(links) == {"mlflow", "fastapi", "airflow"}
    words = {"mlflow": "MLflow", "fastapi": "/predict", "airflow": "Sign in"}
    with browser() as driver:
        for service, word in words.items():
            page = see(driver, links[service]["url"], word, picture=tmp_path / f"{service}.png")
            assert page.failed == ()
            assert page.style_rules > 20
        login = links["airflow"]["login"]
        driver.find_element(By.NAME, "username").send_keys(login["user"])
        driver.find_element(By.NAME, "password").send_keys(login["password"])
        driver.find_element(By.CSS_SELECTOR, "button[type=submit]").click()
        until("logged in", lambda: "Sign into" not in driver.title and "/auth/login" not in driver.current_url)
        page = see(driver, f"{links['airflow']['url'].rstrip('/')}/dags/train", "train")
        assert page.failed == ()
    assert login["password"] not in mlops.run("logs", "airflow", "--tail", "all").stdout


def test_down_leaves_nothing(mlops: Deck, better: str) -> None:
    project = next(line.split("=")[1] for line in (mlops.folder / ".env").read_text().splitlines() if "PROJECT" in line)
    mlops.run("down", "--yes")
    for kind in (["ps", "-aq"], ["network", "ls", "-q"], ["volume", "ls", "-q"]):
        command = ["docker", *kind, "--filter", f"label=com.docker.compose.project={project}"]
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "", kind
    written = [path for path in mlops.work.rglob("*") if path.is_file()]
    assert {path.stat().st_uid for path in written} == {os.getuid() or NOT_ROOT}
