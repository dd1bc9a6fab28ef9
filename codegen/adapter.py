"""The only place that knows openapi-python-client: its properties turned into our own types."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

import attrs
from openapi_python_client import schema as oai
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.errors import GeneratorError
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import (
    AnyProperty,
    ModelProperty,
    Property,
)
from openapi_python_client.parser.properties.boolean import BooleanProperty
from openapi_python_client.parser.properties.const import ConstProperty
from openapi_python_client.parser.properties.date import DateProperty
from openapi_python_client.parser.properties.datetime import DateTimeProperty
from openapi_python_client.parser.properties.file import FileProperty
from openapi_python_client.parser.properties.float import FloatProperty
from openapi_python_client.parser.properties.int import IntProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.none import NoneProperty
from openapi_python_client.parser.properties.schemas import Class
from openapi_python_client.parser.properties.string import StringProperty
from openapi_python_client.parser.properties.union import UnionProperty
from openapi_python_client.parser.properties.uuid import UuidProperty

from codegen.documents import (
    Doc,
    child,
    is_object,
    listed,
    schema_place,
    schemas_of,
    target_name,
    under,
    with_schemas,
)
from codegen.ir import ANY, NULL, Const, DictOf, ListOf, Named, Scalar, Type, Union
from codegen.problems import CodegenError

_ALIASES = "SeqinoAliases"
"""Name of a model that exists for the parser only: it keeps no component that is neither model nor enum."""

_SCALARS: Mapping[type, str] = {
    BooleanProperty: "bool",
    DateProperty: "date",
    DateTimeProperty: "datetime",
    FileProperty: "File",
    FloatProperty: "float",
    IntProperty: "int",
    UuidProperty: "UUID",
}


@attrs.frozen(kw_only=True)
class Parsed:
    """What the parser made of a normalised document."""

    models: Mapping[str, Mapping[str, Property]]
    """Properties by wire name, by component."""
    enums: frozenset[str]
    aliases: Mapping[str, Property]
    endpoints: Mapping[tuple[str, str], Endpoint]
    """By path and method."""


def parse(doc: Doc) -> Parsed:
    """Run the parser.

    Args:
        doc: A normalised document.

    Returns:
        What it made of it, by the names of the document.

    Raises:
        CodegenError: On any error or warning of the parser: after most of them something is missing.
    """
    config = _config()
    names = _class_names(doc, config)
    aliases = {name: schema for name, schema in schemas_of(doc).items() if _is_alias(schema)}
    probe: Doc = {"type": "object", "properties": aliases}
    data = GeneratorData.from_dict(with_schemas(doc, {**schemas_of(doc), _ALIASES: probe}), config=config)
    if isinstance(data, GeneratorError):
        raise CodegenError(f"the parser refuses it: {_text(data)}", place="#")
    errors = [*data.errors, *(e for c in data.endpoint_collections_by_tag.values() for e in c.parse_errors)]
    if errors:
        raise CodegenError(f"the parser would drop something: {_text(errors[0])}", place="#")
    models = {
        names[model.class_info.name]: _properties(model)
        for model in data.models
        if model.class_info.name in names
    }
    return Parsed(
        aliases=models.pop(_ALIASES),
        models=models,
        enums=frozenset(names[e.class_info.name] for e in data.enums if e.class_info.name in names),
        endpoints={
            (endpoint.path.get_untrusted_value(), endpoint.method): endpoint
            for collection in data.endpoint_collections_by_tag.values()
            for endpoint in collection.endpoints
        },
    )


def _config() -> Config:
    return Config.from_sources(
        ConfigFile(post_hooks=[]),
        meta_type=MetaType.NONE,
        document_source=Path("description"),
        file_encoding="utf-8",
        overwrite=False,
        output_path=None,
    )


def _class_names(doc: Doc, config: Config) -> dict[str, str]:
    """Return components by the class name that the parser derives for each."""
    names: dict[str, str] = {}
    for name in (*schemas_of(doc), _ALIASES):
        derived = Class.from_string(string=name, config=config).name
        if derived in names:
            raise CodegenError(
                f"the parser cannot tell it from {names[derived]}; give one an x-python-name in the overlay",
                place=schema_place(name),
            )
        names[derived] = name
    return names


def _is_alias(schema: Doc) -> bool:
    return "enum" not in schema and not schema.get("properties")


def _properties(model: ModelProperty) -> dict[str, Property]:
    found = [*(model.required_properties or ()), *(model.optional_properties or ())]
    return {prop.name.get_untrusted_value(): prop for prop in found}


def _text(error: GeneratorError) -> str:
    words = f"{error.header} {error.detail or ''}"
    data = getattr(error, "data", None)
    if isinstance(data, oai.Schema | oai.Reference | oai.Parameter):
        words += f" in {data.model_dump_json(exclude_unset=True, by_alias=True)}"
    line = " ".join(words.split())
    return textwrap.shorten(line, 400, placeholder=" …")


def type_of(prop: object, schema: Doc, place: str) -> Type:
    """Turn a property of the parser into a type.

    The schema that it was made of goes along: the parser follows references and forgets their names, and
    drops the hints that the steps before it leave.

    Args:
        prop: What the parser made.
        schema: What it was made of, normalised.
        place: Where that stands.

    Returns:
        The type.

    Raises:
        CodegenError: For a kind of property that is not known here, or one that does not fit its schema.
    """
    name = target_name(schema)
    if name is not None:
        return Named(name)
    found: Type
    match prop:
        case StringProperty():
            found = Scalar(str(schema.get("x-python-type", "str")))
        case NoneProperty():
            found = NULL
        case AnyProperty():
            found = ANY
        case ConstProperty():
            found = Const(schema["const"])
        case ListProperty():
            found = ListOf(type_of(prop.inner_property, under(schema, "items"), child(place, "items")))
        case ModelProperty() if not schema.get("properties"):
            found = DictOf(_value_type(prop, schema, place))
        case UnionProperty():
            found = _union(prop, schema, place)
        case _ if type(prop) in _SCALARS:
            found = Scalar(_SCALARS[type(prop)])
        case _:
            raise CodegenError(f"the parser made a {type(prop).__name__} of it, unknown here", place=place)
    return found


def _value_type(prop: ModelProperty, schema: Doc, place: str) -> Type:
    value = schema.get("additionalProperties")
    if not is_object(value) or prop.additional_properties is None:
        return ANY
    return type_of(prop.additional_properties, value, child(place, "additionalProperties"))


def _union(prop: UnionProperty, schema: Doc, place: str) -> Type:
    members = listed(schema, "anyOf")
    if len(members) != len(prop.inner_properties):
        raise CodegenError(
            f"the parser sees {len(prop.inner_properties)} kinds of value, the schema has {len(members)}",
            place=place,
        )
    return Union(
        tuple(
            type_of(inner, member, child(place, "anyOf", index))
            for index, (inner, member) in enumerate(zip(prop.inner_properties, members, strict=True))
        )
    )


def endpoint_types(endpoint: Endpoint, operation: Doc, place: str) -> dict[str, Type]:
    """Return the types of parameters, body and answers of an operation.

    Args:
        endpoint: What the parser made.
        operation: What it was made of, normalised.
        place: Where that stands.

    Returns:
        Types by ``location:wire name``, ``body`` or status; an answer without a body is not in it.

    Raises:
        CodegenError: See ``type_of``.
    """
    out: dict[str, Type] = {}
    groups = {
        "path": endpoint.path_parameters,
        "query": endpoint.query_parameters,
        "header": endpoint.header_parameters,
    }
    found = {(where, p.name.get_untrusted_value()): p for where, group in groups.items() for p in group}
    for index, parameter in enumerate(operation["parameters"]):
        prop = found.get((parameter["in"], parameter["name"]))
        if prop is not None:
            key = f"{parameter['in']}:{parameter['name']}"
            out[key] = type_of(prop, parameter["schema"], child(place, "parameters", index, "schema"))
    if endpoint.bodies:
        (media,) = operation["requestBody"]["content"].values()
        out["body"] = type_of(endpoint.bodies[0].prop, media["schema"], child(place, "requestBody"))
    for response in endpoint.responses:
        status = response.status_code.pattern
        for media in under(operation["responses"][status], "content").values():
            out[status] = type_of(response.prop, media["schema"], child(place, "responses", status))
    return out
