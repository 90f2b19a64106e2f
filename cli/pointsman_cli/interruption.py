"""Ctrl-C that works while a library waits for the network and does not look up.

Python raises `KeyboardInterrupt` between two of its own instructions; a thread that waits inside
a compiled library has none. The signal itself is noticed at once, and written into a pipe that
a second thread reads: if the first has not come round in time, or Ctrl-C is pressed again, that
thread says the last words and ends the process.
"""

import os
import select
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Self

_PATIENCE_SECONDS = 10.0
_ENDED = b"\0"


class Watchdog:
    """Watches over Ctrl-C while its block runs; does nothing outside of the main thread."""

    def __init__(
        self, last_words: Callable[[], int], patience_seconds: float = _PATIENCE_SECONDS
    ) -> None:
        """`last_words` returns the exit code."""
        self.settled = False
        """Whether the outcome is known, so that Ctrl-C has nothing left to interrupt."""
        self._last_words = last_words
        self._patience_seconds = patience_seconds
        self._on_duty = (
            threading.current_thread() is threading.main_thread()
            # Whoever started us to ignore Ctrl-C (nohup, a shell's background) is obeyed.
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        )

    def __enter__(self) -> Self:
        """Begin to watch."""
        if self._on_duty:
            self._heard, self._signals = os.pipe()
            os.set_blocking(self._signals, False)
            self._wakeup_before = signal.set_wakeup_fd(self._signals, warn_on_full_buffer=False)
            self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
            self._thread.start()
            signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop watching: the block has ended by itself."""
        if self._on_duty:
            self.settled = True
            signal.set_wakeup_fd(self._wakeup_before)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            os.write(self._signals, _ENDED)
            self._thread.join()
            os.close(self._signals)
            os.close(self._heard)

    def _interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        """Raise once: what is being said about the first must not be cut short by the second."""
        if not self.settled:
            self.settled = True
            raise KeyboardInterrupt

    def _watch(self) -> None:
        heard = b""
        while heard != bytes([signal.SIGINT]):
            heard = os.read(self._heard, 1)
            if heard == _ENDED:
                return
        came_round, _, _ = select.select([self._heard], [], [], self._patience_seconds)
        if not came_round or os.read(self._heard, 1) != _ENDED:
            os._exit(self._last_words())
