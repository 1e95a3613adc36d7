"""Airflow: how its parts are, its newest run, its login. Other schedulers are not asked."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from tui.clients.airflow import AirflowClient, DagRun
from tui.clients.http import ClientError
from tui.clients.text import plain
from tui.engine.interface import Engine, Replica, State
from tui.stack.model import Service
from tui.watch.roles.kind import NAME, Asker, Login, Watched, from_variables, trouble_text, when

_AIRFLOW = (("_AIRFLOW_WWW_USER_USERNAME", "_AIRFLOW_WWW_USER_PASSWORD"),)
AIRFLOW_PASSWORDS = (
    "sh",
    "-c",
    'cat "${AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE:-'
    '${AIRFLOW_HOME:-$HOME/airflow}/simple_auth_manager_passwords.json.generated}"',
)
"""Prints, inside its service, the passwords that Airflow's simple auth manager (`airflow standalone`) has made."""


class Airflow(Asker):
    """`healthy · train success 2 min ago`."""

    async def line(self) -> str:
        """Its components and its newest run."""
        if not isinstance(self._client, AirflowClient):
            url = await self.target.url()
            if url is None:
                return ""
            self._client = AirflowClient(url)
        client = self._client
        try:
            health = health_text(await client.health())
        except ClientError as error:
            if error.status == 404:
                # Another scheduler.
                return ""
            raise
        return f"{health} · {await self._last_run(client)}" if client.has_runs else health

    async def _last_run(self, client: AirflowClient) -> str:
        try:
            if not client.logged_in:
                login = await _login(self.target.engine, await self.target.service(), self.target.replica)
                if login is None:
                    return "last run unknown: no login is known"
                await client.log_in(login.user, login.password)
            return dag_run_text(await client.last_run(), datetime.now(UTC))
        except ClientError as error:
            if error.status in (401, 403):
                # The token is too old, or Airflow was set up anew.
                client.log_out()
            return f"last run unknown: {trouble_text(error)}"


def health_text(components: dict[str, str]) -> str:
    """`healthy`, or which components are not."""
    sick = [f"{name} {plain(status, NAME)}" for name, status in components.items() if status != "healthy"]
    return ", ".join(sick) or "healthy"


def dag_run_text(run: DagRun | None, now: datetime) -> str:
    """The newest DAG run."""
    if run is None:
        return "no DAG run yet"
    return f"{plain(run.dag_id, NAME)} {plain(run.state, NAME)}{when(run.start_date, run.end_date, now)}"


async def _login(engine: Engine, service: Service, replica: Replica) -> Login | None:
    if _is_airflow(service) and replica.state is State.RUNNING:
        code, output = await engine.execute(service.name, AIRFLOW_PASSWORDS, replica_id=replica.id)
        found = _generated(output) if code == 0 else None
        if found is not None:
            return found
    return from_variables(service.environment, _AIRFLOW)


def _generated(output: str) -> Login | None:
    try:
        passwords = msgspec.json.decode(output.splitlines()[0], type=dict[str, str])
    except (msgspec.DecodeError, IndexError):
        return None
    user = "admin" if "admin" in passwords else next(iter(passwords), None)
    return Login(user, passwords[user]) if user else None


def _is_airflow(service: Service) -> bool:
    said = " ".join((service.name, service.image, *service.entrypoint, *service.command, *service.environment))
    return "airflow" in said[:20_000].lower()


WATCHED = Watched(Airflow, login=_login, has_login=_is_airflow)
