"""What can go wrong between a request and its answer, in the service's own words.

RequestFailed
├── InputInvalid           the caller's fault: the message says what is expected
├── BodyTooLarge           the caller's fault: more bytes than this service accepts
├── EncodingUnsupported    the caller's fault: a compressed body
├── UnknownVersion         the caller's fault: a model, or a version of it, that is not here
├── NotServing             nobody's fault: no version is ready, or the service is shutting down
└── ModelFailed            the model's fault: it fails on what it answered before

`api.messages` alone knows which HTTP status each becomes.
"""


class RequestFailed(Exception):
    """A request that gets no prediction; the message is for the caller."""


class InputInvalid(RequestFailed):
    """The request does not fit the model's signature, or is not what it claims to be."""


class BodyTooLarge(RequestFailed):
    """The request is larger than this service accepts."""


class EncodingUnsupported(RequestFailed):
    """The request's body is encoded in a way that this service does not undo."""


class UnknownVersion(RequestFailed):
    """The request is for a model or a version that is not here."""


class NotServing(RequestFailed):
    """There is no version to answer with; trying again later may help."""


class ModelFailed(RequestFailed):
    """The model no longer computes what it computed when it was loaded."""
