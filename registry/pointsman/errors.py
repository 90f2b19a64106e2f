"""Every error the registry raises, by whose fault it is.

PointsmanError
├── InvalidName            a name or a path inside a version breaks the rules
├── InvalidModel           the files given cannot be served
├── InvalidDocument        a manifest, channel or heartbeat in the store cannot be read
├── ContentMismatch        bytes are not what their digest says
├── NotFound               no such model, version or channel
├── VersionExists          the version's name is taken by other content
├── NothingToRollBack      the channel has no earlier version to go back to
├── InvalidRollout         a canary or shadow cannot be started, changed or ended this way
├── ChannelConflict        other writers kept winning the channel
├── CacheUnusable          the local disk does not take what is to be cached
├── KeyUnusable            what should be a key cannot be one
├── Untrusted              nobody who is trusted signed it, or it is older than what was seen
├── Quarantined            an instance had to go back from this version; a mark says why
├── PruneRunning           versions are being removed at this moment
└── StoreError             the road to the objects, not the objects
    ├── StoreMisconfigured     the URL or the credentials cannot work
    ├── StoreUnreachable       no answer, or one that says "try later"
    ├── StoreDenied            the credentials may not do this
    ├── ObjectNotFound         ⎫
    ├── ObjectExists           ⎬ a store's regular answers, turned into the ones above
    └── PreconditionFailed     ⎭

Each carries one sentence of what happened and, where there is one, what to do next.
Nothing here knows of HTTP codes, exit codes or colours.
"""


class PointsmanError(Exception):
    """What went wrong, in one sentence; `hint` says what to do next."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InvalidName(PointsmanError):
    """A model, version, channel or file name that could not be a safe object key."""


class InvalidModel(PointsmanError):
    """The files given cannot be published as a version."""


class InvalidDocument(PointsmanError):
    """A JSON document in the store does not follow its schema."""


class ContentMismatch(PointsmanError):
    """Bytes differ from the digest that names them; they must not be used."""


class NotFound(PointsmanError):
    """The model, version or channel asked for does not exist."""


class VersionExists(PointsmanError):
    """Versions are immutable, and this name is taken by other content."""


class NothingToRollBack(PointsmanError):
    """The channel never served an earlier version, or not the one asked for."""


class InvalidRollout(PointsmanError):
    """The canary or shadow wished for cannot be, or stands in the way of what is wished for."""


class ChannelConflict(PointsmanError):
    """Other writers changed the channel at every attempt."""


class CacheUnusable(PointsmanError):
    """The directory of the cache cannot be written or read."""


class KeyUnusable(PointsmanError):
    """A key's file or text does not hold the key it should."""


class Untrusted(PointsmanError):
    """A manifest or channel lacks the signature of a trusted key, or is an old one replayed."""


class Quarantined(PointsmanError):
    """A mark in the store says that this version must not be tried again."""


class PruneRunning(PointsmanError):
    """Somebody is removing versions of the same model at this moment."""


class StoreError(PointsmanError):
    """The store could not do what was asked."""


class StoreMisconfigured(StoreError):
    """The store's URL, region or credentials cannot work as given."""


class StoreUnreachable(StoreError):
    """The store did not answer, or answered that it cannot now; the outcome is unknown."""


class StoreDenied(StoreError):
    """The store refused the credentials for this operation."""


class ObjectNotFound(StoreError):
    """There is no object under this key."""


class ObjectExists(StoreError):
    """A create-only write found an object already there."""


class PreconditionFailed(StoreError):
    """The object changed since it was read."""
