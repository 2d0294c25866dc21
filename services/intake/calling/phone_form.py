"""Phone form (format): the answer form's questions, as they are read aloud and filled in by the one who calls."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from services.intake.checkin.answer_form import Form, List
from services.intake.checkin.capability_list import CapabilityLists, wrong_in_words
from services.intake.checkin.model import STATUS_LABELS, Until
from shared.i18n import N_, Locale, texts

UNTILS = (
    (Until.NOT_KNOWN, N_("We do not know")),
    (Until.TODAY, N_("Until the end of today")),
    (Until.TOMORROW, N_("Until the end of tomorrow")),
    (Until.THIS_WEEK, N_("Until the end of this week")),
)
PLANS = (("", N_("We do not say")), ("yes", N_("Yes, we have one")), ("no", N_("No, we do not have one")))


@dataclass(frozen=True)
class PhoneForm:
    """A form, put into the words of the one who fills it in; `told` are the errors with where they lead."""

    form: Form
    statuses: Sequence[tuple[str, str]]
    untils: Sequence[tuple[str, str]]
    plans: Sequence[tuple[str, str]]
    lists: Sequence[Markup]
    errors: dict[str, str]

    @property
    def plan(self) -> str:
        """The chosen option of `plans`."""
        return "" if self.form.plan is None else "yes" if self.form.plan else "no"

    def error(self, name: str) -> str:
        """What is wrong with this field; empty if nothing."""
        return self.errors.get(name, "")

    @property
    def told(self) -> list[dict[str, str]]:
        """The errors for the summary."""
        return [{"message": message, "href": f"#f-{name}"} for name, message in self.errors.items()]


def phone_form(form: Form, locale: Locale, *, lists: CapabilityLists, sent: bool) -> PhoneForm:
    """The form as it is shown, told what is wrong with it only when it was `sent`."""
    _ = texts(locale)
    wrong = form.wrong if sent else ()
    return PhoneForm(
        form=form,
        statuses=[(status.value, _(label)) for status, label in STATUS_LABELS.items()],
        untils=[(until.value, _(label)) for until, label in UNTILS],
        plans=[(value, _(label)) for value, label in PLANS],
        lists=[lists.html(which, form.marks(which), wrong=wrong, sent=sent, locale=locale) for which in List],
        errors={one.field: wrong_in_words(one, locale) for one in wrong},
    )
