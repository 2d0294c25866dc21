"""Guidance on each database: what was kept before corrections is kept, and a correction finds its recipients."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from services.notify import app as notify
from services.notify.guidance.schema import GuidanceRow, RevisionRow
from shared.db import Database
from shared.ids import new_id
from shared.migrate import migrate

pytestmark = pytest.mark.connected

MIGRATIONS = Path(notify.__file__).parent / "migrations"
AT = datetime(2026, 11, 21, 18, tzinfo=UTC)


async def test_what_was_published_before_is_kept_and_held_to_the_new_rules(each_database: str, tmp_path: Path) -> None:
    database = Database(each_database)
    (tmp_path / "versions").mkdir()
    shutil.copy(MIGRATIONS / "versions" / "0001_first_tables.py", tmp_path / "versions")
    await migrate(database, tmp_path)
    writer, approver, guidance_id = new_id(), new_id(), new_id()
    revision = {
        "realm": "live",
        "guidance_id": guidance_id,
        "number": 1,
        "kind": "alert",
        "texts": {"fi": {"headline": "Sähköt poikki", "text": "Varautukaa."}},
        "valid_hours": 24,
        "edition": 2,
        "written_by": writer,
        "writers": [str(writer)],
        "submitted_at": AT,
        "approved_by": approver,
        "approved_at": AT,
        "expires_at": AT,
    }
    guidance = {
        "realm": "live",
        "id": guidance_id,
        "state": "published",
        "revision": 1,
        "approved_by": approver,
        "areas": ["061"],
        "audiences": ["residents"],
        "created_at": AT,
    }
    async with database.write() as session:
        await session.execute(insert(RevisionRow.metadata.tables["revision"]), [revision])
        await session.execute(insert(GuidanceRow.metadata.tables["guidance"]), [guidance])

    await migrate(database, MIGRATIONS)

    async with database.read() as session:
        kept = (await session.execute(select(RevisionRow).where(col(RevisionRow.edition) == 2))).scalar_one()
        public = (await session.execute(select(GuidanceRow))).scalar_one()
    assert (kept.texts, kept.written_by, kept.approved_at) == (revision["texts"], writer, AT)
    assert (kept.alone_because, public.areas, public.approved_by) == (None, ["061"], approver)
    for forged in ("UPDATE revision SET approved_by = written_by", "UPDATE revision SET kind = 'update'"):
        with pytest.raises(IntegrityError):
            async with database.write() as session:
                await session.execute(text(forged))
    await database.close()
