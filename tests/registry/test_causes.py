"""What S3's answers mean: each bad input is one sentence of cause, and one of what to do."""

import pytest

from pointsman.errors import StoreUnreachable
from pointsman.stores import causes, open_store
from tests.servers.canned import Canned, answering

URL = "s3://models/prod"
KEYS = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}


def answer(code: str, more: str = "") -> str:
    return (
        "Generic S3 error: Error performing PUT https://host/models/x in 1ms - Server returned "
        f"non-2xx status code: 400 Bad Request: <Error><Code>{code}</Code>{more}</Error>"
    )


@pytest.mark.parametrize(
    ("text", "cause", "fix"),
    [
        (answer("NoSuchBucket"), "there is no bucket named models", "Create it"),
        (
            answer("AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>"),
            "the region is wrong",
            "AWS_REGION=eu-west-1",
        ),
        (answer("PermanentRedirect"), "in another region", "Set AWS_REGION to"),
        ("Received redirect without LOCATION, this", "in another region", "Set AWS_REGION to"),
        (answer("InvalidRegionName"), "the region is wrong", "AWS_REGION=auto"),
        (answer("ExpiredToken"), "credentials have expired", "Get new ones"),
        (answer("RequestTimeTooSkewed"), "clock differs too much", "Set the clock"),
        (answer("InvalidAccessKeyId"), "does not exist", "AWS_ACCESS_KEY_ID"),
        (answer("SignatureDoesNotMatch"), "secret key is wrong", "AWS_SECRET_ACCESS_KEY"),
        (answer("Unauthorized"), "not valid there", "AWS_ACCESS_KEY_ID"),
        (answer("NotImplemented"), "does not know conditional writes", "Use S3, R2"),
    ],
)
def test_a_known_answer_names_cause_and_fix(text: str, cause: str, fix: str) -> None:
    error = causes.explained(text, "write", URL, "models")
    assert error is not None
    assert error.message.startswith(f"cannot write in {URL}: ")
    assert cause in error.message
    assert fix in error.hint
    assert "<" not in error.message + error.hint
    assert "{" not in error.message + error.hint


def test_what_is_not_known_is_left_to_others() -> None:
    assert causes.explained(answer("SlowDown"), "write", URL, "models") is None
    assert causes.explained("connection reset", "write", URL, "models") is None


def test_a_token_exchange_that_got_no_answer_is_not_called_a_refusal() -> None:
    text = "Error performing POST REDACTED in 3s - HTTP error: error sending request"
    assert causes.explained(text, "read", URL, "models") is None
    assert causes.of_silence(text + " ConnectionRefused") == "nobody listens there"


def test_https_where_http_is_spoken_is_told_apart_from_silence() -> None:
    with answering(Canned()) as server:
        endpoint = server.url.replace("http:", "https:")
        store = open_store(f"s3://models?endpoint={endpoint}", KEYS)
        with pytest.raises(StoreUnreachable, match="does not speak TLS: is it http://"):
            store.folders("models/")


def test_a_store_that_answers_with_trouble_is_not_said_to_be_out_of_reach() -> None:
    with answering(Canned(status=500)) as server:
        store = open_store(f"s3://models?endpoint={server.url}", KEYS)
        with pytest.raises(StoreUnreachable, match="status code: 500") as error:
            store.folders("models/")
    assert error.value.hint == "Try again; nothing is lost."
