"""Keys: what is kept secret stays secret, and what is no key is refused without being repeated."""

import stat
from pathlib import Path

import pytest

from pointsman.errors import KeyUnusable
from pointsman.signing.keypair import PublicKey, SigningKey, parse_all


def test_a_signature_convinces_only_the_key_that_belongs_to_it() -> None:
    key, other = SigningKey.generate(), SigningKey.generate()
    signature = key.sign(b"statement")
    assert key.public.verifies(signature, b"statement")
    assert not key.public.verifies(signature, b"another statement")
    assert not other.public.verifies(signature, b"statement")
    assert not key.public.verifies(b"", b"statement")


def test_a_saved_key_is_for_its_owner_alone_and_comes_back_the_same(tmp_path: Path) -> None:
    key = SigningKey.generate()
    key.save(tmp_path / "keys" / "release.key")
    file = tmp_path / "keys" / "release.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert SigningKey.load(file).public == key.public


def test_a_key_is_never_written_over_another(tmp_path: Path) -> None:
    first = SigningKey.generate()
    first.save(tmp_path / "a.key")
    with pytest.raises(KeyUnusable, match="exists"):
        SigningKey.generate().save(tmp_path / "a.key")
    assert SigningKey.load(tmp_path / "a.key").public == first.public


def test_a_public_key_is_text_that_can_be_pasted() -> None:
    key = SigningKey.generate().public
    assert PublicKey.parse(str(key)) == key
    assert PublicKey.parse(str(key)).id == key.id


def test_several_keys_may_stand_in_one_text_and_count_once() -> None:
    first, second = SigningKey.generate().public, SigningKey.generate().public
    assert parse_all([f"{first}, {second}\n{first}", str(second)]) == (first, second)
    assert parse_all([""]) == ()


@pytest.mark.parametrize("text", ["ed25519:", "ed25519:AAAA", "secret-text", "ed25519:!!", "é"])
def test_what_is_no_public_key_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(KeyUnusable) as caught:
        PublicKey.parse(text)
    assert text not in f"{caught.value.message} {caught.value.hint}" or text == "ed25519:"


@pytest.mark.parametrize("content", [b"", b"hunter2", b"\xff" * 100])
def test_what_is_no_private_key_is_refused_without_being_quoted(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "a.key").write_bytes(content)
    with pytest.raises(KeyUnusable, match="not an Ed25519 private key") as caught:
        SigningKey.load(tmp_path / "a.key")
    assert "hunter2" not in str(caught.value)


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    pem = X25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    (tmp_path / "a.key").write_bytes(pem)
    with pytest.raises(KeyUnusable, match="Ed25519"):
        SigningKey.load(tmp_path / "a.key")


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(KeyUnusable, match=r"none\.key cannot be read: No such file"):
        SigningKey.load(tmp_path / "none.key")


def test_a_key_given_instead_of_its_path_is_not_repeated(tmp_path: Path) -> None:
    SigningKey.generate().save(tmp_path / "a.key")
    pem = (tmp_path / "a.key").read_text()
    body = pem.splitlines()[1]
    for given in (pem, body):
        with pytest.raises(KeyUnusable, match="path of a file") as caught:
            SigningKey.load(Path(given))
        assert body not in f"{caught.value!r} {caught.value.hint}"


def test_a_key_does_not_show_itself() -> None:
    key = SigningKey.generate()
    assert repr(key) == f"SigningKey({key.public.id})"
