"""Paper through the pages: lists, sheets whose links work, rows typed back, and PDF."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import select

from services.intake.audit.model import Act
from services.intake.checkin.model import CHANNEL_LABELS, Answer, Said
from services.intake.checkin.store import CheckInRow
from services.intake.invitation.store import InvitationToken
from services.intake.paper.model import paper_token
from services.intake.paper.print_pdf import NoPdfError, pdf_of
from shared.events.intake import Channel, OperatingStatus
from shared.i18n import Locale, texts
from shared.identity import Role
from shared.ids import new_id
from shared.realm import Realm
from shared.settings import Settings
from tests.intake.calling.people import ask_all, in_order, invitation_of
from tests.intake.house import Intake, Round

HATTULA = "082"


@pytest.fixture
async def opened(intake: Intake) -> Round:
    await intake.sign_in(Role.CLERK)
    return await ask_all(intake)


def path_of(opened: Round, page: str, municipality: str = HATTULA) -> str:
    return f"/paper/{opened.round_id}/{municipality}/{page}"


async def rows(intake: Intake) -> Sequence[CheckInRow]:
    async with intake.database.read() as session:
        return list((await session.execute(select(CheckInRow))).scalars())


async def test_the_list_has_every_association_of_the_municipality_in_order(intake: Intake, opened: Round) -> None:
    await intake.browser.post(await intake.link(0), data={"status": "limited"})

    page = await intake.browser.get(path_of(opened, "list"))
    overview = await intake.browser.get(f"/paper/{opened.round_id}")

    assert in_order(page.text, ["Hattulan Martat", "Aino Kuura", "040 1", "Hattulan Palokunta", "Hattulan Partio"])
    assert "Forssa" not in page.text
    assert page.text.count("☐☐☐") == 2
    assert "Vastannut: Toimimme rajoitetusti" in page.text
    assert in_order(overview.text, ["Forssa", "Hattula", "Loppi"])


async def test_a_sheet_leads_to_the_form_of_its_association(intake: Intake, opened: Round, settings: Settings) -> None:
    before = await intake.browser.get(path_of(opened, "sheets"))
    await intake.browser.post(path_of(opened, "sheets"))
    page = await intake.browser.get(path_of(opened, "sheets"))
    martat = await invitation_of(intake, "Hattulan Martat")
    token = paper_token(settings.secret.get_secret_value(), martat)

    form = await intake.browser.get(f"/c/{token}")
    answer = await intake.browser.post(f"/c/{token}", data={"status": "normal"})

    [row] = await rows(intake)
    assert 'class="qr"' not in before.text
    assert page.text.count('class="qr"') == 3
    assert "Miten Hattulan Martat toimii nyt?" in form.text
    assert answer.status_code == 200
    assert (row.channel, row.contact_id) == ("link", None)


async def test_sheets_made_twice_are_the_same_sheets(intake: Intake, opened: Round) -> None:
    pages = []
    for _ in range(2):
        await intake.browser.post(path_of(opened, "sheets"))
        pages.append((await intake.browser.get(path_of(opened, "sheets"))).text)

    made = [row.deed for row in await intake.app.state.audit.page() if row.deed.act is Act.SHEETS_MADE]
    assert pages[0] == pages[1]
    assert await intake.count(InvitationToken) == 3 + 3
    assert [deed.details for deed in made] == [{"municipality": HATTULA, "count": 3}]


async def test_a_sheet_speaks_the_language_of_its_association(intake: Intake, opened: Round) -> None:
    await intake.browser.post(path_of(opened, "sheets", "061"))

    page = await intake.browser.get(path_of(opened, "sheets", "061"))

    assert "Hur verkar Forssa Byalag just nu?" in page.text
    assert '<section class="sheet" lang="sv">' in page.text
    assert "Storm" in page.text


async def test_rows_typed_back_are_recorded_and_the_wrong_ones_come_back(intake: Intake, opened: Round) -> None:
    martat, partio = await invitation_of(intake, "Hattulan Martat"), await invitation_of(intake, "Hattulan Partio")
    typed = {
        f"box-{martat}": "2",
        f"note-{martat}": "Sähköt poikki",
        f"box-{partio}": "7",
        f"note-{partio}": "<ei> näy",
    }

    page = await intake.browser.post(path_of(opened, "answers"), data=typed)
    mended = await intake.browser.post(path_of(opened, "answers"), data={f"box-{partio}": "3"})

    recorded = sorted((row.status, row.channel, row.note) for row in await rows(intake))
    assert page.status_code == 422
    assert 'value="7"' in page.text
    assert "&lt;ei&gt; näy" in page.text
    assert f'id="error-{partio}"' in page.text
    assert "Sähköt poikki" not in page.text
    assert mended.status_code == 303
    assert recorded == [("limited", "paper", "Sähköt poikki"), ("suspended", "paper", "")]
    assert all(row.entered_by for row in await rows(intake))


async def test_a_single_row_is_recorded_beside_the_page(intake: Intake, opened: Round) -> None:
    martat = await invitation_of(intake, "Hattulan Martat")
    path = path_of(opened, f"answers/{martat}")

    wrong = await intake.browser.post(path, data={"box": "x"})
    right = [await intake.browser.post(path, data={"box": "1"}) for _ in range(2)]
    strange = await intake.browser.post(path_of(opened, f"answers/{martat}", "061"), data={"box": "1"})

    assert (wrong.status_code, strange.status_code) == (422, 404)
    assert "Kirjoita 1, 2 tai 3." in wrong.text
    assert [reply.status_code for reply in right] == [200, 200]
    assert "Toimimme normaalisti" in right[0].text
    assert len(await rows(intake)) == 1


async def test_a_number_or_first_letters_find_the_row_and_nothing_typed_is_lost(intake: Intake, opened: Round) -> None:
    martat, palokunta = (
        await invitation_of(intake, "Hattulan Martat"),
        await invitation_of(intake, "Hattulan Palokunta"),
    )

    sent = await intake.browser.post(path_of(opened, "answers"), data={f"box-{martat}": "1", "find": "2"})
    by_number = await intake.browser.get(sent.headers["location"])
    by_letters = await intake.browser.get(path_of(opened, "answers?find=hattulan pal"))
    missed = await intake.browser.get(path_of(opened, "answers?find=zz"))

    assert len(await rows(intake)) == 1
    for page in (by_number, by_letters):
        [cursor] = [part for part in page.text.split("<input") if " autofocus" in part]
        assert f'id="box-{palokunta}"' in cursor
    assert "Mikään rivi ei ala näin." in missed.text


async def test_fifty_rows_stand_on_a_page_with_the_numbers_of_the_list(intake: Intake) -> None:
    await intake.sign_in(Role.CLERK)
    await intake.take_in(*(f"Seura {n:02};{n};Hattula;;;s{n}@example.org" for n in range(1, 61)))
    opened = await intake.open_round(await intake.ids())

    second = await intake.browser.get(path_of(opened, "answers?page=2"))
    found = await intake.browser.get(path_of(opened, "answers?find=60"))

    assert second.text.count("data-row=") == 10
    assert "51. Seura 51" in second.text
    assert "60. Seura 60" in found.text


async def test_a_limited_clerk_sees_their_own_with_everybodys_numbers(intake: Intake) -> None:
    opened = await ask_all(intake)
    await intake.sign_in(Role.CLERK, municipalities=frozenset({"433"}))
    martat = await invitation_of(intake, "Hattulan Martat")

    pages = [await intake.browser.get(path_of(opened, page)) for page in ("list", "sheets", "answers")]
    await intake.browser.post(path_of(opened, "sheets"))
    row = await intake.browser.post(path_of(opened, f"answers/{martat}"), data={"box": "1"})
    await intake.browser.post(path_of(opened, "answers"), data={f"box-{martat}": "1"})

    assert not any("Martat" in page.text for page in pages)
    assert row.status_code == 404
    assert await intake.count(InvitationToken) == 3
    assert await rows(intake) == []


async def test_an_exercise_says_so_on_every_sheet(intake: Intake) -> None:
    await intake.sign_in(Role.CLERK)
    opened = await ask_all(intake, realm=Realm("ex-autumn"))
    await intake.browser.post(path_of(opened, "sheets"))

    sheets = await intake.browser.get(path_of(opened, "sheets"))

    assert (
        sheets.text.count("HARJOITUS – tämä ei ole todellinen tilanne") == 1 + 2
    )  # Eino has no address to take part by


@pytest.mark.parametrize("page", ["list", "sheets", "answers"])
async def test_a_place_that_there_is_not_is_not_found(intake: Intake, opened: Round, page: str) -> None:
    assert (await intake.browser.get(path_of(opened, page, "999"))).status_code == 404


async def test_a_list_as_pdf(intake: Intake, opened: Round) -> None:
    pytest.importorskip("weasyprint", reason="the library for PDF is not on this machine", exc_type=ImportError)

    reply = await intake.browser.get(path_of(opened, "list.pdf"))

    assert reply.headers["content-type"] == "application/pdf"
    assert reply.content.startswith(b"%PDF")


async def test_without_the_library_the_page_itself_is_offered(
    intake: Intake, opened: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)

    reply = await intake.browser.get(path_of(opened, "list.pdf"))

    assert reply.status_code == 501
    assert "tulosta itse sivu" in reply.text
    with pytest.raises(NoPdfError):
        pdf_of("<p>", static=Path())


@pytest.mark.parametrize("channel", Channel)
async def test_the_typing_page_tells_of_answers_by_every_way(intake: Intake, opened: Round, channel: Channel) -> None:
    martat = await invitation_of(intake, "Hattulan Martat")
    said = Said(status=OperatingStatus.LIMITED)
    answer = Answer(door=martat, form_id=new_id(), said=said, at=intake.clock.now(), channel=channel)
    await intake.app.state.checkin.put(answer)

    page = await intake.browser.get(path_of(opened, "answers"))

    assert page.status_code == 200
    assert texts(Locale.FI)(CHANNEL_LABELS[channel]) in page.text
