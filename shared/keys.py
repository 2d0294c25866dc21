"""Keys: one identity on the bus for each service, and one that may only provision."""

import os
from collections.abc import Iterable
from pathlib import Path

import nkeys

PROVISIONER = "provision"


def seed_file(folder: Path, identity: str) -> Path:
    """Where an identity's nkey seed is kept (mode 0600)."""
    return folder / f"{identity}.nk"


def public_keys(folder: Path, identities: Iterable[str]) -> dict[str, str]:
    """The public nkeys of these identities; a missing seed is made, readable by its owner only."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return {identity: _public_key(seed_file(folder, identity)) for identity in identities}


def _public_key(path: Path) -> str:
    if not path.exists():
        seed = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(seed)
    pair = nkeys.from_seed(bytearray(path.read_bytes().strip()))
    return str(pair.public_key.decode())
