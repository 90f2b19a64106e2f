"""What Pulumi's SDK warns of by itself, and how tests that use it bear with that.

It leaves event loops and coroutines of failed programs to the garbage collector, and asks for
the current event loop where newer Pythons want one to be made.
"""

import gc
import warnings

import pytest

BEARABLE = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:There is no current event loop:DeprecationWarning"),
]


def sweep() -> None:
    """Let the collector find what was left here, and not in somebody else's test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        gc.collect()
