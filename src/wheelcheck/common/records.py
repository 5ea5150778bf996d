"""Records (light dataclasses), closed unions of them, and their JSON form.

A record behaves like a frozen, slotted, keyword-only dataclass. Dataclasses compile five methods for each class at
import, which for 150 classes costs ten times as much as records: a record compiles its initialiser when its first
instance is made, and all records share the other methods.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias, TypeVar, overload

if TYPE_CHECKING:
    from inspect import Signature

    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_: object) -> Callable[[T], T]:
        """The typing module has this from Python 3.11 on; at run time it does nothing."""
        return lambda decorator: decorator


T = TypeVar("T")
Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"

_NOTHING: Any = object()


class _Field:
    """The options of a field."""

    __slots__ = ("compared", "default", "default_factory", "hashed", "shown")

    def __init__(self, default: Any, default_factory: Any, *, hashed: bool, compared: bool, shown: bool) -> None:
        self.default = default
        self.default_factory = default_factory
        self.hashed = hashed and compared
        self.compared = compared
        self.shown = shown


def field(
    *,
    default: Any = _NOTHING,
    default_factory: Any = None,
    hash: bool = True,  # noqa: A002 -- the names of dataclasses, which type checkers know
    compare: bool = True,
    repr: bool = True,  # noqa: A002
) -> Any:
    """Declare a field with options: its default, and whether it counts in hashes, comparisons and `repr`."""
    return _Field(default, default_factory, hashed=hash, compared=compare, shown=repr)


@overload
def record(cls: type[T], /) -> type[T]: ...


@overload
def record(
    *, frozen: bool = True, kw_only: bool = True, eq: bool = True, slots: bool = True
) -> Callable[[type[T]], type[T]]: ...


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def record(
    cls: type[T] | None = None, /, *, frozen: bool = True, kw_only: bool = True, eq: bool = True, slots: bool = True
) -> Any:
    """Make a class a record: immutable, slotted, keyword-only, compared by value. Each property can be turned off."""

    def made(plain_class: type) -> type:
        fields = _all_fields(plain_class)
        result = _slotted(plain_class) if slots else plain_class
        methods = _methods(result, fields, kw_only=kw_only)
        methods |= _comparisons(fields) if eq else {}
        methods |= _FROZEN if frozen else {}
        for name, method in methods.items():
            if name not in plain_class.__dict__ or name == "__hash__":
                setattr(result, name, method)
        return result

    return made if cls is None else made(cls)


def _all_fields(cls: type) -> dict[str, _Field]:
    """Return the fields of a class in order, those of its bases first."""
    fields = {name: said for base in reversed(cls.__mro__[1:]) for name, said in _fields(base).items()}
    for name, annotation in cls.__annotations__.items():
        if not annotation.startswith("ClassVar"):
            said = cls.__dict__.get(name, _NOTHING)
            fields[name] = said if isinstance(said, _Field) else field(default=said)
    return fields


def _fields(cls: type) -> Mapping[str, _Field]:
    found: Mapping[str, _Field] = cls.__dict__.get("_record_fields", {})
    return found


def _slotted(cls: type) -> type:
    """Return a copy of a class with slots, which can only be set when a class is created."""
    own = [name for name, annotation in cls.__annotations__.items() if not annotation.startswith("ClassVar")]
    names = {*own, "__dict__", "__weakref__"}
    namespace = {name: value for name, value in cls.__dict__.items() if name not in names}
    made: type = type(cls)(cls.__name__, cls.__bases__, namespace | {"__slots__": tuple(own)})
    made.__qualname__ = cls.__qualname__
    return made


def _methods(cls: type, fields: Mapping[str, _Field], *, kw_only: bool) -> dict[str, Any]:
    def initialise(self: Any, *args: Any, **values: Any) -> None:
        compiled = _initialiser(cls, fields, kw_only=kw_only)
        type.__setattr__(cls, "__init__", compiled)
        compiled(self, *args, **values)

    names = [name for name, said in fields.items() if said.shown]

    def shown(self: Any) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    return {
        "_record_fields": fields,
        "__init__": initialise,
        "__repr__": shown,
        "__reduce__": _reduced,
        "__signature__": _SignatureOf(fields, kw_only=kw_only),
    }


def _initialiser(cls: type, fields: Mapping[str, _Field], *, kw_only: bool) -> Any:
    """Compile an initialiser; one that loops over the fields takes four times as long."""
    known: dict[str, Any] = {"_NOTHING": _NOTHING}
    lines = []
    for name, said in fields.items():
        value = name
        if said.default_factory is not None:
            known[f"_new_{name}"] = said.default_factory
            value = f"_new_{name}() if {name} is _NOTHING else {name}"
        if "__slots__" in cls.__dict__:
            known[f"_set_{name}"] = getattr(cls, name).__set__
            lines.append(f" _set_{name}(self, {value})")
        else:
            lines.append(f" self.__dict__[{name!r}] = {value}")
        known[f"_default_{name}"] = said.default
    parameters = [name if _is_required(said) else f"{name}=_default_{name}" for name, said in fields.items()]
    star = ["*"] if kw_only and fields else []
    source = f"def __init__({', '.join(['self', *star, *parameters])}):\n" + ("\n".join(lines) or " pass")
    exec(source, known)  # noqa: S102 -- as dataclasses do; every name in it is one of our own fields
    made = known["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


def _is_required(said: _Field) -> bool:
    return said.default is _NOTHING and said.default_factory is None


def _comparisons(fields: Mapping[str, _Field]) -> dict[str, Any]:
    compared = _values_of([name for name, said in fields.items() if said.compared])
    hashed = _values_of([name for name, said in fields.items() if said.hashed])

    def equals(self: Any, other: object) -> Any:
        return compared(self) == compared(other) if type(other) is type(self) else NotImplemented

    def hashes(self: Any) -> int:
        return hash(hashed(self))

    return {"__eq__": equals, "__hash__": hashes}


def _values_of(names: list[str]) -> Callable[[Any], Any]:
    return attrgetter(*names) if names else lambda _: ()


def _refuse_change(self: Any, name: str, *_: object) -> None:
    raise AttributeError(f"{type(self).__name__} is immutable; {name} cannot be set or deleted")


_FROZEN = {"__setattr__": _refuse_change, "__delattr__": _refuse_change}


def _reduced(self: Any) -> Any:
    from functools import partial

    cls: Any = type(self)
    return partial(cls, **{name: getattr(self, name) for name in self._record_fields}), ()


class _SignatureOf:
    """The signature of a record, computed on access, for documentation tools."""

    def __init__(self, fields: Mapping[str, _Field], *, kw_only: bool) -> None:
        self._fields, self._kw_only = fields, kw_only

    def __get__(self, instance: object, owner: type) -> Signature:
        from inspect import Parameter, Signature

        kind = Parameter.KEYWORD_ONLY if self._kw_only else Parameter.POSITIONAL_OR_KEYWORD
        parameters = [
            Parameter(
                name,
                kind,
                default=Parameter.empty
                if _is_required(said)
                else said.default
                if said.default_factory is None
                else said.default_factory(),
            )
            for name, said in self._fields.items()
        ]
        return Signature(parameters)


def replace(value: T, **changes: Any) -> T:
    """Return a copy of a record with some fields changed."""
    fields: Mapping[str, _Field] = value._record_fields  # type: ignore[attr-defined]  # noqa: SLF001
    return type(value)(**{name: getattr(value, name) for name in fields} | changes)


def names_of(kind: type) -> tuple[str, ...]:
    """Return the names of the fields of a record class, in order."""
    fields: Mapping[str, _Field] = kind._record_fields  # type: ignore[attr-defined]  # noqa: SLF001
    return tuple(fields)


def is_record(value: object) -> bool:
    """Return whether a value is a record."""
    return hasattr(type(value), "_record_fields")


class Variant:
    """A member of a closed union. Its class name is its stable code, the `kind` in documents."""

    __slots__ = ()

    @property
    def kind(self) -> str:
        """The stable code of this variant, such as ``OsTooOld``."""
        return type(self).__name__


class Truthful:
    """A result whose truth value is its ``ok``, where unknown counts as false."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return bool(self.ok)  # type: ignore[attr-defined]


def plain(value: Any) -> Plain:
    """Return the JSON form of a value: records become objects, variants carry their `kind`, versions and URLs are text.

    A class with another form defines ``to_dict``. Fields whose names start with an underscore are omitted.
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
    return fields_of(value) if is_record(value) else str(value)


def fields_of(value: Any) -> dict[str, Plain]:
    """Return the fields of a record in order, each in JSON form; for a `Variant`, `kind` comes first."""
    head: dict[str, Plain] = {"kind": value.kind} if isinstance(value, Variant) else {}
    return head | {name: plain(getattr(value, name)) for name in names_of(type(value)) if not name.startswith("_")}


def assert_never(value: NoReturn) -> NoReturn:
    """Mark the end of a `match` over a closed union; the type checker proves that it is unreachable."""
    raise AssertionError(f"not a member of the union: {value!r}")
