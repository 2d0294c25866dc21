"""Model of the mirror: which files of a copy must be written, and which are left over."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Changes:
    """What makes the folder the copy: paths to write, and paths of an earlier copy to remove."""

    write: tuple[str, ...]
    remove: tuple[str, ...]


def digest(content: bytes) -> str:
    """By what two contents are compared."""
    return hashlib.sha256(content).hexdigest()


def manifest_of(files: Mapping[str, bytes], *, made_at: str) -> bytes:
    """The list of all files of a copy with their digests, as JSON."""
    listed = {path: digest(content) for path, content in sorted(files.items())}
    return json.dumps({"made_at": made_at, "sha256": listed}, indent=1).encode() + b"\n"


def listed_in(manifest: bytes) -> frozenset[str]:
    """The paths that an earlier copy wrote; none for what is no manifest of ours."""
    try:
        listed = json.loads(manifest)["sha256"]
    except (ValueError, KeyError, TypeError):
        return frozenset()
    return frozenset(path for path in listed if _below(path))


def changes(files: Mapping[str, bytes], *, present: Mapping[str, str], ours: frozenset[str]) -> Changes:
    """What to write and to remove: `present` are the digests of what stands there now, `ours` what we once wrote."""
    return Changes(
        write=tuple(path for path, content in sorted(files.items()) if present.get(path) != digest(content)),
        remove=tuple(sorted(ours - files.keys())),
    )


def _below(path: str) -> bool:
    """True for a path that stays in the folder, whatever a manifest was changed to say."""
    return bool(path) and not path.startswith("/") and ".." not in path.split("/") and "\\" not in path
