"""The engine's events, streamed to whoever asked for a log."""

import json
import queue
import threading
from collections.abc import Iterator
from typing import Any

import grpc
from pulumi.runtime.proto import events_pb2, events_pb2_grpc


class Events:
    """Tells what happens to the address given by `--event-log`; to nobody when it is empty."""

    def __init__(self, log: str) -> None:
        self.counts: dict[str, int] = {}
        self._queue: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._thread: threading.Thread | None = None
        if log:
            self._thread = threading.Thread(target=self._send, args=(log.removeprefix("tcp://"),))
            self._thread.start()

    def begin(self, operation: str, urn: str, kind: str, diffs: list[str] | None = None) -> None:
        """Tell that a step begins."""
        self._tell("resourcePreEvent", operation, urn, kind, diffs)

    def end(self, operation: str, urn: str, kind: str, diffs: list[str] | None = None) -> None:
        """Tell that a step is done."""
        self.counts[operation] = self.counts.get(operation, 0) + 1
        self._tell("resOutputsEvent", operation, urn, kind, diffs)

    def fail(self, operation: str, urn: str, kind: str, reason: str) -> None:
        """Tell that a step failed, and why."""
        self._tell("resOpFailedEvent", operation, urn, kind)
        self.say(reason, urn)

    def say(self, text: str, urn: str = "") -> None:
        """Tell an error."""
        self._put({"diagnosticEvent": {"message": text, "severity": "error", "urn": urn}})

    def close(self) -> None:
        """Tell the sum, and wait until everything is sent."""
        self._put({"summaryEvent": {"resourceChanges": self.counts, "durationSeconds": 1}})
        self._queue.put(None)
        if self._thread:
            self._thread.join()

    def _tell(
        self, event: str, operation: str, urn: str, kind: str, diffs: list[str] | None = None
    ) -> None:
        metadata = {"op": operation, "urn": urn, "type": kind, "provider": "", "diffs": diffs}
        self._put({event: {"metadata": metadata}})

    def _put(self, event: dict[str, Any]) -> None:
        self._queue.put(event | {"sequence": 0, "timestamp": 0})

    def _send(self, address: str) -> None:
        with grpc.insecure_channel(address) as channel:
            events_pb2_grpc.EventsStub(channel).StreamEvents(self._requests())

    def _requests(self) -> Iterator[events_pb2.EventRequest]:
        while (event := self._queue.get()) is not None:
            yield events_pb2.EventRequest(event=json.dumps(event))
