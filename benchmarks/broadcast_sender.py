"""Senders of the mail measurements, each a program: notify through its whole ledger, and Django over one connection.

`signing` is notify with an RSA key of 2048 bits.

Prints the letters per second, and the bytes of one letter.
"""

import asyncio
import json
import sys
import time
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import django
import uvloop
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings as django_settings
from django.core.mail import EmailMultiAlternatives, get_connection
from pydantic import SecretStr

from benchmarks.checkin_server import settings_in
from benchmarks.guidance_letter import guidance_letter, imprint_of, recipients
from services.notify.app import make_app
from services.notify.delivery.letter_format import build, locale_of
from services.notify.delivery.model import Counts, Recipient
from services.notify.delivery.store import Ledger
from shared.house import House
from shared.log import configure
from shared.migrate import migrate
from shared.process import settle, take_turns
from shared.settings import Dkim, Settings, Smtp

CONNECTIONS = 10
LOOK_EVERY = 0.25
"""Seconds between two looks at the ledger: each look counts all its rows, and so costs what is measured."""

UNBRIDLED = 1e6
"""Letters a second: the relay's limit must not be what is measured."""


def sending_settings(folder: Path, port: int) -> Settings:
    """Notify's own settings, with the sink as relay."""
    smtp = Smtp(host="127.0.0.1", port=port, rate=UNBRIDLED, connections=CONNECTIONS)
    return settings_in(folder).model_copy(update={"smtp": smtp})


async def notify(settings: Settings, count: int) -> dict[str, float]:
    """The letters wait in the ledger; time runs from the start of notify's jobs until each has its final state."""
    app = make_app(settings)
    house: House = app.state.house
    ledger: Ledger = app.state.ledger
    letter, readers = guidance_letter(settings), recipients(count)
    await migrate(house.database, house.migrations)
    async with house.database.write() as session:
        await ledger.add(session, letter, recipients=readers)
    async with app.router.lifespan_context(app):
        settle()
        began = time.perf_counter()
        counts = Counts(waiting=count)
        while counts.open:
            await asyncio.sleep(LOOK_EVERY)
            counts = await ledger.counts(letter.realm, letter.letter_id)
        took = time.perf_counter() - began
    if counts.sent != count:
        raise RuntimeError(f"only {counts.sent} of {count} letters were sent")
    return {"rate": count / took, "bytes": len(_filled(settings, readers[0]))}


def with_key(settings: Settings) -> Settings:
    """The same, and letters are signed with a key that was made just now."""
    key = generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return settings.model_copy(update={"dkim": Dkim(selector="benchmark", key=SecretStr(key.decode()))})


def through_django(settings: Settings, count: int) -> dict[str, float]:
    """The same letters by Django's send_messages over one connection, texts already written, as fast as it can."""
    django_settings.configure(USE_I18N=False, DEFAULT_CHARSET="utf-8")
    django.setup()
    first, *others = readers = recipients(count)
    patterns = {reader.locale: _pattern(settings, reader) for reader in (first, others[0])}
    began = time.perf_counter()
    with get_connection(
        "django.core.mail.backends.smtp.EmailBackend", host=settings.smtp.host, port=settings.smtp.port
    ) as connection:
        sent = connection.send_messages(
            [_django_message(reader, patterns[reader.locale], settings) for reader in readers]
        )
    took = time.perf_counter() - began
    if sent != count:
        raise RuntimeError(f"only {sent} of {count} letters were sent")
    size = len(_django_message(first, patterns[first.locale], settings).message().as_bytes())
    return {"rate": count / took, "bytes": size}


def _filled(settings: Settings, reader: Recipient) -> bytes:
    return build(guidance_letter(settings), locale_of(reader), imprint=imprint_of(settings)).fill(reader)


def _pattern(settings: Settings, reader: Recipient) -> tuple[str, str, str]:
    """Subject, text and HTML of our own letter to this reader, with a mark where the reader's link stands."""
    message = message_from_bytes(_filled(settings, reader), policy=policy.default)
    link = imprint_of(settings).leave_link(reader.recipient_id)
    parts = [message.get_body(preferencelist=(kind,)) for kind in ("plain", "html")]
    text, html = (part.get_content().replace(link, "{leave}") for part in parts if isinstance(part, EmailMessage))
    return str(message["Subject"]), text, html


def _django_message(reader: Recipient, pattern: tuple[str, str, str], settings: Settings) -> Any:
    subject, text, html = pattern
    link = imprint_of(settings).leave_link(reader.recipient_id)
    message = EmailMultiAlternatives(
        subject,
        text.replace("{leave}", link),
        f"valmius@{settings.mail_domain}",
        [reader.address],
        headers={
            "List-Unsubscribe": f"<{link}/one-click>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Auto-Submitted": "auto-generated",
        },
    )
    message.attach_alternative(html.replace("{leave}", link), "text/html")
    return message


def main() -> None:
    """`notify|signing|django FOLDER PORT COUNT`."""
    who, folder, port, count = sys.argv[1:]
    configure("text")
    take_turns()
    settings = sending_settings(Path(folder), int(port))
    if who == "signing":
        settings = with_key(settings)
    if who == "django":
        found = through_django(settings, int(count))
    else:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            found = runner.run(notify(settings, int(count)))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
