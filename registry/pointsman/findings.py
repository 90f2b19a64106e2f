"""What a check found: how bad it is, what it is, and what to do about it."""

from enum import StrEnum

import msgspec


class Severity(StrEnum):
    """How bad; only an error means that something will not work."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of one check; `remediation` says what to type, unless all is well."""

    check: str
    severity: Severity
    message: str
    remediation: str = ""


def ok(check: str, message: str) -> Finding:
    """Return that all is well."""
    return Finding(check=check, severity=Severity.OK, message=message)


def warning(check: str, message: str, remediation: str) -> Finding:
    """Return what will do harm one day."""
    return Finding(check=check, severity=Severity.WARNING, message=message, remediation=remediation)


def error(check: str, message: str, remediation: str) -> Finding:
    """Return what does not work."""
    return Finding(check=check, severity=Severity.ERROR, message=message, remediation=remediation)
