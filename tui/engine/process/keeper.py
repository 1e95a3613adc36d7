"""Keeps one replica: starts it, writes its log, looks after its health, starts it again, stops it. Stdlib only.

A keeper is a process of its own that outlives the tool that started it, as a container's shim does; it ends with its
replica. Asked by SIGTERM it stops it: `stop.json` may say with how much grace.
"""

from __future__ import annotations

import ctypes
import http.client
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tui.engine.process.identity import descendants, identity, is_same
from tui.engine.process.logfile import LogWriter
from tui.engine.process.state import ENDED, RESTARTING, RUNNING, overwrite_json, read_json, take, tell, write_json

MARKER = "SPARKDECK_REPLICA"
SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
# A replica that ran so long (seconds) starts again at once.
STEADY = 10.0
CHUNK = 64 * 1024
LOCK_SECONDS = 2.0
_PR_SET_CHILD_SUBREAPER = 36


class Keeper:
    """One replica. `state` is what stands in state.json."""

    def __init__(self, folder: Path) -> None:
        spec = read_json(folder / "spec.json")
        if spec is None:
            raise SystemExit(f"{folder}: no spec.json")
        self.folder, self.spec = folder, spec
        self.stack = folder.parent.parent
        before = read_json(folder / "state.json") or {}
        self.state: dict[str, Any] = {
            "state": RESTARTING,
            "keeper": os.getpid(),
            "keeper_start": identity(os.getpid()),
            "child": None,
            "child_start": None,
            "exit_code": None,
            "restarts": 0,
            "started_at": before.get("started_at"),
            "ended_at": before.get("ended_at"),
            "health": "none",
            "health_output": "",
        }
        self.log = LogWriter(folder)
        self.stopping = False
        self.grace = float(spec["grace"])
        self.child: subprocess.Popen[bytes] | None = None
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        self._lock = threading.Lock()
        self._unsaved = False

    # state

    def save(self, **changes: Any) -> None:
        """Writes the state down, on a full disk in place; what cannot be written is tried again on the next occasion.

        A replica whose folder was removed is none any more: it is ended.
        """
        with self._lock:
            self.state.update(changes)
            file = self.folder / "state.json"
            try:
                try:
                    write_json(file, self.state)
                except FileNotFoundError:
                    self.stopping, self.grace = True, 0.0
                except OSError:
                    overwrite_json(file, self.state)
                self._unsaved = False
            except OSError:
                self._unsaved = True

    def tell(self, kind: str, detail: str = "") -> None:
        """An event of this replica."""
        tell(self.stack, kind, self.spec["service"], self.spec["id"], detail)

    # life

    def run(self) -> None:
        """Until the replica has ended for good."""
        if sys.platform == "linux":
            with suppress(OSError, AttributeError):
                # What a dead child leaves behind becomes ours, and is ended with it.
                ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._on_stop)
        for passed_over in (signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            # What is ignored would be ignored by the child too: a notebook's cell could not be interrupted.
            signal.signal(passed_over, lambda *_: None)
        pause = SHORTEST_PAUSE
        while True:
            began = time.monotonic()
            self._once()
            if self.stopping or self.state["state"] != RESTARTING:
                break
            pause = SHORTEST_PAUSE if time.monotonic() - began > STEADY else min(2 * pause, LONGEST_PAUSE)
            if self._wait(pause):
                break
        self.save(state=ENDED, child=None, child_start=None, keeper=None, keeper_start=None)

    def _on_stop(self, *_: object) -> None:
        self.stopping = True
        asked = read_json(self.folder / "stop.json") or {}
        self.grace = float(asked.get("grace", self.spec["grace"]))

    def _ended(self, code: int, **changes: Any) -> int:
        """Writes down that the child has ended, once: nobody may take a crash between two lives for the end."""
        again = not self.stopping and self._again(code)
        restarts = self.state["restarts"] + (1 if again else 0)
        changes |= {"child": None, "child_start": None, "health": "unhealthy" if self.spec.get("ready") else "none"}
        self.save(
            state=RESTARTING if again else ENDED, exit_code=code, ended_at=time.time(), restarts=restarts, **changes
        )
        self.tell("ended", f"exit code {code}")
        return code

    def _again(self, code: int) -> bool:
        policy, _, most = self.spec["restart"].partition(":")
        if policy == "on-failure":
            return code != 0 and (not most.isdecimal() or self.state["restarts"] < int(most))
        return policy in ("always", "unless-stopped")

    def _wait(self, seconds: float) -> bool:
        """Waits, or until it is to stop; whether it is."""
        end = time.monotonic() + seconds
        while not self.stopping and (left := end - time.monotonic()) > 0:
            self._drain_wake(left)
        return self.stopping

    def _drain_wake(self, seconds: float) -> None:
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._wake_read, selectors.EVENT_READ)
            if waiting.select(seconds):
                os.read(self._wake_read, 4096)

    def _once(self) -> int:
        """One life of the child; its exit code as a shell has it, 127 if it could not be started."""
        try:
            child = subprocess.Popen(
                self.spec["command"],
                env={**self.spec["environment"], MARKER: self.spec["id"]},
                cwd=self.spec["folder"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            self.log.feed("e", f"{self.spec['command'][0]} cannot be started: {error}\n".encode())
            return self._ended(127, started_at=time.time())
        self.child = child
        health = "starting" if self.spec.get("ready") else "none"
        now = time.time()
        self.save(
            **{"state": RUNNING, "child": child.pid, "child_start": identity(child.pid), "exit_code": None},
            **{"started_at": now, "ended_at": None, "health": health, "health_output": ""},
        )
        self.tell("started")
        over = threading.Event()
        watcher = threading.Thread(target=self._watch_health, args=(over,), daemon=True)
        if self.spec.get("ready"):
            watcher.start()
        try:
            code = self._attend(child)
        finally:
            over.set()
        return self._ended(128 - code if code < 0 else code)

    def _attend(self, child: subprocess.Popen[bytes]) -> int:
        """Writes what the child says until it has ended, asked to or not; then ends what it left behind."""
        assert child.stdout is not None and child.stderr is not None
        streams = {child.stdout.fileno(): "o", child.stderr.fileno(): "e"}
        family: dict[int, str] = {}
        asked_at: float | None = None
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._wake_read, selectors.EVENT_READ)
            for fd in streams:
                os.set_blocking(fd, False)
                waiting.register(fd, selectors.EVENT_READ)
            while child.poll() is None:
                if self.stopping and asked_at is None:
                    asked_at = time.monotonic()
                    family = {one: start for one in descendants(child.pid) if (start := identity(one))}
                    with suppress(ProcessLookupError):
                        child.send_signal(signal.SIGTERM)
                left = None if asked_at is None else asked_at + self.grace - time.monotonic()
                if left is not None and left <= 0:
                    with suppress(ProcessLookupError):
                        child.kill()
                    left = 1.0
                timeout = 5.0 if left is None else min(5.0, max(0.05, left))
                for key, _ in waiting.select(timeout):
                    self._read(waiting, key.fd, streams)
                _reap_orphans(child.pid)
                if not self.folder.exists():
                    self.stopping, self.grace = True, 0.0
                if self._unsaved:
                    self.save()
            self._end_rest(child.pid, family)
            for fd in list(streams):
                while self._read(waiting, fd, streams):
                    pass
        child.stdout.close()
        child.stderr.close()
        self.log.end()
        return child.returncode

    def _read(self, waiting: selectors.BaseSelector, fd: int, streams: dict[int, str]) -> bool:
        """Takes what there is; whether there was anything."""
        try:
            chunk = os.read(fd, CHUNK)
        except BlockingIOError:
            return False
        except OSError:
            chunk = b""
        if fd == self._wake_read:
            return bool(chunk)
        if not chunk:
            with suppress(KeyError):
                waiting.unregister(fd)
            return False
        self.log.feed(streams[fd], chunk)
        return True

    def _end_rest(self, group: int, family: dict[int, str]) -> None:
        """Ends the child's group, its descendants, and, where orphans become ours, those too."""
        for _ in range(50):
            with suppress(OSError):
                os.killpg(group, signal.SIGKILL)
            left = descendants(os.getpid())
            left += [one for one, start in family.items() if is_same(one, start) and one not in left]
            for one in left:
                with suppress(OSError):
                    os.kill(one, signal.SIGKILL)
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            if not left:
                return
            time.sleep(0.02)

    # health

    def _watch_health(self, over: threading.Event) -> None:
        ready, failures = self.spec["ready"], 0
        began = time.monotonic()
        while not over.is_set():
            well, said = check(ready)
            if over.is_set():
                return
            starting = time.monotonic() - began < ready["start"] and self.state["health"] == "starting"
            # As for Docker, what fails during the start is not counted.
            failures = 0 if well or starting else failures + 1
            health = "healthy" if well else self.state["health"]
            if not well and failures >= ready["retries"] and not starting:
                health = "unhealthy"
            if (health, said) != (self.state["health"], self.state["health_output"]):
                changed = health != self.state["health"]
                self.save(health=health, health_output=said)
                if changed:
                    self.tell("health", health)
            over.wait(0.5 if starting else ready["interval"])


def _reap_orphans(child: int) -> None:
    """Takes note of what became ours and has ended; the child itself is not touched."""
    with suppress(ChildProcessError, AttributeError):
        while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and ended.si_pid != child:
            os.waitpid(ended.si_pid, 0)


def check(ready: dict[str, Any]) -> tuple[bool, str]:
    """Whether a process is ready, and what it said."""
    try:
        if not ready["url"]:
            with socket.create_connection(("127.0.0.1", ready["port"]), timeout=5):
                return True, ""
        parts = urlsplit(ready["url"])
        connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=5)
        try:
            path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
            connection.request("GET", path, headers={"Host": ready["host"]} if ready["host"] else {})
            answer = connection.getresponse()
            body = answer.read(1024 * 1024).decode(errors="replace")
        finally:
            connection.close()
        if answer.status >= 400:
            return False, f"{ready['url']} answers {answer.status}: {body[:300]}"
        if ready["text"] and ready["text"] not in body:
            return False, f"{ready['url']} does not say {ready['text']!r}"
        return True, ""
    except (OSError, http.client.HTTPException, ValueError) as error:
        return False, f"{ready['url'] or 'port ' + str(ready['port'])}: {error}"


def main() -> None:
    """`keeper FOLDER`, started by the engine: goes on as a process of nobody."""
    folder = Path(sys.argv[1])
    if os.fork():
        os._exit(0)
    os.setsid()
    lock = os.open(folder, os.O_RDONLY)
    end = time.monotonic() + LOCK_SECONDS
    while not take(lock):
        # Another keeper has it: one that is just ending, or one that was started at the same time.
        if time.monotonic() > end:
            os._exit(0)
        time.sleep(0.05)
    with open(os.devnull, "r+b") as nowhere:  # noqa: PTH123
        for standard in (0, 1, 2):
            os.dup2(nowhere.fileno(), standard)
    Keeper(folder).run()
    os._exit(0)
