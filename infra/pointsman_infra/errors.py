"""Why provisioning failed, by what the operator has to do about it.

InfraError
├── SettingsInvalid      the stack's settings cannot work; nothing was asked of anyone yet
├── CommandMissing       there is no usable `pulumi`
├── StateUnusable        the backend or its passphrase cannot be used
├── StackMissing         the stack was never made
├── StackLocked          somebody else is changing the stack
├── AccessRefused        the provider does not accept, or does not permit, the operator
├── NameTaken            the bucket's name belongs to somebody else
├── Guarded              a bucket is protected, or models are in it
├── Drifted              what exists is not what was provisioned
└── ProvisioningFailed   any other reason, in the provider's own words
"""

from typing import Any

from pointsman.errors import PointsmanError


class InfraError(PointsmanError):
    """Provisioning did not do what was asked; `document` is what it did, for `--json`."""

    def __init__(
        self, message: str, hint: str = "", document: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message, hint)
        self.document = document or {}


class SettingsInvalid(InfraError):
    """The stack's settings miss something, or hold something that cannot work."""


class CommandMissing(InfraError):
    """There is no `pulumi`, or one that is too old."""


class StateUnusable(InfraError):
    """The state cannot be read: no access to the backend, or the wrong passphrase."""


class StackMissing(InfraError):
    """The stack does not exist in the backend."""


class StackLocked(InfraError):
    """Another update of the stack is running, or was cut off."""


class AccessRefused(InfraError):
    """The provider refused the operator's credentials, or one permission is missing."""


class NameTaken(InfraError):
    """The bucket's name is taken by another account."""


class Guarded(InfraError):
    """Something that must not be lost is in the way."""


class Drifted(InfraError):
    """What exists differs from what was provisioned."""


class ProvisioningFailed(InfraError):
    """The engine or the provider gave up."""


class ResourceFailed(Exception):
    """What a dynamic resource says of its failure, in one line: only text crosses to the engine."""

    def __init__(self, error: PointsmanError) -> None:
        super().__init__(f"[{type(error).__name__}] {error.message}. {error.hint}".strip())
