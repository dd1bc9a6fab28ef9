"""From a normalised document and what the parser made of it to our own description of the API."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs

from codegen import adapter, identifiers, paging, wrapping
from codegen.documents import (
    Doc,
    Site,
    child,
    is_object,
    listed,
    operations,
    ref_name,
    schema_place,
    schemas_of,
    target_name,
    under,
)
from codegen.ir import (
    MISSING,
    Alias,
    Answer,
    Api,
    Body,
    Const,
    DictOf,
    Enum,
    Field,
    ListOf,
    LookUp,
    Model,
    Named,
    Operation,
    Parameter,
    Scalar,
    Type,
    Webhook,
    mark_requests,
    without_null,
)
from codegen.naming import field_name, identifier
from codegen.problems import CodegenError, Notes

if TYPE_CHECKING:
    from collections.abc import Mapping

EFFECTS = {"safe", "idempotent", "disposable", "once", "readable", "create"}

_CONSTRAINTS = {
    "minLength": "min_length",
    "maxLength": "max_length",
    "pattern": "pattern",
    "minimum": "minimum",
    "maximum": "maximum",
    "exclusiveMinimum": "exclusive_minimum",
    "exclusiveMaximum": "exclusive_maximum",
    "minItems": "min_items",
    "maxItems": "max_items",
}


def build(doc: Doc, notes: Notes) -> Api:
    """Run the parser and take from its result and the document what the templates need.

    Args:
        doc: A normalised document.
        notes: Gets additions that the overlay does not know.

    Returns:
        The API.

    Raises:
        CodegenError: For what the parser drops, or what cannot be expressed.
    """
    for name, schema in schemas_of(doc).items():
        _check_field_names(under(schema, "properties"), schema_place(name))
    parsed = adapter.parse(doc)
    models: list[Model] = []
    enums: list[Enum] = []
    aliases: list[Alias] = []
    for name, schema in schemas_of(doc).items():
        if name in parsed.enums:
            enums.append(_enum(name, schema))
        elif name in parsed.models and schema.get("properties"):
            models.append(_model(name, schema, parsed.models[name]))
        elif name in parsed.aliases:
            aliases.append(_alias(name, schema, parsed.aliases[name]))
        else:
            raise CodegenError("the parser lost it", place=schema_place(name))
    return mark_requests(
        Api(
            title=str(doc["info"]["title"]),
            version=str(doc["info"]["version"]),
            models=tuple(models),
            enums=tuple(enums),
            aliases=tuple(aliases),
            operations=tuple(
                _operation(site, parsed, doc, notes) for site in operations(doc) if not site.webhook
            ),
            webhooks=tuple(_webhook(site) for site in operations(doc) if site.webhook),
            signature=under(doc, "x-webhook-signature"),
        )
    )


def _check_field_names(properties: Doc, place: str) -> None:
    names = [field_name(wire, place=child(place, "properties", wire)) for wire in properties]
    clash = sorted({name for name in names if names.count(name) > 1})
    if clash:
        raise CodegenError(f"several properties would be called {', '.join(clash)}", place=place)


def _text(thing: Mapping[str, Any], key: str) -> str:
    return str(thing.get(key) or "")


def _sources(schema: Doc) -> tuple[str, ...]:
    return tuple(schema["x-sources"])


def _enum(name: str, schema: Doc) -> Enum:
    return Enum(
        name=name,
        sources=_sources(schema),
        members=dict(zip(schema["x-enum-varnames"], schema["enum"], strict=True)),
        description=_text(schema, "description"),
        evidence=_text(schema, "x-evidence"),
        base=_text(schema, "x-python-base"),
    )


def _alias(name: str, schema: Doc, prop: Any) -> Alias:
    return Alias(
        name=name,
        sources=_sources(schema),
        type=adapter.type_of(prop, schema, schema_place(name)),
        description=_text(schema, "description"),
        evidence=_text(schema, "x-evidence"),
    )


def _model(name: str, schema: Doc, properties: Mapping[str, Any]) -> Model:
    place = schema_place(name)
    fields: list[Field] = []
    for wire in schema["properties"]:
        at = child(place, "properties", wire)
        if wire not in properties:
            raise CodegenError("the parser lost it", place=at)
        fields.append(
            _field(
                wire,
                schema["properties"],
                properties[wire],
                required=wire in listed(schema, "required"),
                place=at,
            )
        )
    return Model(
        name=name,
        sources=_sources(schema),
        fields=tuple(fields),
        description=_text(schema, "description"),
        evidence=_text(schema, "x-evidence"),
        deprecated=schema.get("deprecated") is True,
        business_term=_text(schema, "x-business-term"),
    )


def _field(wire: str, siblings: Mapping[str, Doc], prop: Any, *, required: bool, place: str) -> Field:
    schema = siblings[wire]
    type_ = adapter.type_of(prop, schema, place)
    default = schema.get("default", MISSING)
    _check_default(default, type_, place)
    return Field(
        name=field_name(wire, place=place),
        wire=wire,
        type=type_,
        # What one side must leave out cannot be required of both (OpenAPI 3.1 §4.8.24.5).
        required=required and not (schema.get("readOnly") is True or schema.get("writeOnly") is True),
        default=default,
        description=_text(schema, "description"),
        deprecated=schema.get("deprecated") is True,
        business_term=_text(schema, "x-business-term"),
        shared_terms={str(group): str(term) for group, term in under(schema, "x-business-terms").items()},
        is_secret=schema.get("format") == "password",
        evidence=_text(schema, "x-evidence"),
        constraint={**_constraint(schema), **identifiers.limits_of(schema, type_, siblings, place)},
    )


_PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "Decimal": (str,),
}


def _check_default(default: Any, type_: Type, place: str) -> None:
    """Refuse a default of another type than its field."""
    inner = without_null(type_)
    if default is MISSING or default is None:
        return
    match inner:
        case Scalar(name) if name in _PYTHON_TYPES:
            fits = isinstance(default, _PYTHON_TYPES[name]) and (
                name == "bool" or not isinstance(default, bool)
            )
        case ListOf():
            fits = isinstance(default, list)
        case DictOf():
            fits = isinstance(default, dict)
        case Const(value):
            fits = default == value
        case _:
            fits = True
    if not fits:
        raise CodegenError(f"the default {default!r} does not fit the type", place=place)


def _constraint(schema: Doc) -> dict[str, Any]:
    """Collect the limits of a property; of a union, those of the one member that has any."""
    limited = [
        part for part in (schema, *listed(schema, "anyOf")) if any(key in _CONSTRAINTS for key in part)
    ]
    if len(limited) != 1:
        return {}
    return {
        name: _limit(limited[0][key])
        for key, name in _CONSTRAINTS.items()
        if key in limited[0] and not isinstance(limited[0][key], bool)
    }


def _limit(value: Any) -> Any:
    """Keep whole numbers and text; a number with a fraction becomes the decimal that was written."""
    if isinstance(value, float):
        return int(value) if math.isfinite(value) and value.is_integer() else Decimal(str(value))
    return value


def _operation(site: Site, parsed: adapter.Parsed, doc: Doc, notes: Notes) -> Operation:
    raw = site.operation
    endpoint = parsed.endpoints.get((site.path, site.method))
    if endpoint is None:
        raise CodegenError("the parser lost it", place=site.place)
    types = adapter.endpoint_types(endpoint, raw, site.place)
    return Operation(
        name=raw["operationId"],
        operation_id=raw["x-operation-id"],
        tag=_tag(site, notes),
        method=site.method.upper(),
        path=site.path,
        place=site.place,
        effect=_effect(site, notes),
        parameters=tuple(
            _parameter(p, types, schemas_of(doc), child(site.place, "parameters", i))
            for i, p in enumerate(raw["parameters"])
        ),
        body=_body(raw, types),
        answers=_answers(site, types),
        look_up=_look_up(raw, site.place),
        pagination=paging.declared(raw, site.place),
        unwrap=wrapping.declared(raw, site.place),
        authenticated=_authenticated(doc, raw),
        outside_api=_outside_api(site, notes),
        evidence=_text(raw, "x-evidence") or "inferred",
        deprecated=raw.get("deprecated") is True,
        summary=_text(raw, "summary"),
        description=_text(raw, "description"),
    )


def _tag(site: Site, notes: Notes) -> str:
    tags = listed(site.operation, "tags")
    if not tags:
        notes.warn("has no tag, so it is found under seqino.api.other", place=site.place)
        return "other"
    return identifier(str(tags[0]))


def _effect(site: Site, notes: Notes) -> str:
    effect = site.operation.get("x-effect")
    if effect is None:
        notes.warn("has no x-effect in the overlay, so it is sent once and never again", place=site.place)
        return "create"
    if effect not in EFFECTS:
        raise CodegenError(
            f"x-effect is {effect!r}, not one of {', '.join(sorted(EFFECTS))}", place=site.place
        )
    return str(effect)


def _outside_api(site: Site, notes: Notes) -> bool:
    outside = site.operation.get("x-outside-api") is True
    if "servers" in site.operation and not outside:
        notes.warn("has servers of its own, which are not used; see x-outside-api", place=site.place)
    return outside


def _authenticated(doc: Doc, operation: Doc) -> bool:
    security = listed(operation if "security" in operation else doc, "security")
    return bool(security) and {} not in security


def _is_object_like(schema: Doc, schemas: Mapping[str, Doc]) -> bool:
    """Whether a value may be an object, which has no form in a URL or a header."""
    name = target_name(schema)
    if name is not None:
        return _is_object_like(schemas[name], schemas)
    inner = [*listed(schema, "anyOf"), under(schema, "items")]
    return (
        schema.get("type") == "object"
        or "properties" in schema
        or any(_is_object_like(part, schemas) for part in inner if part)
    )


def _parameter(raw: Doc, types: Mapping[str, Type], schemas: Mapping[str, Doc], place: str) -> Parameter:
    type_ = types.get(f"{raw['in']}:{raw['name']}")
    if type_ is None:
        raise CodegenError("the parser lost it", place=place)
    if _is_object_like(raw["schema"], schemas):
        raise CodegenError(f"the parameter {raw['name']!r} is an object, which is not supported", place=place)
    return Parameter(
        name=raw["x-python-name"],
        wire=raw["name"],
        location=raw["in"],
        type=type_,
        required=raw.get("required") is True,
        scope=raw.get("x-scope") is True,
        identifier=identifiers.kind_of(raw, type_, place),
        default=raw["schema"].get("default", MISSING),
        description=_text(raw, "description") or _text(raw["schema"], "description"),
    )


def _body(raw: Doc, types: Mapping[str, Type]) -> Body | None:
    if "requestBody" not in raw:
        return None
    body = raw["requestBody"]
    return Body(
        kind="multipart" if "multipart/form-data" in body["content"] else "json",
        type=types["body"],
        required=body.get("required") is True,
        description=_text(body, "description"),
    )


def _answers(site: Site, types: Mapping[str, Type]) -> tuple[Answer, ...]:
    place = child(site.place, "responses")
    for status in site.operation["responses"]:
        if not re.fullmatch(r"[1-5](\d\d|XX)|default", status):
            raise CodegenError(f"{status!r} is no status", place=place)
    answers = tuple(
        Answer(status=status, type=_bytes(types.get(status)), description=_text(response, "description"))
        for status, response in site.operation["responses"].items()
    )
    if not any(answer.is_success for answer in answers):
        raise CodegenError("describes no successful answer (2xx)", place=place)
    return answers


def _bytes(type_: Type | None) -> Type | None:
    return Scalar("bytes") if type_ == Scalar("File") else type_


def _look_up(raw: Doc, place: str) -> LookUp | None:
    given = raw.get("x-look-up")
    if given is None:
        return None
    if not is_object(given) or not isinstance(given.get("operation"), str):
        raise CodegenError("x-look-up needs an operation", place=place)
    unknown = sorted(set(given) - {field.name for field in attrs.fields(LookUp)})
    if unknown:
        raise CodegenError(f"x-look-up has {', '.join(unknown)}, of which nothing is known", place=place)
    without = under(given, "without")
    return LookUp(
        operation=given["operation"],
        arguments=under(given, "arguments"),
        each=given.get("each"),
        match=under(given, "match"),
        compare=under(given, "compare"),
        without={where: tuple(listed(without, where)) for where in without},
        advice=_text(given, "advice"),
    )


def _webhook(site: Site) -> Webhook:
    content = under(under(site.operation, "requestBody"), "content")
    names = [Named(name) for media in content.values() if (name := ref_name(media["schema"]))]
    return Webhook(name=site.path, payload=names[0] if names else None)
