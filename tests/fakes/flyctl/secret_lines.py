"""`fly secrets import` as flyctl reads it: what its parser does, losses included.

See flyctl's internal/command/secrets/parser.go; the limit of a line is Go's bufio.Scanner's.
"""

_QUOTES = '"""'
_LONGEST = 64 << 10


def parsed(text: str) -> dict[str, str]:
    """Return the secrets that flyctl would set."""
    secrets: dict[str, str] = {}
    key, collected = "", None
    for raw in text.split("\n"):
        if len(raw.encode()) >= _LONGEST:
            break  # the scanner stops, and nobody asks it why
        line = raw.removesuffix("\r")
        if collected is not None:
            if line.endswith(_QUOTES):
                secrets[key] = collected + line.removesuffix(_QUOTES)
                collected = None
            else:
                collected += line + "\n"
            continue
        if line.startswith("#") or not line.strip():
            continue
        name, equals, value = line.partition("=")
        assert equals, f"flyctl refuses the line {line!r}"
        key, value = name.strip(), _uncommented(value.lstrip(" "))
        if value.startswith(_QUOTES) and value.endswith(_QUOTES) and len(value) >= 6:
            secrets[key] = value[3:-3]
        elif value.startswith(_QUOTES):
            collected = value.removeprefix(_QUOTES) + "\n"
        else:
            secrets[key] = _unquoted(value)
    return secrets


def _uncommented(value: str) -> str:
    before, mark, _ = value.partition("#")
    return before.rstrip(" ") if mark and before.count('"') % 2 == 0 else value


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value
