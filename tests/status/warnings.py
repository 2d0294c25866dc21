"""Warnings for tests: documents as authorities publish them."""

from collections.abc import Iterable

CAP = "urn:oasis:names:tc:emergency:cap:1.2"
FORSSA_BOX = "60.7,23.4 60.7,23.8 60.9,23.8 60.9,23.4 60.7,23.4"
LAPLAND_BOX = "68,24 68,26 69,26 69,24 68,24"


def area(
    description: str = "Forssa", *, polygon: str = "", code: tuple[str, str] | None = None, circle: str = ""
) -> str:
    """One area."""
    parts = [f"<areaDesc>{description}</areaDesc>"]
    parts += [f"<polygon>{polygon}</polygon>"] if polygon else []
    parts += [f"<circle>{circle}</circle>"] if circle else []
    parts += [f"<geocode><valueName>{code[0]}</valueName><value>{code[1]}</value></geocode>"] if code else []
    return f"<area>{''.join(parts)}</area>"


def info(
    areas: str,
    *,
    language: str = "fi-FI",
    event: str = "Tuulivaroitus",
    headline: str = "Oranssi tuulivaroitus: Kanta-Häme",
    severity: str = "Severe",
    code: str = "wind",
    expires: str = "2026-11-22T06:00:00+02:00",
) -> str:
    """One language of a warning."""
    return (
        f"<info><language>{language}</language><category>Met</category><event>{event}</event>"
        f"<urgency>Future</urgency><severity>{severity}</severity><certainty>Likely</certainty>"
        f"<eventCode><valueName>event</valueName><value>{code}</value></eventCode>"
        f"<onset>2026-11-21T22:00:00+02:00</onset><expires>{expires}</expires>"
        f"<headline>{headline}</headline><description>Puita voi kaatua.</description>{areas}</info>"
    )


def alert(
    infos: str,
    *,
    identifier: str = "one",
    sent: str = "2026-11-21T19:00:00+02:00",
    status: str = "Actual",
    message: str = "Alert",
    scope: str = "Public",
    references: Iterable[str] = (),
) -> str:
    """One warning."""
    refers = f"<references>{' '.join(references)}</references>" if references else ""
    return (
        f'<alert xmlns="{CAP}"><identifier>{identifier}</identifier><sender>weather.example.org</sender>'
        f"<sent>{sent}</sent><status>{status}</status><msgType>{message}</msgType><scope>{scope}</scope>"
        f"{refers}{infos}</alert>"
    )


def reference(identifier: str, sent: str = "2026-11-21T19:00:00+02:00") -> str:
    """How one warning names another."""
    return f"weather.example.org,{identifier},{sent}"


def atom(*alerts: str) -> bytes:
    """A feed with the warnings in it, as the Finnish Meteorological Institute has it."""
    entries = "".join(f'<entry><title>x</title><content type="text/xml">{one}</content></entry>' for one in alerts)
    return f'<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom">{entries}</feed>'.encode()
