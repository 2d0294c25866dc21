"""QR code (format): an address as a drawing that stands in the page itself, without any style of its own."""

import segno
from markupsafe import Markup

QUIET_ZONE = 4
"""Light modules around the code, as ISO/IEC 18004 wants them."""


def qr_svg(address: str) -> Markup:
    """The code of this address: readable with 15 % of it damaged, black on white whatever the page's colours are."""
    code = segno.make(address, error="m", micro=False)
    drawing = code.svg_inline(
        border=QUIET_ZONE, dark="#000", light="#fff", omitsize=True, svgclass="qr", lineclass=None
    )
    return Markup(drawing)  # noqa: S704 - drawn by the library from modules alone: the address is not in it
