"""What S3's error codes mean to an operator: one sentence of cause, one of what to do.

Codes are those of the S3 API Reference, "Error responses", and of STS. Every one here says that
trying again is useless; what is not here is left to the adapter.
"""

import re

from pointsman.errors import StoreMisconfigured

_REGION_HINT = "Set AWS_REGION{to} to the bucket's region."
_KEYS_HINT = "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."

_CAUSES = {
    "NoSuchBucket": ("there is no bucket named {bucket}", "Create it, or correct the store's URL."),
    "InvalidBucketName": ("{bucket} is not the name of a bucket", "Correct the store's URL."),
    "InvalidAccessKeyId": ("the access key does not exist", "Check AWS_ACCESS_KEY_ID."),
    "SignatureDoesNotMatch": ("the secret key is wrong", "Check AWS_SECRET_ACCESS_KEY."),
    "Unauthorized": ("the keys are not valid there", _KEYS_HINT),
    "InvalidToken": ("the session token is wrong", "Check AWS_SESSION_TOKEN, or unset it."),
    "ExpiredToken": ("the credentials have expired", "Get new ones; AWS_SESSION_TOKEN is old."),
    "RequestExpired": ("the credentials or the request have expired", "Get new ones."),
    "ExpiredTokenException": (
        "the web identity token has expired",
        "The platform renews it: restart the machine, or look at AWS_WEB_IDENTITY_TOKEN_FILE.",
    ),
    "InvalidIdentityToken": (
        "AWS does not accept the web identity token",
        "Does the account have an identity provider for the token's issuer and audience?",
    ),
    "RequestTimeTooSkewed": (
        "this machine's clock differs too much from the store's",
        "Set the clock: requests are signed with the time, and 15 minutes are the limit.",
    ),
    "PermanentRedirect": ("the bucket is in another region", _REGION_HINT),
    "AuthorizationHeaderMalformed": ("the region is wrong", _REGION_HINT),
    "InvalidRegionName": ("the region is wrong", "Set AWS_REGION=auto for R2."),
    "NotImplemented": (
        "the store does not know conditional writes, so that writers could undo each other unseen",
        "Use S3, R2, Tigris, MinIO, gs:// or a directory.",
    ),
}
_CODE = re.compile(r"<Code>(\w+)</Code>")
_EXPECTED_REGION = re.compile(r"<Region>([\w-]+)</Region>|expecting '([\w-]+)'")
# obstore's words for S3's redirect to another region, which comes without a Location.
_BARE_REDIRECT = "redirect without LOCATION"
# And for a call to STS, whose address it hides because the token stands in it.
_ASSUMING = re.compile(r"POST REDACTED.*status code: 4\d\d", re.DOTALL)
# The client's own message is the same for all of these; its details tell them apart.
_NO_ANSWER = {
    "ConnectionRefused": "nobody listens there",
    "dns error": "its name is not known",
    "certificate": "its certificate is not trusted",
    "TimedOut": "no answer in time",
    "InvalidContentType": "what listens there does not speak TLS: is it http:// and not https://?",
}


def of_silence(text: str) -> str:
    """Return why nothing was answered, as the details of a client's error tell; "" if not."""
    return next((reason for mark, reason in _NO_ANSWER.items() if mark in text), "")


def explained(text: str, verb: str, url: str, bucket: str) -> StoreMisconfigured | None:
    """Return what an answer's text means; None when it is not among what is known."""
    code = "PermanentRedirect" if _BARE_REDIRECT in text else ""
    if found := _CODE.search(text):
        code = found[1]
    if code not in _CAUSES and _ASSUMING.search(text):
        return StoreMisconfigured(
            f"cannot {verb} in {url}: AWS does not let this web identity assume its role",
            "Check AWS_ROLE_ARN, and that the role's trust policy names this app.",
        )
    if code not in _CAUSES:
        return None
    cause, hint = _CAUSES[code]
    region = _EXPECTED_REGION.search(text)
    named = f"={region[1] or region[2]}, or ?region= in the store's URL," if region else ""
    return StoreMisconfigured(
        f"cannot {verb} in {url}: {cause.format(bucket=bucket)}", hint.replace("{to}", named)
    )
