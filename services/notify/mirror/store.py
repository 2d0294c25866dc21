"""Store of the mirror: one folder, in which no reader ever sees half a file."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.notify.mirror.model import MANIFEST, Changes, changes, digest, listed_in, manifest_of
from shared.ids import new_id


@dataclass(frozen=True)
class Folder:
    """The folder that a plain web server serves. Files that the copy did not write are left alone."""

    path: Path

    async def write(self, files: Mapping[str, bytes], *, made_at: str) -> Changes:
        """Make the folder hold this copy; what was changed. Raises OSError where it cannot be written."""
        return await asyncio.to_thread(self._write, files, made_at)

    def _write(self, files: Mapping[str, bytes], made_at: str) -> Changes:
        present = {path: digest(found) for path in files if (found := self._read(path)) is not None}
        wanted = changes(files, present=present, ours=listed_in(self._read(MANIFEST) or b""))
        for path in wanted.write:
            self._replace(path, files[path])
        self._replace(MANIFEST, manifest_of(files, made_at=made_at))
        for path in wanted.remove:
            (self.path / path).unlink(missing_ok=True)
        return wanted

    def _read(self, path: str) -> bytes | None:
        file = self.path / path
        return file.read_bytes() if file.is_file() else None

    def _replace(self, path: str, content: bytes) -> None:
        """Put the file in place in one step: whoever reads gets the old one or the new one."""
        target = self.path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(f".{target.name}.{new_id()}")
        try:
            fresh.write_bytes(content)
            os.replace(fresh, target)  # noqa: PTH105 - the one call that is promised to be atomic
        finally:
            fresh.unlink(missing_ok=True)
