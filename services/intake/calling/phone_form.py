"""Phone form (format): the answer form's questions, as they are read aloud and filled in by the one who calls."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.intake.checkin.answer_form import Form, List, Wrong
from services.intake.checkin.model import STATUS_LABELS, Until
from shared.i18n import N_, Locale, texts
from shared.region import CAPABILITIES

UNTILS = (
    (Until.NOT_KNOWN, N_("We do not know")),
    (Until.TODAY, N_("Until the end of today")),
    (Until.TOMORROW, N_("Until the end of tomorrow")),
    (Until.THIS_WEEK, N_("Until the end of this week")),
)
PLANS = (("", N_("We do not say")), ("yes", N_("Yes, we have one")), ("no", N_("No, we do not have one")))
LISTS = {List.NEED: N_("What help do you need?"), List.OFFER: N_("What can you offer others?")}


@dataclass(frozen=True)
class Option:
    """One capability of a list: whether it is marked, what is written beside it, and what is wrong with that."""

    code: str
    field: str
    name: str
    marked: bool
    written: str
    error: str


@dataclass(frozen=True)
class OptionList:
    """What is needed or offered; it stands open where something is marked or wrong."""

    name: str
    title: str
    options: Sequence[Option]

    @property
    def marked(self) -> int:
        """How many are marked."""
        return sum(option.marked for option in self.options)


@dataclass(frozen=True)
class PhoneForm:
    """A form, put into the words of the one who fills it in; `told` are the errors with where they lead."""

    form: Form
    statuses: Sequence[tuple[str, str]]
    untils: Sequence[tuple[str, str]]
    plans: Sequence[tuple[str, str]]
    lists: Sequence[OptionList]
    errors: dict[str, str]

    @property
    def plan(self) -> str:
        """The chosen option of `plans`."""
        return "" if self.form.plan is None else "yes" if self.form.plan else "no"

    @property
    def told(self) -> list[dict[str, str]]:
        """The errors for the summary."""
        return [{"message": message, "href": f"#f-{name}"} for name, message in self.errors.items()]


def phone_form(form: Form, locale: Locale, *, sent: bool) -> PhoneForm:
    """The form as it is shown, told what is wrong with it only when it was `sent`."""
    _ = texts(locale)
    names = {capability.code: capability.name(locale) for capability in CAPABILITIES}
    errors = {one.field: _message(one, names, locale) for one in form.wrong} if sent else {}
    return PhoneForm(
        form=form,
        statuses=[(status.value, _(label)) for status, label in STATUS_LABELS.items()],
        untils=[(until.value, _(label)) for until, label in UNTILS],
        plans=[(value, _(label)) for value, label in PLANS],
        lists=[_list(form, which, names=names, title=_(LISTS[which]), errors=errors) for which in List],
        errors=errors,
    )


def _list(form: Form, which: List, *, names: dict[str, str], title: str, errors: dict[str, str]) -> OptionList:
    marks = form.marks(which)
    options = [
        Option(
            code=code,
            field=f"{which}-{code}",
            name=name,
            marked=code in marks.marked,
            written=marks.written.get(code, ""),
            error=errors.get(f"{which}-{code}", ""),
        )
        for code, name in names.items()
    ]
    return OptionList(which.value, title, options)


def _message(wrong: Wrong, names: dict[str, str], locale: Locale) -> str:
    message = texts(locale)(wrong.message)
    return message % {"what": names[wrong.capability]} if wrong.capability else message
