"""Format: an alert as CAP 1.2 XML, in the order that the standard prescribes."""

from xml.etree import ElementTree as ET

from services.notify.cap.model import EVENT_TERMS, MUNICIPALITY, Alert, Area, Info
from services.notify.feeds.xml_tree import child, document

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
MEDIA_TYPE = "application/cap+xml"


def cap_xml(alert: Alert) -> bytes:
    """The alert as a document. What is empty is left out: CAP knows no empty elements."""
    root = ET.Element("alert", {"xmlns": NAMESPACE})
    _texts(
        root,
        identifier=alert.identifier,
        sender=alert.sender,
        sent=alert.sent,
        status=alert.status,
        msgType=alert.message,
        scope=alert.scope,
        restriction=alert.restriction,
        note=alert.note,
        references=" ".join(alert.references),
    )
    for info in alert.infos:
        _info(child(root, "info"), info)
    return document(root)


def _info(element: ET.Element, info: Info) -> None:
    _texts(
        element,
        language=info.language,
        category=info.category,
        event=info.event,
        urgency=info.urgency,
        severity=info.severity,
        certainty=info.certainty,
        audience=info.audience,
    )
    if info.event_code:
        _texts(child(element, "eventCode"), valueName=EVENT_TERMS, value=info.event_code)
    _texts(
        element,
        expires=info.expires,
        senderName=info.sender_name,
        headline=info.headline,
        description=info.description,
        web=info.web,
        contact=info.contact,
    )
    for area in info.areas:
        _area(child(element, "area"), area)


def _area(element: ET.Element, area: Area) -> None:
    child(element, "areaDesc", area.description)
    for code in area.municipalities:
        _texts(child(element, "geocode"), valueName=MUNICIPALITY, value=code)


def _texts(parent: ET.Element, **texts: str) -> None:
    for name, text in texts.items():
        if text:
            child(parent, name, text)
