"""What generated code and core agree on: operations as data, open enums, absent values. Pure."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeAlias, TypeVar

import attrs
from msgspec import UNSET, UnsetType

if TYPE_CHECKING:
    from decimal import Decimal
    from typing import Self

    from seqino.options import CallOptions

__all__ = [
    "JSON",
    "UNSET",
    "Body",
    "Caller",
    "Effect",
    "Encoded",
    "File",
    "IdentifierKind",
    "LookUp",
    "OpenEnum",
    "Operation",
    "PageAnswer",
    "Pagination",
    "PagingCaller",
    "Parameter",
    "UnsetType",
]

if TYPE_CHECKING:
    JSON: TypeAlias = "bool | int | float | str | Decimal | Sequence[JSON] | Mapping[str, JSON] | None"
    """Any JSON value; numbers with a fraction are read as ``Decimal``."""
else:
    # At run time neither msgspec nor cattrs resolves a recursive union, and it would say nothing more.
    JSON = Any

IdentifierKind: TypeAlias = Literal["siren", "siret", "vat_number", "routing_code", "suffix", "address"]
"""Kinds of French identifier that are checked before they are sent (``x-identifier`` in the overlay)."""

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class OpenEnum(enum.StrEnum):
    """A string enum that keeps a value it does not know, so that a new one never breaks a deployed client."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        # Not stored in the enum: answers must not be able to grow the process.
        member._name_ = value
        member._value_ = value
        return member

    @property
    def is_known(self) -> bool:
        """Whether the description lists this value."""
        return self._value_ in type(self)._value2member_map_


class Effect(enum.StrEnum):
    """What a second send of an operation would do; it decides what may follow a failed attempt."""

    SAFE = "safe"
    """Reads."""
    IDEMPOTENT = "idempotent"
    """Changes nothing more."""
    DISPOSABLE = "disposable"
    """Leaves a leftover without legal effect."""
    ONCE = "once"
    """Is refused: the resource in the path can be consumed once."""
    READABLE = "readable"
    """Does it twice, but a natural key can be looked up."""
    CREATE = "create"
    """Does it twice, and nothing can be looked up. Also what is assumed where nothing is declared."""


@attrs.frozen(kw_only=True)
class Parameter:
    """A parameter of an operation outside its body."""

    name: str
    """Name in Python."""
    wire: str
    """Name on the wire."""
    location: Literal["path", "query", "header"]
    required: bool = False
    scope: bool = False
    """Whether it names the client on whose behalf the call is made; the caller's own is the default."""
    identifier: IdentifierKind | None = None
    """Kind of identifier that it must be; it is sent in its normal form."""


@attrs.frozen(kw_only=True)
class Body:
    """The request body of an operation."""

    kind: Literal["json", "multipart"]
    type: Any
    """The type form its content is checked against and encoded from."""
    required: bool = True


@attrs.frozen(kw_only=True)
class LookUp:
    """How the effect of an operation can be read back: an operation and its arguments.

    Arguments are OpenAPI runtime expressions (OpenAPI 3.1 §4.8.20.4), such as ``$request.path.draft_id``;
    places are JSON Pointers (RFC 6901), such as ``/external_ref``.
    """

    operation: str
    arguments: Mapping[str, str]
    """Value of each of its parameters, by Python name."""
    each: str | None = None
    """Place in the request of the list whose members are what is made; ``None`` for the request itself."""
    match: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """What makes a found object the one sought: place in it → place in what was sent."""
    compare: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """What else has to be equal, in the same way; without any, nothing found proves anything."""
    without: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict[str, tuple[str, ...]])
    """What is not looked at: place → values that an object has which is over."""
    advice: str = ""
    """What to do where the object is there, but its answer, which alone tells something, was lost."""


@attrs.frozen(kw_only=True)
class Pagination:
    """How a list goes on after an answer: by a link in its header, or by a cursor in its body.

    Places are names of attributes, from the answer inwards; none for the answer itself.
    """

    items: tuple[str, ...] = ()
    """Place of the items in an answer."""
    link: str | None = None
    """Relation of the link to the next page (RFC 8288), such as ``next``."""
    cursor: tuple[str, ...] = ()
    """Place of the cursor in an answer; where it is absent, null or empty the list ends."""
    parameter: str | None = None
    """Parameter that takes the cursor, by its name in Python."""


@attrs.frozen(kw_only=True)
class Operation(Generic[T_co]):
    """One operation of the API as data; generated, and all that the call path knows about it."""

    name: str
    operation_id: str
    tag: str
    method: str
    path: str
    """Template below the base URL, such as ``/drafts/{draft_id}``."""
    effect: Effect = Effect.CREATE
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    responses: Mapping[int, Any]
    """Type form of each documented 2xx answer; ``None`` where it has no body."""
    errors: Mapping[int, Any] = attrs.field(factory=dict[int, Any])
    """Type form of each documented error answer."""
    look_up: LookUp | None = None
    pagination: Pagination | None = None
    """How its list goes on; ``None`` where one answer is all of it."""
    unwrap: str | None = None
    """Name of a member that may hold the answer; ``None`` where it always stands for itself."""
    authenticated: bool = True
    outside_api: bool = False
    """Whether it hangs beside the API (``/health``) instead of below the base URL."""
    evidence: str = "inferred"
    """How well the operation is known: ``reference``, ``published`` or ``inferred``."""
    deprecated: bool = False


@attrs.frozen(kw_only=True)
class File:
    """A file to upload, sent byte for byte."""

    name: str
    content: bytes = attrs.field(repr=lambda content: f"<{len(content)} bytes>")
    content_type: str = "application/octet-stream"


@attrs.frozen
class Encoded:
    """A JSON body that was checked and written before: sent byte for byte."""

    content: bytes = attrs.field(repr=lambda content: f"<{len(content)} bytes>")


class Caller(Protocol):
    """What a generated function needs of a client: the way to perform one logical call."""

    async def call(
        self,
        operation: Operation[T],
        *,
        parameters: Mapping[str, Any] | None = None,
        body: Any = UNSET,
        options: CallOptions | None = None,
    ) -> T:
        """Perform one logical call; ``parameters`` are by Python name, ``None`` and UNSET are left out."""
        ...


@attrs.frozen(kw_only=True)
class PageAnswer:
    """What one answer holds of a list that comes in pages."""

    items: Any
    """What stands in the place of the items."""
    position: str | None
    """Where it begins, in the platform's words; ``None`` for a first page that has no name."""
    next: str | None
    """Where the next page begins; ``None`` after the last one."""


class PagingCaller(Caller, Protocol):
    """What the reading of a list needs of a client."""

    @property
    def base_url(self) -> str:
        """The server."""
        ...

    @property
    def client_id(self) -> str | None:
        """The client on whose behalf calls are made, unless a call names another."""
        ...

    @property
    def check_digits(self) -> bool:
        """Whether identifiers with a wrong check digit are refused, unless a call says otherwise."""
        ...

    @property
    def timeout(self) -> float:
        """Seconds that a call has with all its attempts and pauses, unless it is told otherwise."""
        ...

    async def call_page(
        self,
        operation: Operation[Any],
        *,
        parameters: Mapping[str, Any] | None = None,
        options: CallOptions | None = None,
        position: str | None = None,
    ) -> PageAnswer:
        """Read one page of an operation with ``pagination``: the first, or the one at a position."""
        ...
