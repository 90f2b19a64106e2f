"""Why an operation failed: what the engine and the providers print, turned into our sentences.

The engine's errors are text, and so are a provider's; what can be recognised gets a cause and a
fix, anything else is quoted. Sources: pulumi/pkg (messages of backends and of the engine), the
S3, IAM and Cloudflare API references (error codes).
"""

import re
from collections.abc import Callable, Sequence

from pulumi.automation.errors import CommandError, ConcurrentUpdateError, StackNotFoundError

from pointsman_infra.errors import (
    AccessRefused,
    Guarded,
    InfraError,
    NameTaken,
    ProvisioningFailed,
    SettingsInvalid,
    StackLocked,
    StackMissing,
    StateUnusable,
)

_REPEAT = "What was made stays; correct the cause and run `pointsman infra up` again."

Explanation = Callable[["re.Match[str]"], InfraError]


def _always(kind: type[InfraError], message: str, hint: str) -> Explanation:
    return lambda _: kind(message, hint)


def explain(error: CommandError, stack: str, said: Sequence[str] = ()) -> InfraError:
    """Return the failure in our words; `said` are the engine's diagnostics."""
    if isinstance(error, StackNotFoundError):
        return StackMissing(f"there is no stack named {stack}", "`pointsman infra up` makes it.")
    text = "\n".join([*said, str(error)])
    if isinstance(error, ConcurrentUpdateError):
        return _locked(text, stack)
    for pattern, explanation in _PATTERNS:
        if match := pattern.search(text):
            return explanation(match)
    return ProvisioningFailed(_gist(text), _REPEAT)


def _locked(text: str, stack: str) -> InfraError:
    holder = re.search(r"created by (\S+) \(pid (\d+)\) at ([^\n]+)", text)
    who = f" by {holder[1]}, process {holder[2]}, since {holder[3]}" if holder else ""
    return StackLocked(
        f"the stack {stack} is locked{who}: another update is running, or was cut off",
        "Wait for it. If nothing runs any more, `pulumi cancel` removes the lock.",
    )


def _told(match: "re.Match[str]") -> InfraError:
    """Give back the sentence of one of our own resources."""
    kinds = {kind.__name__: kind for kind in InfraError.__subclasses__()}
    sentence = match[2].strip()
    return kinds.get(match[1], ProvisioningFailed)(sentence, "" if "`" in sentence else _REPEAT)


def _refused_input(match: "re.Match[str]") -> InfraError:
    return SettingsInvalid(
        f"{match[1]} cannot be published: {match[2].strip()}", "Correct its entry under models."
    )


def _denied_aws(match: "re.Match[str]") -> InfraError:
    return _lacking(match[1])


def _denied_operation(match: "re.Match[str]") -> InfraError:
    return _lacking(f"{match[1].lower()}:{match[2]}")


def _lacking(permission: str) -> InfraError:
    return AccessRefused(
        f"your AWS credentials lack the permission {permission}",
        f"Have {permission} granted to them, and run `pointsman infra up` again.",
    )


def _denied_cloudflare(match: "re.Match[str]") -> InfraError:
    about_tokens = "token" in match[0].lower()
    permission = "Account API Tokens Write" if about_tokens else "Workers R2 Storage Write"
    return AccessRefused(
        f"Cloudflare refused your API token: it probably lacks the permission {permission}",
        "The token in CLOUDFLARE_API_TOKEN needs Workers R2 Storage Write and, to make tokens, "
        "Account API Tokens Write on the account. Then run `pointsman infra up` again.",
    )


_taken = _always(
    NameTaken,
    "the bucket's name is taken by another account, or by a bucket that this stack did not make",
    "Choose another with --bucket, or adopt your own with --provider existing.",
)

_protected = _always(
    Guarded,
    "a protected bucket would be deleted or replaced",
    "Buckets are never replaced: put bucket, region, jurisdiction and endpoint back as they "
    "were, or give the other bucket a stack of its own with --stack. "
    "`pointsman infra destroy` is the way to remove one.",
)

_not_empty = _always(
    Guarded,
    "the bucket is not empty",
    "`pointsman infra destroy --force BUCKET` removes all of it.",
)

_unauthenticated = _always(
    AccessRefused,
    "the provider does not accept your credentials, or found none",
    "For AWS set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, for Cloudflare "
    "CLOUDFLARE_API_TOKEN; `pointsman infra doctor` shows what is seen.",
)

_bad_region = _always(
    SettingsInvalid,
    "the provider does not know that region or location",
    "Correct --region, or location.",
)

_bad_name = _always(
    SettingsInvalid, "the provider does not accept the bucket's name", "Choose another."
)


_wrong_passphrase = _always(
    StateUnusable,
    "the passphrase is not the one this stack's secrets were encrypted with",
    "Set PULUMI_CONFIG_PASSPHRASE to the one used before, or put the old file back.",
)

_no_passphrase = _always(
    StateUnusable,
    "this stack's secrets are encrypted, and there is no passphrase",
    "Set PULUMI_CONFIG_PASSPHRASE, or PULUMI_CONFIG_PASSPHRASE_FILE.",
)


def _no_backend(match: "re.Match[str]") -> InfraError:
    return StateUnusable(
        f"the state cannot be reached: {match[0].strip()[:200]}",
        "Check the backend's URL, `pulumi login`, and your access to it.",
    )


_UNKNOWN_KEY = (
    r"InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|no valid credential sources"
    r"|Missing X-Auth-Key|credentials[^\n]*must be (?:set|provided)"
)
_UNREACHABLE_STATE = (
    r"(?:unable to open bucket|could not read (?:current )?user|failed to get latest"
    r"|invalid access token)[^\n]*"
)
_PATTERNS: tuple[tuple["re.Pattern[str]", Explanation], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), explanation)
    for pattern, explanation in (
        (r"ResourceFailed: \[(\w+)\] ([^\n]+)", _told),
        (r"ModelVersion resource '([^']+)' has a problem: ([^\n]+)", _refused_input),
        (r"incorrect passphrase", _wrong_passphrase),
        (r"passphrase must be set", _no_passphrase),
        (r"BucketAlreadyExists|BucketAlreadyOwnedByYou|bucket[^\n]*already exists", _taken),
        (r"unable to (?:delete|replace) resource[^\n]*\n?[^\n]*marked for protection", _protected),
        (r"BucketNotEmpty|bucket[^\n]* is not empty", _not_empty),
        (r"not authorized to perform:? ([a-z0-9-]+:[A-Za-z]+)", _denied_aws),
        (r"operation error (S3|IAM|STS): (\w+),[^\n]*AccessDenied", _denied_operation),
        (_UNKNOWN_KEY, _unauthenticated),
        (r"[^\n]*(?:Authentication error|Unauthorized to access)[^\n]*", _denied_cloudflare),
        (
            r"InvalidLocationConstraint|IllegalLocationConstraint|invalid (?:AWS )?region",
            _bad_region,
        ),
        (r"InvalidBucketName|bucket name is not valid", _bad_name),
        (_UNREACHABLE_STATE, _no_backend),
    )
)


def _gist(text: str) -> str:
    """Return the line that says most: the engine's first error, without its decoration."""
    lines = [re.sub(r"<\{%.*?%\}>", "", line).strip() for line in text.splitlines()]
    telling = [line for line in lines if line.lower().startswith("error:")] or [
        line for line in lines if line and not line.startswith(("code:", "stdout:", "stderr:"))
    ]
    return (telling[0] if telling else "the engine failed and did not say why")[:400]
