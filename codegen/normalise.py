"""The steps that bring a description, overlay applied, into the shape that the parser reads without loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen import steps_decimals, steps_names, steps_operations, steps_schemas

if TYPE_CHECKING:
    from codegen.documents import Doc
    from codegen.problems import Notes


def normalise(doc: Doc, notes: Notes) -> Doc:
    """Run all steps in order; each is a function of a document.

    Args:
        doc: A valid description with the overlay applied; it is not changed.
        notes: Gets what had to be loosened.

    Returns:
        A document in which operations have their Python names and one media type a body, every class is a
        component under its Python name, and decimals, files and unions have one spelling.

    Raises:
        CodegenError: For what would otherwise be lost or loosened without a word.
    """
    doc = steps_operations.inline_components(doc)
    doc = steps_operations.name_operations(doc, notes)
    doc = steps_operations.name_parameters(doc)
    doc = steps_operations.one_media_type(doc, notes)
    doc = steps_schemas.check_keywords(doc, notes)
    doc = steps_schemas.plain_forms(doc)
    doc = steps_schemas.flatten_all_of(doc)
    doc = steps_schemas.settle_parameters(doc)
    doc = steps_schemas.settle_strings(doc)
    doc = steps_decimals.mark_decimals(doc)
    doc = steps_decimals.merge_twins(doc, notes)
    doc = steps_names.name_schemas(doc)
    doc = steps_names.settle_enums(doc, notes)
    doc = steps_schemas.settle_unions(doc, notes)
    return steps_names.lift_inline(doc)
