"""Store: the drawing of the region. It belongs to no realm: an exercise is held in the same places."""

from sqlalchemy import delete, insert, select
from sqlmodel import Field, col

from services.status.geography.model import Geography, Shape
from services.status.schema import StatusTable
from shared.db import Database


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


class GeographyStore:
    """Keeps one drawing, or none."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self) -> Geography | None:
        """The drawing as it is now; None where nobody has brought one."""
        async with self._database.read() as session:
            rows = (await session.execute(select(ShapeRow).order_by(col(ShapeRow.code)))).scalars().all()
        if not rows:
            return None
        shapes = tuple(Shape(row.code, row.path, row.label_x, row.label_y) for row in rows)
        return Geography(rows[0].width, rows[0].height, rows[0].attribution, shapes)

    async def replace(self, geography: Geography | None) -> bool:
        """Keep this drawing in place of the last one, None: none at all. False if it is the same as before."""
        if await self.get() == geography:
            return False
        async with self._database.write() as session:
            await session.execute(delete(ShapeRow))
            if geography is not None:
                drawing = {
                    "width": geography.width,
                    "height": geography.height,
                    "attribution": geography.attribution,
                }
                await session.execute(insert(ShapeRow), [{**vars(shape), **drawing} for shape in geography.shapes])
        return True
