"""Partner links: they open one thing, for a time, to whoever holds them, and all that fails fails alike."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from services.status.sharing.model import Flaw, Link, LinkDraft, Refused, Standing, share
from services.status.sharing.store import ReportLinkRow
from shared.i18n import Locale
from shared.identity import Role
from shared.ids import digest, new_id
from tests.fakes import STORM_EVENING, FakeClock
from tests.status.people import LIAISON, Desk, checkin, storm
from tests.status.reports import EXERCISE, asked, note, situation_of
from tests.status.test_pages import text_of


def drafted(**wrong: object) -> Link | Refused:
    """A link for the rescue department to report 1, but for what is said."""
    draft = LinkDraft(**{"purpose": "Pelastuslaitos", "hours": 72, "newest": False, "number": 1, **wrong})  # type: ignore[arg-type]
    return share(storm().situation, draft, reports=1, link_id=new_id(), made_by=LIAISON, now=STORM_EVENING)


@pytest.mark.parametrize(
    ("link", "flaw"),
    [
        (drafted(purpose=" \n "), Flaw.PURPOSE_MISSING),
        (drafted(purpose="x" * 81), Flaw.PURPOSE_TOO_LONG),
        (drafted(hours=0), Flaw.HOURS_OUT_OF_RANGE),
        (drafted(hours=30 * 24 + 1), Flaw.HOURS_OUT_OF_RANGE),
        (drafted(hours=None), Flaw.HOURS_OUT_OF_RANGE),
        (drafted(number=2), Flaw.NO_SUCH_REPORT),
        (drafted(number=0), Flaw.NO_SUCH_REPORT),
        (drafted(number=None), Flaw.NO_SUCH_REPORT),
    ],
)
def test_a_bad_link_is_refused_with_its_reason(link: Link | Refused, flaw: Flaw) -> None:
    assert link == Refused((flaw,))


def test_a_link_is_valid_until_its_end_and_not_a_moment_longer() -> None:
    link = drafted(hours=1)
    assert isinstance(link, Link)
    end = STORM_EVENING + timedelta(hours=1)

    assert link.standing(end - timedelta(microseconds=1)) is Standing.VALID
    assert link.standing(end) is Standing.EXPIRED


async def reported(one: Desk, **where: object) -> str:
    """A situation with one report; where its links are. The liaison is signed in."""
    round_ = await asked(one, "Aino", "Bertta", **where)  # type: ignore[arg-type]
    await one.app.state.reports.freeze(await situation_of(one, round_), note("Sähköt ovat poikki."))
    one.sign_in(Role.LIAISON)
    return f"/situations/{round_.situation_id}/reports/links"


async def made(one: Desk, links: str, **written: str) -> str:
    """Make a link; its path."""
    answer = await one.browser.post(f"{links}?lang=en", data={"purpose": "Pelastuslaitos", "number": "1", **written})
    assert answer.status_code == 200
    found = re.search(r'href="http://127.0.0.1:8000(/shared/[A-Za-z0-9_-]{43})"', answer.text)
    assert found
    return found[1]


async def test_a_partner_reads_the_report_without_signing_in_and_leaves_no_trace(open_desk: Desk) -> None:
    path = await made(open_desk, await reported(open_desk))
    open_desk.browser.cookies.clear()
    before = await rows(open_desk)

    shown = await open_desk.browser.get(path, params={"lang": "sv"})
    files = [await open_desk.browser.get(f"{path}/report.{form}", params={"lang": "sv"}) for form in ("csv", "xlsx")]
    looked = await open_desk.browser.head(path)

    assert "Lägesrapport 1: Novemberstormen" in text_of(shown.text)
    assert "Sähköt ovat poikki." in shown.text
    assert [file.status_code for file in files] == [200, 200]
    assert looked.status_code == 200
    for answer in (shown, *files):
        assert "set-cookie" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-robots-tag"] == "noindex"
    assert 'name="robots" content="noindex"' in shown.text
    assert "/situations/" not in shown.text
    assert await rows(open_desk) == before


async def rows(one: Desk) -> list[dict[str, object]]:
    """The links as they are kept."""
    async with one.app.state.house.database.read() as session:
        found = (await session.execute(select(ReportLinkRow))).scalars()
        return [row.model_dump() for row in found]


async def test_only_the_tokens_digest_is_kept_with_who_made_it_and_when(open_desk: Desk, clock: FakeClock) -> None:
    path = await made(open_desk, await reported(open_desk), hours="1")
    token = path.rsplit("/", 1)[1]

    [row] = await rows(open_desk)

    assert row["token_hash"] == digest(token)
    assert token not in str(row)
    assert row["made_by"] == LIAISON
    assert row["made_at"] == clock.now()
    assert row["expires_at"] == clock.now() + timedelta(hours=1)


async def test_unknown_expired_and_revoked_links_answer_alike(open_desk: Desk, clock: FakeClock) -> None:
    links = await reported(open_desk)
    short, revoked = await made(open_desk, links, hours="1"), await made(open_desk, links, hours="720")
    [link] = [row["id"] for row in await rows(open_desk) if row["token_hash"] == digest(revoked.rsplit("/", 1)[1])]
    await open_desk.browser.post(f"{links}/{link}/revoke")
    clock.move(hours=1)
    unknown = f"/shared/{'x' * 43}"

    async def answers(end: str) -> set[tuple[int, str, str]]:
        found = [(path, await open_desk.browser.get(f"{path}{end}?lang=en")) for path in (short, revoked, unknown)]
        return {(one.status_code, one.text.replace(path, "…"), str(sorted(one.headers.items()))) for path, one in found}

    for end in ("", "/report.csv", "/report.exe"):
        [(status, text, _)] = await answers(end)
        assert status == 404
        assert "opens nothing now" in text
        assert "112" in text


async def test_the_newest_link_follows_the_reports_and_says_when_there_is_none(open_desk: Desk) -> None:
    round_ = await asked(open_desk, "Aino")
    open_desk.sign_in(Role.LIAISON)
    links = f"/situations/{round_.situation_id}/reports/links"
    path = await made(open_desk, links, number="newest")
    situation = await situation_of(open_desk, round_)

    none_yet = await open_desk.browser.get(f"{path}?lang=en")
    no_file = await open_desk.browser.get(f"{path}/report.csv")
    await open_desk.app.state.reports.freeze(situation, note())
    first = await open_desk.browser.get(f"{path}?lang=en")
    await open_desk.app.state.readiness.hear(checkin("Aino", round_))
    await open_desk.app.state.reports.freeze(situation, note())
    second = await open_desk.browser.get(f"{path}?lang=en")

    assert none_yet.status_code == 200
    assert "No report has been made" in none_yet.text
    assert no_file.status_code == 404
    assert "Situation report 1" in first.text
    assert "Situation report 2" in second.text


async def test_a_link_is_shown_once_and_sending_the_form_twice_makes_one(open_desk: Desk) -> None:
    links = await reported(open_desk)
    form = {"link_id": str(new_id()), "purpose": "Pelastuslaitos", "number": "1", "hours": "72"}

    first = await open_desk.browser.post(links, data=form)
    again = await open_desk.browser.post(links, data=form)
    listed = await open_desk.browser.get(f"{again.headers['location']}&lang=en")

    assert "/shared/" in first.text
    assert again.status_code == 303
    assert "/shared/" not in listed.text
    assert "made already" in listed.text
    assert listed.text.count('<th scope="row">Pelastuslaitos</th>') == 1


async def test_a_bad_form_comes_back_with_what_was_written(open_desk: Desk) -> None:
    links = await reported(open_desk)

    answer = await open_desk.browser.post(f"{links}?lang=en", data={"purpose": "", "number": "7", "hours": "721"})

    assert answer.status_code == 422
    for field in ("purpose", "number", "hours"):
        assert f'href="#f-{field}"' in answer.text
    assert await rows(open_desk) == []


async def test_liaisons_make_links_and_administrators_may_revoke_them(open_desk: Desk) -> None:
    links = await reported(open_desk)
    form = {"purpose": "Pelastuslaitos", "number": "1", "hours": "72"}
    await made(open_desk, links)
    [row] = await rows(open_desk)
    may_see = {Role.LIAISON, Role.ADMINISTRATOR}

    for role in Role:
        open_desk.sign_in(role)
        assert (await open_desk.browser.get(links)).status_code == (200 if role in may_see else 403)
        if role is not Role.LIAISON:
            assert (await open_desk.browser.post(links, data=form)).status_code == 403
        if role not in may_see:
            assert (await open_desk.browser.post(f"{links}/{row['id']}/revoke")).status_code == 403
    assert await rows(open_desk) == [row]

    open_desk.sign_in(Role.ADMINISTRATOR)
    done = [await open_desk.browser.post(f"{links}/{id_}/revoke") for id_ in (row["id"], row["id"], new_id())]
    [revoked] = await rows(open_desk)

    assert [answer.status_code for answer in done] == [303] * 3
    assert revoked["revoked_by"] == LIAISON
    assert revoked["revoked_at"] is not None


async def test_a_shared_exercise_says_so_in_every_language(open_desk: Desk) -> None:
    path = await made(open_desk, await reported(open_desk, realm=EXERCISE))
    banners = {
        Locale.FI: "HARJOITUS – tämä ei ole todellinen tilanne",
        Locale.SELKO: "HARJOITUS. Tämä ei ole totta.",
        Locale.SV: "ÖVNING – detta är inte en verklig situation",
        Locale.EN: "EXERCISE – this is not a real situation",
    }

    for locale, banner in banners.items():
        page = (await open_desk.browser.get(path, params={"lang": locale})).text
        table = (await open_desk.browser.get(f"{path}/report.csv", params={"lang": locale})).content.decode("utf-8-sig")

        assert page.count(banner) == 2
        assert table.startswith(banner)
