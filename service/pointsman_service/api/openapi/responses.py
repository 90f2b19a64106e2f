"""What replies look like in an OpenAPI document, of whichever route; pure."""

from typing import Any

Schema = dict[str, Any]

ERROR = {
    "type": "object",
    "properties": {"error": {"type": "string"}},
    "required": ["error"],
    "additionalProperties": False,
}
_VERSION_HEADERS = {
    "X-Request-Id": "The request's id: the caller's own, or a new one",
    "X-Model-Version": "The version that answered, or would have",
    "X-Model-Digest": "Its digest",
}
_MEANINGS = {
    "400": "The request does not fit the model's signature, or the protocol",
    "401": "The key is missing or unknown",
    "403": "The key is not good for this, or none is set that would be",
    "404": "The model, or this version of it, is not here",
    "409": "It cannot be done in the present state",
    "413": "The body is too large, packed or unpacked",
    "415": "The body is compressed otherwise than by gzip or deflate",
    "429": "Too many requests wait already; Retry-After says when to try again",
    "500": "The model fails on what it answered when it was loaded",
    "501": "This service does not do that",
    "503": "No version is ready; Retry-After says when to try again",
    "504": "The answer was not ready in time",
}


def operation(
    summary: str, answer: Schema, *failures: str, content_type: str = "application/json"
) -> Schema:
    """Describe a route without a body, with what it answers and the statuses it may fail by."""
    success = {"200": success_of(summary, {content_type: {"schema": answer}})}
    return {"summary": summary, "responses": success | failed(*failures)}


def success_of(description: str, content: Schema) -> Schema:
    """Describe an answer."""
    headers = {
        name: {"description": text, "schema": {"type": "string"}}
        for name, text in _VERSION_HEADERS.items()
    }
    return {"description": description, "headers": headers, "content": content}


def failed(*statuses: str) -> Schema:
    """Describe failures, all of which have the same form."""
    error = {"$ref": "#/components/schemas/Error"}
    return {
        status: {
            "description": _MEANINGS[status],
            "content": {"application/json": {"schema": error}},
        }
        for status in statuses
    }


def object_of(**properties: Schema) -> Schema:
    """Describe an object that has all these members."""
    return {"type": "object", "properties": properties, "required": list(properties)}
