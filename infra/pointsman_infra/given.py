"""Keys that the operator gives, because nobody here can make them: by environment only."""

import os

from pulumi import Output

from pointsman_infra.errors import SettingsInvalid
from pointsman_infra.provisioned import Key


def variables(role: str) -> tuple[str, str]:
    """Return the names of the two variables that hold a principal's key."""
    prefix = f"POINTSMAN_{role.upper()}"
    return f"{prefix}_ACCESS_KEY_ID", f"{prefix}_SECRET_ACCESS_KEY"


def key(role: str) -> Key:
    """Return the key in the environment as a secret; raises `SettingsInvalid` without one."""
    names = variables(role)
    missing = [name for name in names if not os.environ.get(name)]
    if missing:
        raise SettingsInvalid(
            f"the {role}'s key is not given: {' and '.join(missing)} is not set"
            if len(missing) == 1
            else f"the {role}'s key is not given",
            f"Make a key that may only do a {role}'s work, and set {' and '.join(names)}.",
        )
    access_key_id, secret = (os.environ[name] for name in names)
    return Key(access_key_id=Output.secret(access_key_id), secret_access_key=Output.secret(secret))
