"""Realm: the world to which an event, a row or a letter belongs. Nothing ever crosses between two."""

from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

REALM_PATTERN = r"^(live|ex-[a-z0-9]{1,32})$"


class Realm(str):
    """`live`, or `ex-<id>` for one exercise. Any other text is refused where it enters (pydantic)."""

    __slots__ = ()

    @property
    def live(self) -> bool:
        """True in the real world, False in an exercise and in anything that is not known to be live."""
        return self == "live"

    @property
    def id(self) -> str:
        """The realm's name as it stands in subjects and rows."""
        return str(self)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            cls,
            core_schema.str_schema(pattern=REALM_PATTERN),
            serialization=core_schema.plain_serializer_function_ser_schema(str),
        )


LIVE = Realm("live")
