"""The model repository extension: which versions there are, and which shall be in memory here.

It needs a key of its own and is off without one. Loading makes a version answer under its own path,
in this instance, until it is unloaded; which version answers all other requests is the channel's
business, and no request can change it. Weights and configurations are not taken: they come from
the store.
"""

import asyncio
import logging
from typing import Any

import msgspec
import orjson

from pointsman.errors import PointsmanError
from pointsman_service.api.messages import Request, Response
from pointsman_service.api.v2 import addressing
from pointsman_service.api.v2.inference_request import flag
from pointsman_service.errors import Forbidden, InputInvalid, NotServing
from pointsman_service.service import Service
from pointsman_service.serving.servable import State

_MAX_BODY_BYTES = 64 << 10
_STATES = {
    State.READY: ("READY", ""),
    State.DRAINING: ("UNLOADING", "requests are still being answered"),
    State.UNLOADED: ("UNAVAILABLE", "unloaded"),
}
_UNSUPPORTED = ("config", "file:")

log = logging.getLogger(__name__)


class _Order(msgspec.Struct):
    """The body of a request to the repository; members that nobody knows are passed over."""

    ready: Any = None
    parameters: dict[str, Any] | None = None


async def index(service: Service, request: Request) -> Response:
    """Answer with every version, and its state in this instance."""
    order = await _order(service, request)
    only_ready = flag({"ready": order.ready}, "ready", default=False)
    rows = _here(service)
    if not only_ready:
        rows = await asyncio.to_thread(_published, service) | rows
    model = service.settings.model
    listed = [
        {"name": model, "version": version, "state": state, "reason": reason}
        for version, (state, reason) in sorted(rows.items())
        if state == "READY" or not only_ready
    ]
    return Response(200, orjson.dumps(listed))


async def load(service: Service, request: Request, model: str) -> Response:
    """Answer once the version serves under its own path; one that does already is left as it is.

    Without a version in its parameters the request is for what the channel names.
    """
    order = await _order(service, request)
    addressing.require_model(service, model)
    version, digest = _text(order, "version"), _text(order, "digest")
    if version:
        await service.by_hand.load(model, version, digest)
    elif service.router.stable is None:
        refusal = service.manager.refusal
        reason = refusal.reason if refusal else "no version is ready yet"
        raise NotServing(f"failed to load {model!r}: {reason}")
    return Response(200, orjson.dumps({"name": model, "load": True}))


async def unload(service: Service, request: Request, model: str) -> Response:
    """Answer once the version is gone, or, without one, all that the channel does not ask for."""
    order = await _order(service, request)
    addressing.require_model(service, model)
    version = _text(order, "version")
    await service.by_hand.unload(addressing.known(service, version) if version else None)
    return Response(200, orjson.dumps({"name": model, "unload": True}))


async def _order(service: Service, request: Request) -> _Order:
    """Read the body of a request that may come in; it may be empty."""
    if not service.admin_keys:
        raise Forbidden("the model repository is off: set POINTSMAN_ADMIN_KEYS to switch it on")
    service.admin_keys.require(request.headers)
    body = await request.body(_MAX_BODY_BYTES)
    try:
        order = msgspec.json.decode(body, type=_Order) if body.strip() else _Order()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputInvalid(f"the request is not as the protocol has it: {error}") from error
    if any(name.startswith(_UNSUPPORTED) for name in order.parameters or ()):
        raise InputInvalid("files and configurations are not taken: publish a version instead")
    return order


def _text(order: _Order, name: str) -> str:
    value = (order.parameters or {}).get(name)
    if value is not None and not isinstance(value, str):
        raise InputInvalid(f"Invalid value for {name!r}: expected a string")
    return value or ""


def _here(service: Service) -> dict[str, tuple[str, str]]:
    """Return state and reason of all versions that this instance knows of."""
    manager = service.manager
    rows = {each.name: _STATES[each.state] for each in manager.residents}
    refusals = [manager.refusal, *manager.refused_beside.values()]
    rows |= {each.pointer.version: ("UNAVAILABLE", each.reason) for each in refusals if each}
    if manager.loading is not None:
        rows[manager.loading.pointer.version] = ("LOADING", "")
    return rows


def _published(service: Service) -> dict[str, tuple[str, str]]:
    """Return what else the store has, if it tells."""
    model = service.settings.model
    try:
        versions = service.registry.versions(model)
    except PointsmanError as error:
        log.warning("the store does not tell its versions: %s", error)
        return {}
    reason = "not loaded in this instance"
    return {version.manifest.version: ("UNAVAILABLE", reason) for version in versions}
