"""Geo: the operator's commands for the outlines of the municipalities, from which the map is drawn."""

from pathlib import Path
from typing import Annotated

import typer

from services.composition import service_named
from services.operator import Installation, Json, opened, say, settings_of, until_done
from services.status.geography.geojson import LARGEST_FILE, read_geography
from services.status.geography.model import Geography, UnfitGeographyError
from services.status.geography.store import GeographyStore
from shared.settings import Settings

app = typer.Typer(no_args_is_help=True, help="The map: outlines of the municipalities. Without them there is none.")


@app.command("import")
def import_geography(
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="GeoJSON: polygons in longitude/latitude, with their codes."),
    ],
    attribution: Annotated[str, typer.Option(help="Whose data it is, as its licence asks; it stands below the map.")],
    skip_others: Annotated[bool, typer.Option("--skip-others", help="Leave out what is not of this region.")] = False,
    folder: Installation = None,
    as_json: Json = False,
) -> None:
    """Draw the map from this file, in place of the last one. The same file again changes nothing."""
    try:
        with file.open("rb") as source:
            data = source.read(LARGEST_FILE + 1)
        geography = read_geography(data, attribution=attribution, skip_others=skip_others)
    except UnfitGeographyError as error:
        raise typer.BadParameter(f"{file.name}: {error}. Nothing was changed.") from error
    changed = until_done(_replace(settings_of(folder), geography))
    size = sum(len(shape.path) for shape in geography.shapes)
    say({"municipalities": len(geography.shapes), "bytes": size, "changed": changed}, as_json=as_json)


@app.command("remove")
def remove_geography(folder: Installation = None, as_json: Json = False) -> None:
    """Take the map away; tiles and tables stay."""
    say({"changed": until_done(_replace(settings_of(folder), None))}, as_json=as_json)


async def _replace(settings: Settings, geography: Geography | None) -> bool:
    async with opened(settings, service_named("status")) as status:
        store: GeographyStore = status.state.geography
        return await store.replace(geography)
