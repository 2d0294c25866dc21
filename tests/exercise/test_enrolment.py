"""Enrolment: an association signs up by a link, is on the list when it confirms, and may leave until the beginning."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from sqlalchemy import select
from sqlmodel import col
from starlette.responses import Response

from services.exercise.app import make_app
from services.exercise.enrolment.handlers import EnrolmentHandlers
from services.exercise.enrolment.model import KEPT_AFTER, read_address, read_addresses
from services.exercise.enrolment.schema import SignUpLink, SignUpRow
from services.exercise.enrolment.store import EnrolmentStore
from services.exercise.exercise.store import ExerciseStore, ParticipantRow
from shared.erased import keyed_hash
from shared.events import EVENT_TYPES
from shared.events.exercise import ExerciseEnded, RosterFrozen
from shared.events.notify import PersonErased, UrgentLetterRequested
from shared.i18n import Locale
from shared.identity import Role, Staff
from shared.ids import new_id
from shared.plumbing import OutboxRow
from shared.realm import LIVE
from shared.settings import Settings
from tests.exercise.conftest import AINO
from tests.fakes import FakeClock
from tests.migrated import Migrated

HERE = "http://127.0.0.1:8000"
HIDDEN = re.compile(r'name="(\w+_id)" value="([^"]+)"')
BERTTA = {"email": "Bertta@Example.org ", "association": "Hattulan Martat", "language": "sv"}
WHEN = {"day": "2027-02-11", "at": "10:00", "length": "3:30", "text_fi": "Harjoittelemme talvimyrskyä."}


@dataclass(frozen=True)
class Office:
    """The service with an announced exercise, the browser of its leader Aino, and one of somebody unknown."""

    app: FastAPI
    clock: FakeClock
    aino: AsyncClient
    stranger: AsyncClient
    board: str

    @property
    def exercise_id(self) -> UUID:
        return UUID(self.board.rpartition("/")[2])

    @property
    def page(self) -> str:
        return f"/exercise/announced/{self.exercise_id}"

    @property
    def enrolment(self) -> EnrolmentStore:
        store: EnrolmentStore = self.app.state.enrolment
        return store

    async def links(self) -> list[str]:
        """The paths in the letters that were asked for, oldest first."""
        return [wish.personal["link"].removeprefix(HERE) for wish in await self.letters()]

    async def letters(self) -> list[UrgentLetterRequested]:
        return [event for event in await self.told() if isinstance(event, UrgentLetterRequested)]

    async def told(self) -> list[object]:
        async with self.app.state.house.database.read() as session:
            rows = (await session.execute(select(OutboxRow).order_by(col(OutboxRow.id)))).scalars()
            return [EVENT_TYPES[row.headers["ce-type"]].model_validate_json(row.body) for row in rows]

    async def addresses(self) -> list[str]:
        async with self.app.state.house.database.read() as session:
            rows = await session.execute(select(col(ParticipantRow.address)).order_by(col(ParticipantRow.address)))
            return list(rows.scalars())

    async def rows(self, table: type[SignUpRow] | type[SignUpLink]) -> int:
        async with self.app.state.house.database.read() as session:
            return len((await session.execute(select(table))).all())

    async def signed_up(self) -> str:
        """Bertta has signed up and confirmed; the path of her link."""
        await self.stranger.post(self.page, data=BERTTA)
        link = (await self.links())[-1]
        assert (await self.stranger.post(f"{link}/confirm")).status_code == 303
        return link

    async def ended(self) -> None:
        exercises: ExerciseStore = self.app.state.exercises
        await exercises.end(self.exercise_id)


@pytest.fixture
async def office(settings: Settings, clock: FakeClock, migrated: Migrated) -> AsyncIterator[Office]:
    await migrated.copy_to(settings.database_of("exercise"), "exercise")
    app = make_app(settings, clock=clock)
    response, sessions = Response(), app.state.sessions
    until = clock.now().replace(year=clock.now().year + 1)
    sessions.sign_in(response, Staff(new_id(), AINO, frozenset({Role.EXERCISE_LEADER}), until))
    cookie = response.headers["set-cookie"].partition(";")[0]
    transport, english = ASGITransport(app=app), {"accept-language": "en"}
    async with (
        AsyncClient(transport=transport, base_url=HERE, headers={"cookie": cookie, **english}) as aino,
        AsyncClient(transport=transport, base_url=HERE, headers=english) as stranger,
    ):
        form = dict(HIDDEN.findall((await aino.get("/exercises/new")).text))
        planned = await aino.post(
            "/exercises/new", data={**form, "scenario": "winter-storm", "speed": "60", "participants": ""}
        )
        board = planned.headers["location"]
        announced = await aino.post(f"{board}/announcement", data={**WHEN, "announced": "yes"})
        assert announced.status_code == 303, announced.text
        yield Office(app, clock, aino, stranger, board)
    await app.state.house.database.close()


async def test_an_announced_exercise_is_told_to_everybody_in_four_languages(office: Office) -> None:
    listed = (await office.stranger.get("/exercise/announced")).text
    pages = [(await office.stranger.get(f"{office.page}?lang={one}")).text for one in ("fi", "fi@selko", "sv", "en")]
    calendar = await office.stranger.get("/exercise/announced/calendar.ics?lang=fi")
    entry = await office.stranger.get(f"{office.page}/calendar.ics?lang=sv")

    assert f'href="{office.page}?lang=en"' in listed
    assert all(mark in page for page, mark in zip(pages, ("HARJOITUS", "HARJOITUS", "ÖVNING", "EXERCISE"), strict=True))
    assert all('<form method="post"' in page for page in pages)
    assert calendar.headers["content-type"].startswith("text/calendar")
    assert "SUMMARY;LANGUAGE=fi:HARJOITUS: " in calendar.text
    assert "SUMMARY;LANGUAGE=sv:ÖVNING: " in entry.text


async def test_what_is_not_announced_is_not_there(office: Office) -> None:
    form = dict(HIDDEN.findall((await office.aino.get("/exercises/new")).text))
    planned = await office.aino.post(
        "/exercises/new", data={**form, "scenario": "pandemic", "speed": "1", "participants": ""}
    )
    hidden = planned.headers["location"].replace("/exercises/", "/exercise/announced/")

    answers = [await office.stranger.get(hidden + part) for part in ("", "/sent", "/calendar.ics")]
    posted = await office.stranger.post(hidden, data=BERTTA)

    assert {answer.status_code for answer in (*answers, posted)} == {404}


async def test_whoever_signs_up_is_on_the_list_when_she_confirms_and_off_it_when_she_leaves(office: Office) -> None:
    sent = await office.stranger.post(office.page, data=BERTTA)
    [wish] = await office.letters()
    [link] = await office.links()
    opened = await office.stranger.get(link)
    before = await office.addresses()
    confirmed = await office.stranger.post(f"{link}/confirm", follow_redirects=True)
    during = await office.addresses()
    left = await office.stranger.post(f"{link}/leave", follow_redirects=True)

    assert sent.headers["location"].startswith(f"{office.page}/sent")
    assert (wish.kind, wish.address, wish.locale, wish.realm) == ("sign_up", "bertta@example.org", "sv", "live")
    assert "Bekräfta att ni deltar" in opened.text
    assert (before, during) == ([], ["bertta@example.org"])
    assert "Tack. Ni deltar i övningen." in confirmed.text
    assert "Ni deltar inte längre." in left.text
    assert await office.addresses() == []
    assert (await office.rows(SignUpRow), await office.rows(SignUpLink)) == (0, 0)
    assert (await office.stranger.get(link)).status_code == 404


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("email", "bertta", "Kirjoittakaa sähköpostiosoite"),
        ("email", "bertta@example", "Kirjoittakaa sähköpostiosoite"),
        ("association", "  ", "Kirjoittakaa yhdistyksenne nimi."),
        ("association", "x" * 201, "Nimessä voi olla enintään 200 merkkiä."),
        ("language", "xx", "Valitkaa kieli."),
    ],
)
async def test_what_is_wrong_is_told_in_the_readers_language_and_the_rest_is_kept(
    office: Office, field: str, value: str, told: str
) -> None:
    answer = await office.stranger.post(f"{office.page}?lang=fi", data=BERTTA | {field: value})

    assert answer.status_code == 422
    assert told in answer.text
    assert f'href="#f-{field}"' in answer.text
    assert field == "association" or "Hattulan Martat" in answer.text
    assert await office.letters() == []


async def test_the_answer_is_the_same_for_known_and_unknown_and_too_many(office: Office) -> None:
    await office.signed_up()
    answers = [await office.stranger.post(office.page, data=BERTTA) for _ in range(8)]
    other = await office.stranger.post(office.page, data=BERTTA | {"email": "cecilia@example.org"})
    purposes = [(wish.address, wish.shared["purpose"]) for wish in await office.letters()]

    assert {(answer.status_code, answer.headers["location"]) for answer in (*answers, other)} == {
        (303, f"{office.page}/sent?lang=en")
    }
    assert purposes.count(("bertta@example.org", "known")) == 4
    assert purposes.count(("cecilia@example.org", "")) == 1
    assert await office.addresses() == ["bertta@example.org"]


async def test_a_client_that_signs_up_many_is_stopped(office: Office) -> None:
    await office.aino.post(f"{office.board}/start")
    answers = [
        await office.stranger.post(office.page, data=BERTTA | {"email": f"a{number}@example.org"})
        for number in range(61)
    ]

    assert [answer.status_code for answer in answers[-2:]] == [409, 429]


async def test_no_token_is_kept_and_none_is_guessed(office: Office) -> None:
    link = await office.signed_up()
    token = link.rpartition("/")[2]
    async with office.app.state.house.database.read() as session:
        hashes = list((await session.execute(select(col(SignUpLink.token_hash)))).scalars())

    assert len(token) >= 43
    assert token.encode() not in b"".join(hashes)
    assert (await office.stranger.get(f"/exercise/join/{token[:-1]}x")).status_code == 404


async def test_the_list_is_fixed_when_the_exercise_begins(office: Office) -> None:
    joined = await office.signed_up()
    await office.stranger.post(office.page, data=BERTTA | {"email": "cecilia@example.org", "language": "en"})
    late = (await office.links())[-1]
    await office.aino.post(f"{office.board}/start")

    refused = [
        await office.stranger.post(f"{late}/confirm"),
        await office.stranger.post(f"{joined}/leave"),
        await office.stranger.post(office.page, data=BERTTA | {"email": "dora@example.org"}),
        await office.aino.post(f"{office.board}/participants", data={"participants": "eve@example.org"}),
        await office.aino.post(f"{office.board}/participants/remove", data={"address": "bertta@example.org"}),
    ]
    page, own = await office.stranger.get(office.page), await office.stranger.get(f"{late}?lang=en")
    [frozen] = [event for event in await office.told() if isinstance(event, RosterFrozen)]

    assert {answer.status_code for answer in refused} == {409}
    assert (frozen.addresses, frozen.locales) == (("bertta@example.org",), ("sv",))
    assert frozen.names["sv"]
    assert "It is too late to sign up for this one." in page.text
    assert "It is too late to sign up for this one." in own.text


async def test_the_leader_sees_adds_and_removes(office: Office) -> None:
    await office.signed_up()
    await office.stranger.post(office.page, data=BERTTA | {"email": "cecilia@example.org"})
    participants = f"{office.board}/participants"

    await office.aino.post(participants, data={"participants": "dora@example.org\nEVE@example.org", "language": "en"})
    wrong = await office.aino.post(participants, data={"participants": "dora@example.org\nno address"})
    shown = (await office.aino.get(participants)).text
    await office.aino.post(f"{participants}/remove", data={"address": "bertta@example.org"})

    assert wrong.status_code == 422
    assert "“no address” is not an email address." in wrong.text
    assert "Hattulan Martat" in shown
    assert shown.count("Added by hand") == 2
    assert "cecilia@example.org" not in shown
    assert await office.addresses() == ["dora@example.org", "eve@example.org"]
    assert await office.rows(SignUpRow) == 1


async def test_what_is_not_confirmed_in_two_days_is_forgotten(office: Office) -> None:
    await office.stranger.post(office.page, data=BERTTA)
    [link] = await office.links()
    office.clock.move(seconds=48 * 3600)

    gone = await office.stranger.get(link)
    assert not await office.enrolment.forget()

    assert gone.status_code == 404
    assert (await office.rows(SignUpRow), await office.rows(SignUpLink)) == (0, 0)


async def test_who_took_part_is_forgotten_a_month_after_the_end_and_still_counted(office: Office) -> None:
    await office.signed_up()
    await office.aino.post(f"{office.board}/start")
    await office.ended()

    assert not await office.enrolment.forget_past()
    office.clock.move(seconds=KEPT_AFTER.total_seconds())
    assert await office.enrolment.forget_past()
    assert not await office.enrolment.forget_past()

    [kept] = await office.addresses()
    assert "@" not in kept
    assert await office.rows(SignUpRow) == 0
    assert "Address deleted" in (await office.aino.get(f"{office.board}/participants")).text


async def test_whoever_is_erased_is_off_the_list_with_her_sign_up(office: Office, settings: Settings) -> None:
    link = await office.signed_up()
    await office.enrolment.add(office.exercise_id, ["cecilia@example.org"], Locale.FI)
    handlers = EnrolmentHandlers(office.enrolment)

    for _ in range(2):
        await handlers.on_person_erased(erased(" BERTTA@example.org", settings, office.clock))

    assert await office.addresses() == ["cecilia@example.org"]
    assert (await office.rows(SignUpRow), await office.rows(SignUpLink)) == (0, 0)
    assert (await office.stranger.get(link)).status_code == 404


async def test_whoever_is_erased_while_it_runs_still_counts(office: Office, settings: Settings) -> None:
    await office.signed_up()
    exercises: ExerciseStore = office.app.state.exercises
    await exercises.start(office.exercise_id)

    await EnrolmentHandlers(office.enrolment).on_person_erased(erased("bertta@example.org", settings, office.clock))

    [someone] = await office.addresses()
    assert someone.startswith("forgotten:")
    assert await office.rows(SignUpRow) == 0


def erased(address: str, settings: Settings, clock: FakeClock) -> PersonErased:
    key = keyed_hash(settings.secret.get_secret_value(), address)
    return PersonErased(happened_at=clock.now(), realm=LIVE, key=key)


async def test_one_button_breaks_it_off_for_something_real_and_again_is_harmless(office: Office) -> None:
    await office.aino.post(f"{office.board}/start")

    answers = [await office.aino.post(f"{office.board}/real-situation") for _ in range(2)]
    told = [event for event in await office.told() if isinstance(event, ExerciseEnded)]

    assert [answer.headers["location"] for answer in answers] == ["/situations?said=broken-off"] * 2
    assert [(event.aborted, event.names["fi"] != "") for event in told] == [(True, True)]


async def test_an_announcement_that_is_taken_away_is_shown_as_cancelled(office: Office) -> None:
    await office.aino.post(f"{office.board}/announcement", data=WHEN)

    page = (await office.stranger.get(office.page)).text
    entry = (await office.stranger.get(f"{office.page}/calendar.ics")).text

    assert "This exercise was cancelled." in page
    assert 'name="email"' not in page
    assert "STATUS:CANCELLED" in entry
    assert "SEQUENCE:1" in entry


async def test_an_announcement_with_a_flaw_comes_back_as_it_was_written(office: Office) -> None:
    answer = await office.aino.post(
        f"{office.board}/announcement", data=WHEN | {"day": "", "text_sv": "Vi övar.", "announced": "yes"}
    )

    assert answer.status_code == 422
    assert "Choose a day and a time." in answer.text
    assert "Vi övar." in answer.text


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        (" Bertta@Example.ORG ", "bertta@example.org"),
        ("a.b+c@mäyrä.fi", "a.b+c@xn--myr-qlac.fi"),
        ("bertta@example", None),
        ("bertta.@example.org", None),
        ("åsa@example.org", None),
        ("a@b.fi\r\nBcc: x@y.fi", None),
        ("<a@b.fi>", None),
        (f"{'a' * 65}@example.org", None),
    ],
)
def test_an_address_is_read_as_it_can_be_sent_to(typed: str, read: str | None) -> None:
    assert read_address(typed) == read


def test_addresses_are_read_each_once() -> None:
    assert read_addresses("b@example.org\n\n A@example.org\nB@example.org") == ("a@example.org", "b@example.org")
