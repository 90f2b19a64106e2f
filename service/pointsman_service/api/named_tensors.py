"""The codec of `/predict`: named tensors as JSON in, named tensors as JSON or as bytes out.

What is the same for all requests and answers of a version is prepared once. A body that is proved
to hold nothing but numbers is turned into arrays without a look at each of them.
"""

from collections.abc import Mapping

import orjson

from pointsman import datatypes
from pointsman.manifest import Version
from pointsman_service import tensors
from pointsman_service.api import many_numbers, raw_answer
from pointsman_service.api.codec import Body, Call
from pointsman_service.api.messages import Response
from pointsman_service.errors import InputInvalid
from pointsman_service.serving.servable import Servable
from pointsman_service.tensors import Arrays

_INTEGERS = b"0123456789,-[] \n\r\t"
_LEAST_INTEGERS = b"-922337203685477"
"""So begin those from which on the parser has no room, and makes floats."""
_NUMBERS = _INTEGERS + b".eE+"


class NamedTensors:
    """The codec of `/predict`."""

    def effort(self, _headers: Mapping[bytes, bytes], body: Body) -> int:
        """Return the size of the body: all of it is JSON."""
        return len(body)

    def lead(self, _headers: Mapping[bytes, bytes]) -> int:
        """Return 0: nothing is in binary."""
        return 0

    def read(self, call: Call, servable: Servable) -> Arrays:
        """Return the inputs by name."""
        signature = servable.version.manifest.inputs
        if len(call.body) > many_numbers.LEAST_BYTES:
            feed = many_numbers.read(call.body, signature)
            if feed is not None:
                return feed
        body = bytes(call.body)
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise InputInvalid(f"the body is not JSON: {error}") from error
        if not isinstance(document, dict) or "inputs" not in document:
            raise InputInvalid('the body must be an object with "inputs"')
        inputs = document["inputs"]
        if servable.once(_Form).holds_only_numbers(body):
            feed = tensors.from_numbers(inputs, signature)
            if feed is not None:
                return feed
        return tensors.parse(inputs, signature)

    def write(self, call: Call, servable: Servable, outputs: Arrays) -> Response:
        """Return the outputs by name, and who computed them; or their bytes, if that is wanted."""
        accepted = call.headers.get(b"accept")
        if accepted and raw_answer.is_accepted(accepted):
            return raw_answer.write(outputs, servable.version)
        form = servable.once(_Form)
        parts = []
        for name, array in outputs.items():
            parts.append(form.labels[name])
            written = tensors.to_json(array)
            parts.append(orjson.dumps(written, option=orjson.OPT_SERIALIZE_NUMPY))
        parts.append(form.end)
        return Response(200, b"".join(parts))


class _Form:
    """What is the same in all requests and answers of a version."""

    def __init__(self, version: Version) -> None:
        manifest = version.manifest
        kinds = {datatypes.NUMPY[spec.datatype].kind for spec in manifest.inputs}
        self._numeric = _INTEGERS if kinds <= set("iu") else _NUMBERS if kinds == {"f"} else None
        named = b",".join(orjson.dumps(spec.name) + b":" for spec in manifest.inputs)
        forms = [b'{"inputs":{%b}}' % named, *[b'{"inputs":}'][: len(manifest.inputs) == 1]]
        self._skeletons = {form.translate(None, self._numeric or b"") for form in forms}
        model = {"name": manifest.model, "version": manifest.version, "digest": version.digest}
        self.labels = {
            spec.name: (b"," if number else b'{"outputs":{') + orjson.dumps(spec.name) + b":"
            for number, spec in enumerate(manifest.outputs)
        }
        """What stands before each output."""
        self.end = b'},"model":' + orjson.dumps(model) + b"}"

    def holds_only_numbers(self, body: bytes) -> bool:
        """Tell whether a body, which is JSON, has numbers of the right kind for all its values.

        Without the characters of numbers and brackets, nothing but the form itself is left: `true`,
        `null`, quotes and braces would be.
        """
        if self._numeric is None or (self._numeric is _INTEGERS and _LEAST_INTEGERS in body):
            return False
        return body.translate(None, self._numeric) in self._skeletons
