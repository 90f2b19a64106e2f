"""A clock that is wrong by `WRONG_CLOCK_SECONDS`, for a Python process that finds this on its path.

Python imports a module of this name at every start. What is compiled still asks the right clock:
requests are signed as on a machine whose clock is right.
"""

import datetime as dt
import os
import time

_WRONG_BY = float(os.environ["WRONG_CLOCK_SECONDS"])
_right = time.time


class _WrongDatetime(dt.datetime):
    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> "_WrongDatetime":
        """Tell the wrong time."""
        return cls.fromtimestamp(time.time(), tz)


def _wrong() -> float:
    return _right() + _WRONG_BY


time.time = _wrong
dt.datetime = _WrongDatetime  # type: ignore[misc]
