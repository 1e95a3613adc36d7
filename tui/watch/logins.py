"""The logins of pages, read where any such service keeps them. For who asks for them: never in a log or a message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from tui.engine.interface import Engine, Replica, State
from tui.stack.model import Project, Role, Service, Stack

# Pairs of variables, the service's own first.
_STORE = (
    ("MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD"),
    ("MINIO_ACCESS_KEY", "MINIO_SECRET_KEY"),
    ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
)
_AIRFLOW = (("_AIRFLOW_WWW_USER_USERNAME", "_AIRFLOW_WWW_USER_PASSWORD"),)
_VARIABLES: Mapping[Role, tuple[tuple[str, str], ...]] = {Role.OBJECT_STORE: _STORE, Role.SCHEDULER: _AIRFLOW}

AIRFLOW_PASSWORDS = (
    "sh",
    "-c",
    'cat "${AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE:-'
    '${AIRFLOW_HOME:-$HOME/airflow}/simple_auth_manager_passwords.json.generated}"',
)
"""Prints, inside its service, the passwords that Airflow's simple auth manager (`airflow standalone`) has made."""

MASK = "••••••••"


@dataclass(frozen=True, slots=True)
class Login:
    """A user and the password, which no representation shows."""

    user: str
    password: str = field(repr=False)


def has_login(stack: Stack, project: Project, service: str) -> bool:
    """Whether `login_of` may find one, as far as that can be told without asking."""
    entry, role = project.services[service], stack.role(service)
    named = any(user in entry.environment for user, _ in _VARIABLES.get(role, ()))
    return named or (role is Role.SCHEDULER and _is_airflow(entry))


async def login_of(engine: Engine, stack: Stack, replica: Replica) -> Login | None:
    """The login of a service's page; None where it has none, or it cannot be found out (now). Raises EngineError."""
    # Now: the first start may have made the credentials.
    service = (await engine.project()).services.get(replica.service)
    if service is None:
        return None
    role = stack.role(service.name)
    if role is Role.SCHEDULER and _is_airflow(service) and replica.state is State.RUNNING:
        code, output = await engine.execute(service.name, AIRFLOW_PASSWORDS, replica_id=replica.id)
        found = _generated(output) if code == 0 else None
        if found is not None:
            return found
    return _from_variables(service, role)


def _generated(output: str) -> Login | None:
    try:
        passwords = msgspec.json.decode(output.splitlines()[0], type=dict[str, str])
    except (msgspec.DecodeError, IndexError):
        return None
    user = "admin" if "admin" in passwords else next(iter(passwords), None)
    return Login(user, passwords[user]) if user else None


def _from_variables(service: Service, role: Role) -> Login | None:
    settings = service.environment
    pairs = [(settings.get(user), settings.get(password)) for user, password in _VARIABLES.get(role, ())]
    return next((Login(user, password) for user, password in pairs if user and password), None)


def _is_airflow(service: Service) -> bool:
    said = " ".join((service.name, service.image, *service.entrypoint, *service.command, *service.environment))
    return "airflow" in said[:20_000].lower()
