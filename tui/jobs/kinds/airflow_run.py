"""A DAG run of Airflow, driven from inside a one-off run of its own service.

This file is handed to that service's Python as it is (`python -c SOURCE`), so it needs nothing but the standard
library. It triggers the DAG through Airflow's stable REST API v2 (Airflow 3), prints what its tasks log, and ends with
the run's verdict: 0 succeeded, 1 failed. It outlives a restart of Airflow. SIGTERM and SIGINT mark the DAG run as
failed.
"""

import argparse
import json
import os
import re
import signal
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, NoReturn

# Seconds: between two looks, for one answer, for Airflow to come back, for a DAG to be read.
LOOK = 1.0
ANSWER = 20.0
PATIENCE = 300.0
PARSING = 120.0
OVER = ("success", "failed", "skipped", "upstream_failed", "removed")
LONGEST_LINE = 4000
# Airflow itself ends in order on SIGINT, which then is its service's stop signal, and so that of its runs.
STOPS = (signal.SIGTERM, signal.SIGINT)


class Away(Exception):
    """Airflow does not answer (now)."""


class Refused(Exception):
    """Airflow said no. The text is meant for the user."""


def say(text: str) -> None:
    """A line of the run's log."""
    print(text[:LONGEST_LINE], flush=True)


def fail(text: str) -> NoReturn:
    """Ends with a reason in the form in which a job says it."""
    say(f"ERROR: {text}")
    sys.exit(1)


def login() -> tuple[str, str] | None:
    """User and password: those of Airflow's simple auth manager, else those of its web user; None without any."""
    home = os.environ.get("AIRFLOW_HOME") or str(Path.home() / "airflow")
    file = os.environ.get("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE") or (
        f"{home}/simple_auth_manager_passwords.json.generated"
    )
    try:
        passwords = json.loads(Path(file).read_text().splitlines()[0])
        user = "admin" if "admin" in passwords else next(iter(passwords))
        return user, passwords[user]
    except (OSError, ValueError, IndexError, StopIteration, TypeError):
        pass
    user, password = (os.environ.get(f"_AIRFLOW_WWW_USER_{name}", "") for name in ("USERNAME", "PASSWORD"))
    return (user, password) if user and password else None


