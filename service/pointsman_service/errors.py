"""What can go wrong between a request and its answer, in the service's own words.

RequestFailed
├── CallerMistake          the caller's fault: the message says what is expected
│   ├── InputInvalid           it does not fit the model's signature, or is not what it claims
│   ├── BodyTooLarge           more bytes than this service accepts
│   ├── EncodingUnsupported    compressed in a way that this service does not undo
│   ├── KeyRefused             it needs a key, and has none or a wrong one
│   ├── Forbidden              no key would do: this service does not have that switched on
│   ├── Unfitting              it cannot be done as things stand here
│   └── UnknownVersion         it asks for a model, or a version of it, that is not here
├── NotNow                 nobody's fault: the same request may be answered another time
│   ├── NotServing             no version is ready, or the service is shutting down
│   ├── Overloaded             as many requests wait as may wait
│   ├── TimedOut               its deadline came before its answer
│   └── CallerLeft             nobody waits for the answer any more
└── ModelFailed            the model's fault: it fails on what it answered before

`api.messages` alone knows which HTTP status each becomes.
"""


class RequestFailed(Exception):
    """A request that gets no prediction; the message is for the caller."""


class CallerMistake(RequestFailed):
    """The same request will fail again."""


class NotNow(RequestFailed):
    """The same request may succeed later, or elsewhere."""


class InputInvalid(CallerMistake):
    """The request does not fit the model's signature, or is not what it claims to be."""


class BodyTooLarge(CallerMistake):
    """The request is larger than this service accepts."""


class EncodingUnsupported(CallerMistake):
    """The request's body is encoded in a way that this service does not undo."""


class KeyRefused(CallerMistake):
    """The request lacks an API key that is accepted here."""


class Forbidden(CallerMistake):
    """The request is for something that is switched off here."""


class Unfitting(CallerMistake):
    """The request cannot be fulfilled in the present state of this service."""


class UnknownVersion(CallerMistake):
    """The request is for a model or a version that is not here."""


class NotServing(NotNow):
    """There is no version to answer with; trying again later may help."""


class Overloaded(NotNow):
    """As many requests wait for the model as may wait."""


class TimedOut(NotNow):
    """The caller's deadline, or the service's, came before the answer."""


class CallerLeft(NotNow):
    """The connection was lost before the answer was ready."""


class ModelFailed(RequestFailed):
    """The model no longer computes what it computed when it was loaded."""
