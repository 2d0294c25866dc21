"""Store: the drawing of the region. It belongs to no realm: an exercise is held in the same places."""

from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import JSON, delete, insert, select
from sqlmodel import Field, col

from services.status.geography.model import Boundaries, Geography, Polygon, Shape
from services.status.schema import StatusTable
from shared.db import Database

POLYGONS = TypeAdapter(tuple[Polygon, ...])


class ShapeRow(StatusTable, table=True):
    """One municipality of the drawing; the drawing's own measures stand in each of its rows."""

    __tablename__ = "municipality_shape"

    code: str = Field(primary_key=True)
    path: str
    label_x: float
    label_y: float
    width: float
    height: float
    attribution: str
    polygons: list[Any] | None = Field(default=None, sa_type=JSON)


class GeographyStore:
    """Keeps one drawing, or none."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self) -> Geography | None:
        """The drawing as it is now, without boundaries; None where nobody has brought one."""
        shape = (col(ShapeRow.code), col(ShapeRow.path), col(ShapeRow.label_x), col(ShapeRow.label_y))
        whole = (col(ShapeRow.width), col(ShapeRow.height), col(ShapeRow.attribution))
        drawing = select(*shape, *whole).order_by(shape[0])
        rows = await self._database.look(lambda connection: connection.execute(drawing).all())
        if not rows:
            return None
        shapes = tuple(Shape(row.code, row.path, row.label_x, row.label_y) for row in rows)
        return Geography(rows[0].width, rows[0].height, rows[0].attribution, shapes)

    async def boundaries(self) -> Boundaries:
        """Where the municipalities of the drawing lie, as far as that is known: nowhere without a drawing."""
        statement = select(col(ShapeRow.code), col(ShapeRow.polygons), col(ShapeRow.attribution))
        async with self._database.read() as session:
            rows = (await session.execute(statement.order_by(col(ShapeRow.code)))).all()
        known = {code: POLYGONS.validate_python(polygons) for code, polygons, _ in rows if polygons}
        return Boundaries(rows[0].attribution if known else "", known)

    async def replace(self, geography: Geography | None) -> bool:
        """Keep this drawing in place of the last one, None: none at all. False if it is the same as before."""
        boundaries = geography.boundaries if geography else Boundaries()
        if await self.get() == geography and await self.boundaries() == boundaries:
            return False
        async with self._database.write() as session:
            await session.execute(delete(ShapeRow))
            if geography is not None:
                drawing = {
                    "width": geography.width,
                    "height": geography.height,
                    "attribution": geography.attribution,
                }
                rows = [
                    {**vars(shape), **drawing, "polygons": boundaries.polygons.get(shape.code)}
                    for shape in geography.shapes
                ]
                await session.execute(insert(ShapeRow), rows)
        return True
