"""Parameters of routes as FastAPI analysed them, kept for all tests of a process.

Most tests make an application of their own, and FastAPI would build the same validators for the same routes anew: two
parameters that are written alike share one, and two routes that take the same ones share the body that they are.
"""

from typing import Any

from fastapi import routing
from fastapi._compat import ModelField
from fastapi.dependencies import utils
from pydantic.fields import FieldInfo


def share_analysed_parameters() -> None:
    """From here on, what is analysed once is used by every application of this process."""
    fields: dict[tuple[Any, ...], ModelField] = {}
    bodies: dict[tuple[Any, ...], tuple[list[ModelField], ModelField | None]] = {}
    make_field = vars(utils)["create_model_field"]
    make_body = vars(routing)["_get_body_field"]

    def field(*, name: str, type_: Any, field_info: FieldInfo, **named: Any) -> ModelField:
        if name == "body":  # a whole body, made of other fields: `bodies` keeps it
            made: ModelField = make_field(name=name, type_=type_, field_info=field_info, **named)
            return made
        key = (name, type_, type(field_info), FieldInfo.__repr__(field_info), repr(named))
        if key not in fields:
            fields[key] = make_field(name=name, type_=type_, field_info=field_info, **named)
        return fields[key]

    def body(*, body_params: list[ModelField], name: str, embed_body_fields: bool) -> ModelField | None:
        key = (*(id(param) for param in body_params), name, embed_body_fields)
        if key not in bodies:
            made = make_body(body_params=body_params, name=name, embed_body_fields=embed_body_fields)
            bodies[key] = body_params, made  # the parameters stay with it, so that their ids are nobody else's
        return bodies[key][1]

    vars(utils)["create_model_field"] = field
    vars(routing)["_get_body_field"] = body
