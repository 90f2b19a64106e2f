"""What a struct says of each of its members: which values, which default, and its docstring.

Python forgets the text below a member, so it is read from the source.
"""

import ast
import inspect
import itertools
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from docs.reference.markdown import code
from msgspec import inspect as kinds

_WORDS: dict[type[kinds.Type], str] = {
    kinds.BoolType: "`true` or `false`",
    kinds.IntType: "whole number",
    kinds.FloatType: "number",
    kinds.StrType: "text",
    kinds.VarTupleType: "list of texts",
    kinds.DictType: "table",
    kinds.StructType: "table",
}


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a struct."""

    name: str
    values: str
    """Which there are, for people."""
    default: Any
    """`msgspec.NODEFAULT` where it has to be given."""
    text: str

    @property
    def is_table(self) -> bool:
        """Tell whether it is a struct itself."""
        return isinstance(self.default, msgspec.Struct)


def members(struct: type[msgspec.Struct], shapes: Mapping[str, str]) -> Iterator[Member]:
    """Yield the members in order; `shapes` says in words what a pattern asks for."""
    texts = _texts(struct)
    for field in msgspec.structs.fields(struct):
        values = _values(kinds.type_info(field.type), shapes)
        default = field.default_factory() if callable(field.default_factory) else field.default
        yield Member(field.name, values, default, texts.get(field.name, ""))


def _texts(struct: type[msgspec.Struct]) -> dict[str, str]:
    """Return the docstring of every member that has one."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(struct)))
    body = next(node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)).body
    texts = {}
    for member, below in itertools.pairwise(body):
        match member, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                texts[name] = text
    return texts


def _values(kind: kinds.Type, shapes: Mapping[str, str]) -> str:
    if isinstance(kind, kinds.LiteralType):
        *others, last = (code(str(value)) for value in kind.values)
        return f"{', '.join(others)} or {last}"
    if isinstance(kind, kinds.IntType | kinds.FloatType):
        return f"{_WORDS[type(kind)]}{_bounds(kind)}"
    if isinstance(kind, kinds.StrType) and kind.pattern:
        return shapes[kind.pattern]
    return _WORDS[type(kind)]


def _bounds(kind: kinds.IntType | kinds.FloatType) -> str:
    lower = (("from", kind.ge), ("above", kind.gt))
    upper = (("to", kind.le), ("below", kind.lt))
    return "".join(f" {word} {bound:g}" for word, bound in (*lower, *upper) if bound is not None)
