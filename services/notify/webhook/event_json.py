"""Format: a message as the JSON that partners' systems get; each language's item is that of the JSON feed."""

import json
from html import escape
from typing import Any

from services.notify.cap.model import Release
from services.notify.channel.model import Message
from services.notify.feeds.addresses import Addresses
from services.notify.feeds.json_feed import item_values
from services.notify.feeds.model import feed_item
from services.notify.guidance.model import short
from shared.i18n import N_, Locale, texts

PREFIX = N_("EXERCISE:")
FIRST_LINE = N_("EXERCISE – this is not a real situation")


def event_json(message: Message, addresses: Addresses) -> bytes:
    """The body of a message. Of an exercise, its type and all its texts say that it is one; it has no addresses, since
    nothing of it is public."""
    live = message.realm.live
    event = {
        "type": f"{'' if live else 'exercise.'}{'ping' if message.release is None else _type(message)}",
        "timestamp": message.at.isoformat(timespec="seconds"),
        "data": {
            "sequence": message.sequence,
            "realm": message.realm.id,
            "exercise": not live,
            **(_release(message.release, addresses, live=live) if message.release else {}),
        },
    }
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def _type(message: Message) -> str:
    return f"guidance.{message.happening}"


def _release(release: Release, addresses: Addresses, *, live: bool) -> dict[str, Any]:
    revision = release.revision
    items = {
        short(locale): item_values(feed_item(release, locale, addresses))
        for locale in Locale
        if locale in revision.draft.texts
    }
    return {
        "guidance_id": str(revision.guidance_id),
        "revision": revision.number,
        "items": items if live else {name: _marked(name, item) for name, item in items.items()},
    }


def _marked(language: str, item: dict[str, Any]) -> dict[str, Any]:
    """An item of an exercise, which nobody can take for anything else."""
    _ = texts(next(locale for locale in Locale if short(locale) == language))
    said = _(FIRST_LINE)
    return {
        **{name: value for name, value in item.items() if name not in {"url", "attachments"}},
        "title": f"{_(PREFIX)} {item['title']}",
        "content_text": f"{said}\n\n{item['content_text']}",
        "content_html": f"<p>{escape(said)}</p>\n{item['content_html']}",
    }