class Api:
    """Airflow's REST API; logs in again when its token is no longer taken."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._token = ""

    def ask(self, method: str, path: str, body: Any = None, missing: Any = None) -> Any:
        """The JSON answer; `missing` where there is no such thing. Raises Away, Refused."""
        for attempt in (1, 2):
            if not self._token:
                self._log_in()
            code, answer = self._send(method, f"/api/v2{path}", body)
            if code == 401 and attempt == 1:
                self._token = ""
                continue
            break
        if code == 404:
            return missing
        if code >= 500:
            raise Away(f"{method} {path} answers {code}")
        if code >= 400:
            raise Refused(f"Airflow refuses {method} {path} with {code}: {_detail(answer)}")
        return answer

    def _log_in(self) -> None:
        found = login()
        if found is None:
            raise Refused(
                "no login of Airflow was found: neither simple_auth_manager_passwords.json.generated in AIRFLOW_HOME, "
                "nor _AIRFLOW_WWW_USER_USERNAME and _AIRFLOW_WWW_USER_PASSWORD"
            )
        code, answer = self._send("POST", "/auth/token", {"username": found[0], "password": found[1]})
        if code >= 500:
            raise Away(f"the login answers {code}")
        if code >= 400 or not isinstance(answer, dict) or "access_token" not in answer:
            raise Refused(f"Airflow does not take the login of {found[0]}: {code} {_detail(answer)}")
        self._token = str(answer["access_token"])

    def _send(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(self._url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=ANSWER) as answer:
                return answer.status, _json(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, _json(error.read())
        except (OSError, ValueError) as error:
            raise Away(str(error)) from None


def _json(text: bytes) -> Any:
    try:
        return json.loads(text) if text else {}
    except ValueError:
        return {"detail": text[:300].decode("utf-8", "replace")}


def _detail(answer: Any) -> str:
    detail = answer.get("detail", answer) if isinstance(answer, dict) else answer
    return detail if isinstance(detail, str) else json.dumps(detail)[:300]


class DagRun:
    """One run of a DAG: triggered once, followed to its end."""

    def __init__(self, api: Api, dag: str, run: str, conf: dict[str, Any]) -> None:
        self._api = api
        self._dag = dag
        self._run = run
        self._conf = conf
        self._path = f"/dags/{urllib.parse.quote(dag, '')}"
        self._run_path = f"{self._path}/dagRuns/{urllib.parse.quote(run, '')}"
        self._states: dict[str, str] = {}
        self._printed: dict[tuple[str, int], int] = {}

    def trigger(self) -> None:
        """Starts the run; it may be there already, from before an answer that was lost."""
        until = time.monotonic() + PARSING
        while self._api.ask("GET", self._path) is None:
            if time.monotonic() > until:
                names = [dag.get("dag_id") for dag in (self._api.ask("GET", "/dags?limit=20") or {}).get("dags", [])]
                raise Refused(f"Airflow has no DAG {self._dag!r}. It has: {', '.join(map(str, names)) or 'none'}")
            time.sleep(LOOK)
        # A paused DAG would queue the run for ever.
        self._api.ask("PATCH", f"{self._path}?update_mask=is_paused", {"is_paused": False})
        if self._api.ask("GET", self._run_path) is None:
            body = {"dag_run_id": self._run, "logical_date": None, "conf": self._conf}
            self._api.ask("POST", f"{self._path}/dagRuns", body)
        say(f"DAG run {self._run} of {self._dag}")

    def look(self) -> str | None:
        """Prints what is new; the run's state once it is over."""
        state = (self._api.ask("GET", self._run_path) or {}).get("state")
        tasks = (self._api.ask("GET", f"{self._run_path}/taskInstances?limit=200") or {}).get("task_instances", [])
        for task in sorted(tasks, key=lambda task: (task.get("start_date") is None, task.get("start_date") or "")):
            self._tell(task)
        return state if state in ("success", "failed") else None

    def _tell(self, task: dict[str, Any]) -> None:
        index = task.get("map_index", -1)
        name = task["task_id"] if index in (-1, None) else f"{task['task_id']}[{index}]"
        state, tries = task.get("state") or "none", int(task.get("try_number") or 0)
        key = f"{state} {tries}"
        if self._states.get(name) == key and state in OVER:
            return
        over = state in ("up_for_retry", *OVER)
        if over and tries:
            self._log(name, task, tries)
        is_new = self._states.get(name) != key
        self._states[name] = key
        if is_new and (over or state == "running"):
            took = f"  {task['duration']:.1f} s" if isinstance(task.get("duration"), int | float) else ""
            again = f" (try {tries})" if tries > 1 else ""
            say(f"[{name}] {state.replace('_', ' ')}{again}{took if over else ''}")
        if state == "running" and tries:
            self._log(name, task, tries)

    def _log(self, name: str, task: dict[str, Any], tries: int) -> None:
        path = f"{self._run_path}/taskInstances/{urllib.parse.quote(task['task_id'], '')}/logs/{tries}"
        answer = self._api.ask("GET", f"{path}?map_index={task.get('map_index', -1)}&full_content=true")
        lines = [line for entry in _entries(answer) if (line := _line(entry))]
        seen = self._printed.get((name, tries), 0)
        for line in lines[seen:]:
            say(f"[{name}] {line}")
        self._printed[name, tries] = max(seen, len(lines))

    def result(self) -> str | None:
        """What the task that ended last returned, where that is small."""
        answer = self._api.ask("GET", f"{self._run_path}/taskInstances?limit=200") or {}
        tasks = [task for task in answer.get("task_instances", []) if task.get("end_date")]
        for task in sorted(tasks, key=lambda task: str(task["end_date"]), reverse=True)[:1]:
            path = f"{self._run_path}/taskInstances/{urllib.parse.quote(task['task_id'], '')}/xcomEntries/return_value"
            value = (self._api.ask("GET", f"{path}?map_index={task.get('map_index', -1)}") or {}).get("value")
            return _readable(value) if value is not None and len(json.dumps(value)) <= LONGEST_LINE else None
        return None

    def cancel(self) -> None:
        """Marks the run as failed, which ends its tasks."""
        self._api.ask("PATCH", f"{self._run_path}?update_mask=state", {"state": "failed"})


