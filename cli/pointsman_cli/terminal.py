"""The terminals behind stdout and stderr, as Rich sees them."""

import os
from typing import Literal

from rich.console import Console


class Story(Console):
    """A console whose reader may leave: nothing of what is being done depends on being heard."""

    def on_broken_pipe(self) -> None:
        """Fall silent."""
        self.quiet = True


def story() -> Console:
    """Return the console for stderr, which wraps nothing by itself."""
    return Story(stderr=True, soft_wrap=True, color_system=colours())


def colours() -> Literal["auto"] | None:
    """Return Rich's choice of colours, or None where NO_COLOR forbids them, and bold with them."""
    return None if os.environ.get("NO_COLOR") else "auto"
