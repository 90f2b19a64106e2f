"""The public surface: what it is, what it costs to import, and that its example works."""

import inspect
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import pointsman
from pointsman import errors
from tests.models import affine

HEAVY = ("numpy", "onnxruntime", "onnx", "obstore", "boto3", "msgspec", "http.client", "ssl")


def test_all_is_sorted_and_each_name_is_where_it_is_looked_for() -> None:
    homes = [name for names in pointsman._HOMES.values() for name in names]
    assert list(pointsman.__all__) == sorted(homes)
    assert set(homes) <= set(dir(pointsman))
    for name in homes:
        assert getattr(pointsman, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        pointsman.nothing  # noqa: B018


def test_every_error_that_a_caller_may_meet_is_public() -> None:
    """A store's regular answers are turned into others before they reach anybody."""
    internal = {"ObjectNotFound", "ObjectExists", "PreconditionFailed"}
    all_errors = {
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, errors.PointsmanError)
    }
    assert all_errors - internal <= set(pointsman.__all__)


def test_everything_public_has_a_docstring() -> None:
    undocumented = [name for name in pointsman.__all__ if not getattr(pointsman, name).__doc__]
    assert undocumented == []


def test_the_tree_of_errors_in_the_docstring_names_every_error() -> None:
    tree = errors.__doc__ or ""
    for name, value in vars(errors).items():
        if inspect.isclass(value):
            assert name in tree


def test_importing_the_library_imports_nothing_heavy() -> None:
    program = f"import sys, pointsman; print([name for name in {HEAVY!r} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert result.stdout.decode().strip() == "[]"


def test_the_example_in_the_docstring_works(tmp_path: Path, file_url: str) -> None:
    affine(tmp_path / "model.onnx")
    lines = (pointsman.__doc__ or "").splitlines()
    example = textwrap.dedent("\n".join(line for line in lines if line.startswith("    ")))
    program = example.replace("s3://models/prod", file_url)
    assert file_url in program

    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)

    channel = pointsman.open(file_url).channel("digits", "production")
    assert (channel.stable.version, channel.history[-1].why) == ("v3", "better on sevens")
