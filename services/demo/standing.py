"""The demonstration's standing guidance: two checklists and a model, in four languages."""

from pathlib import Path
from uuid import UUID

from services.notify.guidance.model import Text
from services.notify.ready_texts.store import read
from services.notify.standing.model import Advice, Form
from services.notify.standing.store import StandingStore
from shared.realm import LIVE

FOLDER = Path(__file__).parent / "standing_texts"
WHAT_THEY_ARE = {"supplies": Form.CHECKLIST, "power_cut": Form.CHECKLIST, "without_internet": Form.MODEL}


def demo_standing() -> list[Advice]:
    """All of them, for the whole region."""
    texts = {name: read(name, (FOLDER / f"{name}.md").read_text(encoding="utf-8")).texts for name in WHAT_THEY_ARE}
    return [
        Advice({locale: Text(words.headline, words.text) for locale, words in texts[name].items()}, form)
        for name, form in WHAT_THEY_ARE.items()
    ]


async def load_standing(store: StandingStore, *, writer: UUID, approver: UUID) -> None:
    """Put them on the public page, written by one and approved by another."""
    for advice in demo_standing():
        [waiting] = await store.newest(LIVE, await store.write(advice, by=writer))
        refusal = await store.approve(waiting, by=approver, edition=waiting.edition)
        if refusal:
            raise ValueError(f"standing guidance of the demonstration is refused: {refusal}")
