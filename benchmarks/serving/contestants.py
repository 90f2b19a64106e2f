"""Who is measured: what each needs, how it is started, and how it wants to be asked."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import pointsman
from benchmarks.serving import requests
from benchmarks.serving.models import Model
from benchmarks.serving.requests import Request

OURS, PLAIN = "pointsman", "plain FastAPI"
V2, V2_BINARY = "pointsman /v2", "pointsman /v2, binary"
BARE = "bare socket"
_SERVERS = Path(__file__).parent / "servers"
_RUNTIME = ("onnxruntime", "numpy")

Requests = Mapping[str, Request]


@dataclass(frozen=True)
class Contestant:
    """A service under measurement."""

    name: str
    packages: Sequence[str]
    """What its environment has; none for the one in which this runs."""
    arguments: Callable[[Model, int], Sequence[str]]
    """Its command line after the interpreter, for a model and a port."""
    requests: Callable[[Model], Requests]
    """What it is asked, by the name under which that is shown."""
    variables: Callable[[Model, int], Mapping[str, str]] = field(default=lambda _m, _p: {})
    pythons: Sequence[str] = ("python3",)
    """Interpreters to try for its environment."""
    one_client: bool = False
    """Whether it is no service: it answers a single connection."""


def ours() -> Contestant:
    """Pointsman's service, with keys, validation and metrics on."""
    key = {"X-API-Key": requests.KEY}

    def asked(model: Model) -> Requests:
        return {
            OURS: requests.named(model, **key),
            V2: requests.open_inference(model, model.name, **key),
            V2_BINARY: requests.open_inference_binary(model, model.name, **key),
        }

    return Contestant(OURS, (), lambda _m, _p: ("-m", "pointsman_service"), asked, _settings)


def plain() -> Contestant:
    """The FastAPI service that a guide would have you write."""
    packages = ("fastapi", "uvicorn[standard]", *_RUNTIME)
    return Contestant(PLAIN, packages, _script("plain.py"), lambda m: {PLAIN: requests.named(m)})


def bare() -> Contestant:
    """The runtime behind a blocking socket: what sockets leave of it, for one connection."""

    def arguments(model: Model, port: int) -> Sequence[str]:
        row = model.path.with_suffix(".npy")
        np.save(row, model.row)
        return (str(_SERVERS / "bare.py"), str(model.path), str(port), str(row))

    def asked(model: Model) -> Requests:
        return {BARE: Request("/", model.row.tobytes())}

    return Contestant(BARE, (), arguments, asked, one_client=True)


def peers() -> list[Contestant]:
    """Other Python model servers."""
    return [
        _peer("mosec", ("mosec",), "mosec_server.py", lambda m: requests.named(m, "/inference")),
        _peer("LitServe", ("litserve",), "lit.py", _litserve),
        _peer("BentoML", ("bentoml",), "bento.py", requests.named),
        _peer(
            "MLServer",
            ("mlserver==1.7.1", "uvloop<0.22"),  # its loop policy is gone in later ones
            "mlserver_server.py",
            lambda m: requests.open_inference(m, "model"),
        ),
        _peer(
            "KServe",
            ("kserve==0.21.0",),
            "kserve_server.py",
            lambda m: requests.open_inference(m, "model"),
        ),
        _peer(
            "PyTriton",
            ("nvidia-pytriton==0.7.0", "numpy<2"),
            "triton.py",
            lambda m: requests.open_inference(m, "model"),
            # Its stub needs a shared libpython, which many interpreters do without.
            ("/usr/bin/python3", "python3"),
        ),
    ]


def publish(model: Model, directory: Path) -> None:
    """Publish a model for pointsman's service, below `directory`."""
    registry = pointsman.open(_store(directory))
    registry.publish(model.name, "v1", model.path)
    registry.activate(model.name, "v1")


def _settings(model: Model, port: int) -> Mapping[str, str]:
    directory = model.path.parent
    return {
        "PORT": str(port),
        "POINTSMAN_HOST": "127.0.0.1",
        "POINTSMAN_STORE": _store(directory),
        "POINTSMAN_MODEL": model.name,
        "POINTSMAN_CACHE_DIR": str(directory / "cache"),
        "POINTSMAN_API_KEYS": requests.KEY,
        "POINTSMAN_THREADS": "1",
        "POINTSMAN_DRAIN_GRACE": "0",
    }


def _store(directory: Path) -> str:
    return (directory / "store").as_uri()


def _litserve(model: Model) -> Request:
    return requests.member(model, "/predict", "inputs")


def _peer(
    name: str,
    packages: Sequence[str],
    script: str,
    request: Callable[[Model], Request],
    pythons: Sequence[str] = (os.path.basename(sys.executable),),  # noqa: PTH119 — a name to look up
) -> Contestant:
    def asked(model: Model) -> Requests:
        return {name: request(model)}

    return Contestant(name, (*packages, *_RUNTIME), _script(script), asked, pythons=pythons)


def _script(name: str) -> Callable[[Model, int], Sequence[str]]:
    return lambda model, port: (str(_SERVERS / name), str(model.path), str(port))
