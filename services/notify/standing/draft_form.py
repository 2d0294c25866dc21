"""Draft form: what an editor typed of a model or checklist, and what it means."""

from dataclasses import replace

from services.notify.guidance.draft_form import Fields, fields_of_texts, read_draft
from services.notify.guidance.model import VALID_HOURS
from services.notify.standing.model import Advice, Form, Standing
from services.notify.subscribers.model import Audience, Problem
from shared.i18n import N_


def read_advice(fields: Fields) -> tuple[Advice | None, list[Problem]]:
    """What a form means, or what is wrong with it. `fields.kind` is the form that it takes."""
    whole = replace(fields, audiences=frozenset(Audience), valid_hours=str(VALID_HOURS[0]), situation="")
    draft, problems = read_draft(whole, situations=())
    if fields.kind not in Form._value2member_map_:
        problems = [Problem("kind", N_("Choose what it is.")), *problems]
    if draft is None or problems:
        return None, problems
    return Advice(dict(draft.texts), Form(fields.kind), draft.matching.areas), []


def fields_of(standing: Standing) -> Fields:
    """The form that would make this text."""
    advice = standing.advice
    return fields_of_texts(advice.texts, areas=advice.areas, kind=advice.form, edition=standing.edition)
