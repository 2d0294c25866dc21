"""Format: XML as trees, so that no text ever becomes markup. Characters that XML cannot hold are left out."""

import re
from xml.etree import ElementTree as ET

UNHELD = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""All but the characters of XML 1.0 (section 2.2). A carriage return would come back as a line end."""


def child(parent: ET.Element, name: str, text: str | None = None, **attributes: str) -> ET.Element:
    """A new element at the end of `parent`."""
    element = ET.SubElement(parent, name, {key: held(value) for key, value in attributes.items()})
    element.text = None if text is None else held(text)
    return element


def held(text: str) -> str:
    """The text as XML can hold it."""
    return UNHELD.sub("", text.replace("\r\n", "\n"))


def document(root: ET.Element) -> bytes:
    """The whole document, in UTF-8."""
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"
