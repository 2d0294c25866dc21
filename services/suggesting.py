"""Suggesting: the operator's command that reads warnings from a file, for trials and where no feed can be reached."""

from pathlib import Path
from typing import Annotated

import typer

from services.composition import service_named
from services.operator import Installation, Json, opened, say, settings_of, until_done
from services.status.geography.store import GeographyStore
from services.status.suggestion.cap_reader import LARGEST, Feed, UnfitFeedError, read_feed
from services.status.suggestion.store import SuggestionStore
from shared.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Warnings of authorities (CAP 1.2), from which situations are suggested.")


@app.callback()
def only_commands() -> None:
    """Warnings of authorities (CAP 1.2), from which situations are suggested."""


@app.command("suggest")
def suggest(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="A warning, or an Atom feed with warnings in it.")
    ],
    folder: Installation = None,
    as_json: Json = False,
) -> None:
    """Show the liaison what of these warnings concerns the region. It opens and sends nothing."""
    try:
        with file.open("rb") as source:
            feed = read_feed(source.read(LARGEST + 1))
    except UnfitFeedError as error:
        raise typer.BadParameter(f"{file.name}: {error}. Nothing was changed.") from error
    new = until_done(_take(settings_of(folder), feed))
    say({"warnings": len(feed.bulletins), "new_suggestions": new}, as_json=as_json)


async def _take(settings: Settings, feed: Feed) -> int:
    async with opened(settings, service_named("status")) as status:
        suggestions: SuggestionStore = status.state.suggestions
        geography: GeographyStore = status.state.geography
        return await suggestions.take(feed.bulletins, await geography.boundaries())
