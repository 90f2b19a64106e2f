"""The only place where object keys are spelled; see `docs/formats.md` for what lies under them."""

from pointsman.errors import InvalidName
from pointsman.names import channel_name, instance_name, model_name, version_name

MODELS = "models/"


def blobs(model: str) -> str:
    """The prefix of a model's files."""
    return f"{MODELS}{model_name(model)}/blobs/"


def blob(model: str, sha256: str) -> str:
    """One file's bytes, named by their digest."""
    return f"{blobs(model)}{sha256}"


def versions(model: str) -> str:
    """The prefix of a model's manifests."""
    return f"{MODELS}{model_name(model)}/versions/"


def manifest(model: str, version: str) -> str:
    """A version's manifest: the object whose existence makes the version exist."""
    return f"{versions(model)}{version_name(version)}.json"


def signatures(model: str) -> str:
    """The prefix of the signatures of a model's manifests."""
    return f"{MODELS}{model_name(model)}/signatures/"


def signature(model: str, sha256: str, key_id: str) -> str:
    """One key's signature of the manifest with this digest."""
    return f"{signatures(model)}{sha256}/{key_id}.json"


def uploads(model: str) -> str:
    """The prefix of the notes of publishers who count on blobs that were already there."""
    return f"{MODELS}{model_name(model)}/uploads/"


def upload(model: str, nonce: str) -> str:
    """One publisher's note."""
    return f"{uploads(model)}{nonce}.json"


def pruning(model: str) -> str:
    """The note of whoever removes versions: only one does at a time."""
    return f"{MODELS}{model_name(model)}/pruning.json"


def quarantines(model: str) -> str:
    """The prefix of the marks of versions that nobody shall try again."""
    return f"{MODELS}{model_name(model)}/quarantine/"


def quarantine(model: str, sha256: str) -> str:
    """The mark of the version whose manifest has this digest."""
    return f"{quarantines(model)}{sha256}.json"


def channels(model: str) -> str:
    """The prefix of a model's channels."""
    return f"{MODELS}{model_name(model)}/channels/"


def channel(model: str, name: str) -> str:
    """The pointer that says which version serves."""
    return f"{channels(model)}{channel_name(name)}.json"


def fleets(model: str) -> str:
    """The prefix of the heartbeats of a model's instances, whichever channel they follow."""
    return f"fleet/{model_name(model)}/"


def fleet(model: str, channel_: str) -> str:
    """The prefix of the heartbeats of one channel's instances."""
    return f"{fleets(model)}{channel_name(channel_)}/"


def heartbeat(model: str, channel_: str, instance: str) -> str:
    """One instance's heartbeat."""
    return f"{fleet(model, channel_)}{instance_name(instance)}.json"


def is_document(key: str) -> bool:
    """Tell whether a key is one of ours: others may lie beside them, and no reader sees those."""
    try:
        return key.endswith(".json") and bool(version_name(name_in(key)))
    except InvalidName:
        return False


def probe(name: str) -> str:
    """Where `pointsman doctor` tries what may be written: among models, and no model."""
    return f"{MODELS}pointsman-doctor/probes/{instance_name(name)}.json"


def fleet_probe(name: str) -> str:
    """Where it tries whether heartbeats may be written."""
    return heartbeat("pointsman-doctor", "probes", name)


def name_in(key: str) -> str:
    """Return the version, channel or instance that a `.json` key is named after."""
    return key.rsplit("/", 1)[-1].removesuffix(".json")
