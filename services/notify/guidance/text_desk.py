"""Text desk: what the pages share on which one person writes a text and another lets it out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request
from starlette.datastructures import FormData

from services.notify.guidance.draft_form import Fields
from services.notify.guidance.model import REFUSALS, Draft, Kind, Refusal, short
from services.notify.guidance.preview import Findings, hard_in_fields, previews
from services.notify.subscribers.model import Problem
from shared import region
from shared.i18n import N_, Locale
from shared.identity import Role, Staff, requires

Reader = Annotated[Staff, Depends(requires(Role.EDITOR, Role.APPROVER, Role.LIAISON, Role.ADMINISTRATOR))]
Editor = Annotated[Staff, Depends(requires(Role.EDITOR))]
Approver = Annotated[Staff, Depends(requires(Role.APPROVER))]

CHANGED = N_("Somebody else changed this text meanwhile. If you save again, yours takes its place.")


@dataclass(frozen=True)
class Written:
    """A form as it was filled in, what is wrong with it, and the text that it means, where that can be told."""

    fields: Fields
    problems: Sequence[Problem] = ()
    draft: Draft | None = None
    kind: Kind = Kind.ALERT

    @property
    def status(self) -> HTTPStatus:
        """Of the page that shows it."""
        return HTTPStatus.UNPROCESSABLE_ENTITY if self.problems else HTTPStatus.OK

    def overtaken(self, edition: int, *, at: str = "headline_fi") -> "Written":
        """The same after somebody else was first; saved again, it takes the place of that edition."""
        return Written(replace(self.fields, edition=edition), [Problem(at, CHANGED)])

    def values(
        self, request: Request, *, hard: Callable[[Fields], Findings] = hard_in_fields, live: bool = True
    ) -> dict[str, Any]:
        """What a form's template needs; `hard` finds what is hard to read in what was sent. What is not `live` is shown
        with its marks."""
        return {
            "fields": self.fields,
            "problems": self.problems,
            "wrong": {problem.field: problem.message for problem in self.problems},
            "languages_to_write": [(locale, short(locale)) for locale in Locale],
            "previews": previews(self.draft, self.kind, live=live) if self.draft else [],
            "findings": hard(self.fields) if request.method == "POST" else [],
        }


async def typed(request: Request) -> Fields:
    """What was typed; what a form does not ask is empty."""
    form = await request.form()
    return Fields(
        headlines={locale: str(form.get(f"headline_{short(locale)}", "")) for locale in Locale},
        texts={locale: str(form.get(f"text_{short(locale)}", "")) for locale in Locale},
        audiences=frozenset(map(str, form.getlist("audience"))),
        areas=frozenset(map(str, form.getlist("municipality"))),
        valid_hours=str(form.get("valid_hours", "")),
        situation=str(form.get("situation", "")),
        notes={locale: str(form.get(f"note_{short(locale)}", "")) for locale in Locale},
        kind=str(form.get("kind", "")),
        edition=edition_in(form),
    )


async def edition_of(request: Request) -> int:
    """The edition that was read; 0 where the form does not tell."""
    return edition_in(await request.form())


def edition_in(form: FormData) -> int:
    """The same of a form that has been received."""
    text = str(form.get("edition", ""))
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


async def wants_preview(request: Request) -> bool:
    """True if nothing is to be kept yet."""
    return "preview" in await request.form()


def refused(refusal: Refusal | None) -> HTTPStatus:
    """The status of a page that shows a text and why it was not let out."""
    statuses = {None: HTTPStatus.OK, Refusal.OWN_TEXT: HTTPStatus.FORBIDDEN}
    return statuses.get(refusal, HTTPStatus.UNPROCESSABLE_ENTITY)


def seen_by(staff: Staff, writers: frozenset[UUID], *, refusal: Refusal | None) -> dict[str, Any]:
    """What the page of a text needs about whoever reads it, and why it was not let out."""
    return {
        "refusal": REFUSALS[refusal] if refusal else "",
        "own": staff.person_id in writers,
        "may_edit": staff.may(Role.EDITOR),
        "may_approve": staff.may(Role.APPROVER),
    }


def places_of(request: Request) -> list[tuple[str, str]]:
    """The municipalities, by their names in the reader's language."""
    locale: Locale = request.state.locale
    return [(place.code, place.name(locale)) for place in region.MUNICIPALITIES]
