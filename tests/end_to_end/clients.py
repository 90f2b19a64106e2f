"""Clients that keep asking while something happens, and check every answer they get."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import count
from typing import Protocol, Self

import httpx

_CLIENTS = 3


class Service(Protocol):
    """Whoever is asked."""

    @property
    def url(self) -> str:
        """Where it answers."""
        ...

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for something, for so long and no longer."""
        ...


class Clients:
    """Ask an affine model from several connections until the block ends.

    `factors` says what each version multiplies by: an answer whose numbers are not those of the
    version that it names in its body and in its header is a failure, as is anything but a 200.
    """

    def __init__(self, service: Service, factors: Mapping[str, float]) -> None:
        self._service = service
        self._factors = factors
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(_CLIENTS)]
        self._lock = threading.Lock()
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []

    def __enter__(self) -> Self:
        """Begin to ask."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, once what was asked is answered."""
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def until_answered(self, more: int) -> None:
        """Wait for some answers from now on."""
        wanted = self.answers.total() + more
        self._service.until(
            lambda: self.failures or self.answers.total() >= wanted, f"{more} more answers"
        )

    def _ask(self) -> None:
        with httpx.Client(base_url=self._service.url, timeout=120) as client:
            for number in count(1):
                if self._ended.is_set():
                    return
                try:
                    problem, version = self._judge(client, number)
                except httpx.TransportError as error:
                    problem, version = repr(error), ""
                with self._lock:
                    if problem:
                        self.failures.append(problem)
                    else:
                        self.answers[version] += 1

    def _judge(self, client: httpx.Client, number: int) -> tuple[str, str]:
        row = [float(number), 0.0, 1.0, -1.0]
        response = client.post("/predict", json={"inputs": [row]})
        if response.status_code != httpx.codes.OK:
            return f"{response.status_code}: {response.text}", ""
        document = response.json()
        version = document["model"]["version"]
        factor = self._factors.get(version)
        if factor is None or document["outputs"]["y"] != [[each * factor for each in row]]:
            return f"{version} answered {document['outputs']} for {row}", version
        if response.headers["x-model-version"] != version:
            return f"{version} went by the name of {response.headers['x-model-version']}", version
        return "", version
