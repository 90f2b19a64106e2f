"""Which version a path names: this service has one model, and of it what is resident here."""

from pointsman_service.errors import NotServing, UnknownVersion
from pointsman_service.service import Service
from pointsman_service.serving.servable import Servable, State

_SHOWN_CHARACTERS = 80


def require_model(service: Service, model: str) -> None:
    """Raise `UnknownVersion` for any other model than the one that is served here."""
    if model != service.settings.model:
        raise UnknownVersion(
            f"Request for unknown model: {model[:_SHOWN_CHARACTERS]!r} is not served here, "
            f"{service.settings.model!r} is"
        )


def servable(service: Service, model: str, version: str | None) -> Servable:
    """Return the servable that a path names, or the one in force where it names no version.

    Raises `UnknownVersion` for what is not here and `NotServing` for what does not answer.
    """
    require_model(service, model)
    if version is None:
        stable = service.router.stable
        if stable is None:
            raise NotServing("no version is ready yet")
        return stable
    found = _found(service, version)
    if found.state is not State.READY:
        raise NotServing(f"{found.name} is {found.state}")
    return found


def version_of(service: Service, model: str, version: str) -> str:
    """Return the name of a version that answers; `7` is another word for `v7`."""
    return servable(service, model, version).name


def known(service: Service, version: str) -> str:
    """Return the name of a version that is, or was, in memory here; raises `UnknownVersion`."""
    return _found(service, version).name


def ready_versions(service: Service) -> list[str]:
    """Return the names of all versions that answer here."""
    return [each.name for each in service.manager.residents if each.state is State.READY]


def _found(service: Service, version: str) -> Servable:
    here = {each.name: each for each in service.manager.residents}
    found = here.get(version) or here.get(f"v{version}")
    if found is None:
        raise _unknown(service, version)
    return found


def _unknown(service: Service, version: str) -> UnknownVersion | NotServing:
    loading = service.manager.loading
    shown = version[:_SHOWN_CHARACTERS]
    if loading is not None and loading.pointer.version in {version, f"v{version}"}:
        return NotServing(f"{shown} is being loaded")
    return UnknownVersion(
        f"Request for unknown model: {service.settings.model!r} has no version {shown!r} here"
    )