def _readable(value: Any) -> str:
    """A returned value for a person: a line for each entry of a mapping."""
    if isinstance(value, str):
        text = value
        try:
            value = json.loads(text)
        except ValueError:
            return text
    if not isinstance(value, dict) or not value:
        return json.dumps(value)
    wide = max(len(str(name)) for name in value)
    texts = {name: item if isinstance(item, str) else json.dumps(item) for name, item in value.items()}
    return "\n".join(f"{name:<{wide}}  {text}" for name, text in texts.items())


def _entries(answer: Any) -> list[Any]:
    content = answer.get("content") if isinstance(answer, dict) else None
    if isinstance(content, str):
        return content.splitlines()
    return content if isinstance(content, list) else []


def _line(entry: Any) -> str:
    """One log entry as a line: the task's own words, and of what Airflow says to itself its warnings."""
    if not isinstance(entry, dict):
        return str(entry).rstrip()
    text = str(entry.get("event", "")).rstrip()
    level, logger = str(entry.get("level") or "").lower(), str(entry.get("logger") or "")
    own = "timestamp" in entry and logger != "task" and not logger.startswith("airflow.")
    if not text or text.startswith("::") or not (own or level in ("error", "critical", "warning")):
        return ""
    errors = entry.get("error_detail") or []
    for error in errors if isinstance(errors, list) else []:
        if isinstance(error, dict):
            text += f": {error.get('exc_type', 'error')}: {error.get('exc_value', '')}"
    return f"{level.upper()} {text}" if level in ("error", "critical", "warning") else text


def follow(run: DagRun) -> str:
    """Triggers a run and follows it to its end; its state. While Airflow is away it waits for it. Raises Refused."""
    triggered, away_since = False, 0.0
    while True:
        try:
            if not triggered:
                run.trigger()
                triggered = True
            state = run.look()
            if away_since:
                say("Airflow is back")
            away_since = 0.0
            if state is not None:
                return state
        except Away as error:
            if not away_since:
                away_since = time.monotonic()
                say(f"Airflow does not answer, waiting for it: {re.sub(r'[<>]', '', str(error))}")
            elif time.monotonic() - away_since > PATIENCE:
                raise Refused(f"Airflow has not answered for {PATIENCE:.0f} s: {error}") from None
        time.sleep(LOOK)


def main() -> None:
    """Reads the arguments, drives the run, ends with its verdict."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--dag", required=True)
    parser.add_argument("--run", required=True)
    parser.add_argument("--conf", default="{}")
    options = parser.parse_args()
    run = DagRun(Api(os.environ.get("AIRFLOW_URL") or options.url), options.dag, options.run, json.loads(options.conf))

    def cancel(*_: object) -> NoReturn:
        for sign in STOPS:
            signal.signal(sign, signal.SIG_IGN)
        try:
            run.cancel()
            say("cancelled: the DAG run is marked as failed")
        except (Away, Refused) as error:
            say(f"the DAG run could not be cancelled: {error}")
        sys.exit(143)

    for sign in STOPS:
        signal.signal(sign, cancel)
    try:
        state = follow(run)
        result = run.result() if state == "success" else None
    except Refused as error:
        fail(str(error))
    except Away:
        result = None
    if state != "success":
        fail(f"the DAG run {options.run} of {options.dag} {state}: see its tasks above")
    if result:
        say(result)


if __name__ == "__main__":
    main()
