"""Form errors: what is wrong with a form, told above it and beside each field."""

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from shared.i18n import Locale, texts


@dataclass(frozen=True)
class FormError:
    """What is wrong with a field, in the reader's words."""

    field: str
    message: str

    @property
    def href(self) -> str:
        """Where the field is on the page."""
        return f"#f-{self.field}"


def errors_in(found: Iterable[tuple[str, str]], locale: Locale) -> list[FormError]:
    """The errors of a form: `found` are fields, each with a sentence that is marked for translation."""
    _ = texts(locale)
    return [FormError(field, _(message)) for field, message in found]


def wrong_with(found: Iterable[tuple[str, str]], locale: Locale) -> dict[str, Any]:
    """What a page needs of a form in which this was found.

    Its `status`, which is 422 where anything is wrong; the `errors` that stand above the form; and what is `wrong`
    with each field, the first of several.
    """
    errors = errors_in(found, locale)
    return {
        "status": HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK,
        "errors": errors,
        "wrong": {error.field: error.message for error in reversed(errors)},
    }
