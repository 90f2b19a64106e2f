"""Logs on stderr: a line for people, or a JSON object a line for machines."""

import json
import logging
import time
from typing import Any

from pointsman_service.answered import Answered

_access = logging.getLogger("pointsman_service.access")


class JsonFormatter(logging.Formatter):
    """One JSON object per record."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON."""
        entry: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry |= getattr(record, "fields", {})
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry)


def access(answered: Answered) -> None:
    """Log one answered request."""
    milliseconds = round(answered.seconds * 1000, 3)
    _access.info(
        "%s %s %d in %s ms, request %s%s",
        answered.method,
        answered.path,
        answered.status,
        milliseconds,
        answered.identifier,
        answered.version and f", {answered.version}",
        extra={
            "fields": {
                "method": answered.method,
                "path": answered.path,
                "status": answered.status,
                "milliseconds": milliseconds,
                "request": answered.identifier,
                "version": answered.version,
            }
        },
    )


def configure(log_format: str) -> None:
    """Send everything from INFO up to stderr; libraries only speak from WARNING up."""
    handler = logging.StreamHandler()
    plain = logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")
    handler.setFormatter(JsonFormatter() if log_format == "json" else plain)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("pointsman_service").setLevel(logging.INFO)
