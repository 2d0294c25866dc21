"""Writes the document of the picture's API anew: python -m tests.status.document."""

import json
from pathlib import Path
from typing import Any

from services.status.app import make_app
from shared.settings import Settings

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi-status.json"


def told() -> dict[str, Any]:
    """The document as the service tells it."""
    settings = Settings.model_validate({"secret": "x" * 32, "database": "sqlite+aiosqlite:///unused.db"})
    document: dict[str, Any] = make_app(settings).state.partner_api.openapi()
    return document


def main() -> None:
    """Write docs/openapi-status.json."""
    DOCUMENT.write_text(json.dumps(told(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
