"""The guidance letter that the mail measurements send: two languages, some six kilobytes as it goes out."""

from datetime import UTC, datetime, timedelta

from services.notify.delivery.letter_format import Imprint
from services.notify.delivery.model import Kind, Lane, Letter, Recipient
from services.notify.markdown.model import html_of, plain_of
from shared.ids import new_id
from shared.realm import LIVE
from shared.settings import Settings

LANGUAGES = ("fi", "sv")

_TEXTS = {
    "fi": (
        "Sähkökatko jatkuu: tarkistakaa jäsenenne",
        (
            "Sähköt ovat poikki laajalla alueella, ja korjaus kestää ainakin huomiseen aamuun.\n\n"
            "- Soittakaa niille jäsenille, jotka asuvat yksin.\n"
            "- Avatkaa kokoontumistila, jos siellä on lämmin, ja kertokaa siitä ovessa.\n"
            "- Säästäkää puhelinten akkuja: lähettäkää viestejä, älkää soittako turhaan.\n\n"
            "Vettä jaetaan kunnantalon pihalla kello 8–20. **Ottakaa omat astiat mukaan.**\n\n"
        ),
    ),
    "sv": (
        "Elavbrottet fortsätter: kontakta era medlemmar",
        (
            "Strömmen är borta på ett stort område, och reparationen tar åtminstone till i morgon bitti.\n\n"
            "- Ring de medlemmar som bor ensamma.\n"
            "- Öppna samlingslokalen om den är varm, och berätta om det på dörren.\n"
            "- Spara på telefonernas batterier: skicka meddelanden, ring inte i onödan.\n\n"
            "Vatten delas ut på kommunhusets gård klockan 8–20. **Ta med egna kärl.**\n\n"
        ),
    ),
}


def guidance_letter(settings: Settings) -> Letter:
    """A letter of guidance, as an approved revision would be sent."""
    shared = {"page": f"{settings.public_url}/g/{new_id()}"}
    for language, (headline, text) in _TEXTS.items():
        shared |= {
            f"areas.{language}": "Forssa, Tammela, Loppi",
            f"headline.{language}": headline,
            f"text.{language}": plain_of(text * 3),
            f"html.{language}": html_of(text * 3),
        }
    until = datetime.now(UTC) + timedelta(hours=12)
    return Letter(LIVE, new_id(), Kind.GUIDANCE, Lane.BULK, not_after=until, shared=shared)


def recipients(count: int) -> list[Recipient]:
    """So many subscribers, their languages in turn."""
    return [
        Recipient(new_id(), f"reader{number}@example.org", locale=LANGUAGES[number % len(LANGUAGES)])
        for number in range(count)
    ]


def imprint_of(settings: Settings) -> Imprint:
    """What the letter says of its sender."""
    return Imprint(
        public_url=settings.public_url,
        mail_domain=settings.mail_domain,
        phone=settings.phone,
        secret=settings.secret.get_secret_value(),
    )
