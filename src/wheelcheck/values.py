"""Values that the whole house speaks: closed variants, and their plain form for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, NoReturn, TypeAlias

Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"


class Variant:
    """A member of a closed union; its class name is its stable code, the `kind` of the documents."""

    __slots__ = ()

    @property
    def kind(self) -> str:
        """The stable code of this variant, such as ``OsTooOld``."""
        return type(self).__name__


def plain(value: Any) -> Plain:
    """The JSON form of a value: dataclasses become objects, variants carry their `kind`, versions and URLs their text.

    A class that wants another form defines ``to_dict``. Fields whose name starts with an underscore are left out.
    """
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case tuple() | list():
            return [plain(item) for item in value]
        case set() | frozenset():
            return sorted((plain(item) for item in value), key=str)
    if hasattr(value, "to_dict"):
        form: dict[str, Plain] = value.to_dict()
        return form
    return fields_of(value) if is_dataclass(value) else str(value)


def fields_of(value: Any) -> dict[str, Plain]:
    """The fields of a dataclass in order, each in its plain form; `kind` first for a `Variant`."""
    head: dict[str, Plain] = {"kind": value.kind} if isinstance(value, Variant) else {}
    return head | {f.name: plain(getattr(value, f.name)) for f in fields(value) if not f.name.startswith("_")}


def assert_never(value: NoReturn) -> NoReturn:
    """Ends a `match` over a closed union; the type checker proves that it is not reached."""
    raise AssertionError(f"not a member of the union: {value!r}")
