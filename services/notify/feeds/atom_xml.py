"""Format: guidance as Atom 1.0 (RFC 4287), as texts or as a list of alerts."""

from xml.etree import ElementTree as ET

from services.notify.feeds.addresses import ALERTS, ATOM
from services.notify.feeds.cap_xml import MEDIA_TYPE as CAP
from services.notify.feeds.model import Channel, FeedItem
from services.notify.feeds.xml_tree import child, document

NAMESPACE = "http://www.w3.org/2005/Atom"
MEDIA_TYPE = "application/atom+xml"


def atom_xml(channel: Channel) -> bytes:
    """What is in force, with its texts."""
    root = _feed(channel, ATOM)
    for item in channel.items:
        entry = _entry(root, channel, item)
        child(entry, "link", rel="alternate", type="text/html", href=item.url, hreflang=item.lang)
        child(entry, "link", rel="related", type=CAP, href=item.alert_url)
        child(entry, "content", item.html, type="html", **{"xml:lang": item.lang})
    return document(root)


def alerts_xml(channel: Channel) -> bytes:
    """The same as a list of alerts, one entry for each revision."""
    root = _feed(channel, ALERTS)
    for item in channel.items:
        entry = _entry(root, channel, item, alert=True)
        child(entry, "link", rel="alternate", type=CAP, href=item.alert_url)
        child(entry, "summary", item.plain, type="text", **{"xml:lang": item.lang})
    return document(root)


def _feed(channel: Channel, file: str) -> ET.Element:
    root = ET.Element("feed", {"xmlns": NAMESPACE, "xml:lang": channel.locale.lang})
    address = channel.address(file)
    child(root, "id", address)
    child(root, "title", channel.title)
    child(root, "subtitle", channel.note)
    child(root, "updated", channel.updated.isoformat(timespec="seconds"))
    child(root, "link", rel="self", href=address)
    child(root, "link", rel="alternate", type="text/html", href=channel.front)
    child(child(root, "author"), "name", channel.author)
    return root


def _entry(root: ET.Element, channel: Channel, item: FeedItem, *, alert: bool = False) -> ET.Element:
    entry = child(root, "entry")
    child(entry, "id", item.alert_url if alert else item.urn)
    child(entry, "title", item.headline, type="text", **{"xml:lang": item.lang})
    child(entry, "updated", item.updated.isoformat(timespec="seconds"))
    child(entry, "published", item.published.isoformat(timespec="seconds"))
    for place in item.places:
        child(entry, "category", term=place.code, label=place.name(channel.locale))
    return entry
