"""Processes that do a part of a test: started quickly, in the environment of the test."""

import multiprocessing
import os
from collections.abc import Callable, Sequence
from multiprocessing.process import BaseProcess

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["pointsman.publishing", "pointsman.cache", "pointsman.stores.s3"])


def start(work: Callable[..., None], *arguments: object) -> BaseProcess:
    """Start a process that does `work`."""
    process = CONTEXT.Process(target=_work, args=(dict(os.environ), work, arguments))
    process.start()
    return process


def finish(processes: Sequence[BaseProcess]) -> list[int | None]:
    """Wait for all, and return their exit codes."""
    for process in processes:
        process.join()
    return [process.exitcode for process in processes]


def _work(
    environment: dict[str, str], work: Callable[..., None], arguments: tuple[object, ...]
) -> None:
    # The server that forks keeps the environment in which it was started.
    os.environ.clear()
    os.environ.update(environment)
    work(*arguments)
