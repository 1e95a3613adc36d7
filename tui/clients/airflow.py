"""Airflow: the health of its components and its newest DAG run."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from tui.clients.http import ClientError, HttpClient, Trouble

# Airflow 3, then 2.
_HEALTH = ("/api/v2/monitor/health", "/health")


class Component(Struct, frozen=True):
    """A component; `status` is healthy, unhealthy or None where it does not run by itself."""

    status: str | None = None


class _Health(Struct, frozen=True):
    metadatabase: Component
    scheduler: Component
    triggerer: Component = Component()
    dag_processor: Component = Component()


class DagRun(Struct, frozen=True):
    """A DAG run. `state`: queued, running, success or failed."""

    dag_id: str
    dag_run_id: str
    state: str
    start_date: datetime | None = None
    end_date: datetime | None = None


class _DagRuns(Struct, frozen=True):
    dag_runs: tuple[DagRun, ...] = ()


class _Token(Struct, frozen=True):
    access_token: str


class AirflowClient(HttpClient):
    """The REST API of Airflow 3; of Airflow 2 the health alone. `token` is kept from `log_in`."""

    system = "Airflow"
    advice = "Check that Airflow runs: sparkdeck status."
    timeout = 8.0

    def __init__(self, base_url: str) -> None:
        super().__init__(base_url)
        self._health = _HEALTH[0]

    async def health(self) -> dict[str, str]:
        """The status of each component that there is, by its name. Raises ClientError."""
        try:
            found = await self.get(self._health, _Health)
        except ClientError as error:
            if error.kind not in (Trouble.STATUS, Trouble.ANSWER):
                raise
            other = _HEALTH[1 - _HEALTH.index(self._health)]
            found = await self.get(other, _Health)
            self._health = other
        components = {
            "database": found.metadatabase,
            "scheduler": found.scheduler,
            "triggerer": found.triggerer,
            "DAG processor": found.dag_processor,
        }
        return {name: one.status for name, one in components.items() if one.status is not None}

    @property
    def has_runs(self) -> bool:
        """Whether this is an Airflow whose runs can be asked for."""
        return self._health == _HEALTH[0]

    @property
    def logged_in(self) -> bool:
        """Whether there is a token."""
        return "Authorization" in self._headers

    async def log_in(self, user: str, password: str) -> None:
        """Gets a token, which goes with every later request. Raises ClientError."""
        token = await self.post("/auth/token", {"username": user, "password": password}, _Token)
        self._headers["Authorization"] = f"Bearer {token.access_token}"

    def log_out(self) -> None:
        """Forgets the token."""
        self._headers.pop("Authorization", None)

    async def last_run(self) -> DagRun | None:
        """The newest run of all DAGs. Raises ClientError; status 401 or 403 where the token is missing or too old."""
        newest = {"limit": "1", "order_by": "-run_after"}
        runs = (await self.get("/api/v2/dags/~/dagRuns", _DagRuns, newest)).dag_runs
        return runs[0] if runs else None
