"""Format: guidance as JSON Feed 1.1; what the feed has no word for stands under `_valmius`."""

import json
from typing import Any

from services.notify.feeds.addresses import JSON
from services.notify.feeds.model import Channel, FeedItem

VERSION = "https://jsonfeed.org/version/1.1"
MEDIA_TYPE = "application/feed+json"


def json_feed(channel: Channel) -> bytes:
    """What is in force, with its texts."""
    feed = {
        "version": VERSION,
        "title": channel.title,
        "description": channel.note,
        "home_page_url": channel.front,
        "feed_url": channel.address(JSON),
        "language": channel.locale.lang,
        "authors": [{"name": channel.author}],
        "items": [item_values(item) for item in channel.items],
    }
    return json.dumps(feed, ensure_ascii=False, indent=1).encode() + b"\n"


def item_values(item: FeedItem) -> dict[str, Any]:
    """One item, ready for JSON."""
    return {
        "id": item.urn,
        "url": item.url,
        "title": item.headline,
        "content_html": item.html,
        "content_text": item.plain,
        "language": item.lang,
        "date_published": item.published.isoformat(timespec="seconds"),
        "date_modified": item.updated.isoformat(timespec="seconds"),
        "attachments": [{"url": item.alert_url, "mime_type": "application/cap+xml"}],
        "_valmius": {
            "kind": item.kind,
            "revision": item.number,
            "expires": item.expires.isoformat(timespec="seconds"),
            "municipalities": [place.code for place in item.places],
            "audiences": list(item.audiences),
        },
    }
