"""Merging and retiring, in two steps: what happens, and what goes on working."""

from services.intake.audit.model import Act
from services.intake.editing.store import Supplement
from services.intake.registry.model import Ability
from shared.identity import Role
from tests.intake.desk import deeds, filled_form, record_of
from tests.intake.house import AINO, BERTTA, CECILIA, Intake

DOUBLE = "Hattulan Martat ry;2001;Hattula;Muut;A. Kuura;AINO@example.org;040 9;suomi"


async def test_two_entries_become_one(intake: Intake) -> None:
    await intake.take_in(AINO, DOUBLE)
    kept, other = await intake.ids()
    await intake.add_contact(other, 2, "dora@example.org")
    await intake.app.state.editing.supplement([Supplement(register_number="2001", abilities=(Ability("search", 5),))])
    await intake.sign_in(Role.CLERK)
    await intake.forget_said()

    chosen = await intake.browser.get(f"/registry/{kept}/merge")
    asked = await intake.browser.get(f"/registry/{kept}/merge/{other}")
    unasked = await intake.browser.post(f"/registry/{kept}/merge/{other}", data=filled_form(asked, keep=""))
    before = await intake.said()
    form = filled_form(asked, keep=str(kept))
    done = [await intake.browser.post(f"/registry/{kept}/merge/{other}", data=form) for _ in range(2)]

    assert f"/merge/{other}" in chosen.text
    assert (asked.status_code, unasked.status_code, before) == (200, 422, [])
    assert done[0].headers["location"] == f"/registry/{kept}"
    whole, gone = await record_of(intake, kept), await record_of(intake, other)
    assert [contact.email for contact in whole.contacts] == ["aino@example.org", "dora@example.org"]
    assert whole.abilities == [Ability("search", 5)]
    assert (gone.association.retired, gone.association.merged_into, gone.contacts) == (True, kept, [])
    told = {one["association_id"]: one for one in await intake.said("association_changed")}
    assert told[str(other)]["merged_into"] == str(kept)
    assert told[str(other)]["retired"] is True
    assert [deed.act for deed in await deeds(intake)].count(Act.ASSOCIATION_MERGED) == 1
    assert str(kept) in (await intake.browser.get(f"/registry/{other}")).text
    assert str(other) in (await intake.browser.get(f"/registry/{kept}")).text


async def test_an_old_link_of_the_merged_one_still_answers(intake: Intake) -> None:
    await intake.take_in(AINO, DOUBLE)
    kept, other = await intake.ids()
    await intake.open_round([other])
    link = await intake.link()
    versions = {kept: 1, other: 1}
    await intake.app.state.merger.merge(kept, other, versions=versions, by=await intake.sign_in(Role.CLERK))

    answer = await intake.browser.post(link, data={"status": "normal"})

    assert answer.status_code == 200
    [received] = await intake.said("checkin_received")
    assert received["association_id"] == str(other)


async def test_what_changed_meanwhile_or_is_retired_is_not_merged(intake: Intake) -> None:
    await intake.take_in(AINO, BERTTA, CECILIA)
    aino, bertta, cecilia = await intake.ids()
    await intake.sign_in(Role.CLERK)
    asked = await intake.browser.get(f"/registry/{aino}/merge/{bertta}")
    edit = filled_form(await intake.browser.get(f"/registry/{bertta}/edit"), name="Forssa Byalag rf")
    await intake.browser.post(f"/registry/{bertta}/edit", data=edit)
    await intake.browser.post(f"/registry/{cecilia}/retire", data={"retired": "yes", "version": "1"})

    late = await intake.browser.post(f"/registry/{aino}/merge/{bertta}", data=filled_form(asked, keep=str(aino)))

    assert late.status_code == 409
    assert not (await record_of(intake, bertta)).association.retired
    assert (await intake.browser.get(f"/registry/{aino}/merge/{cecilia}")).status_code == 409
    assert (await intake.browser.get(f"/registry/{aino}/merge/{aino}")).status_code == 409


async def test_one_is_retired_and_taken_into_use_again(intake: Intake) -> None:
    await intake.take_in(AINO)
    [aino] = await intake.ids()
    await intake.sign_in(Role.CLERK)
    await intake.forget_said()

    asked = await intake.browser.get(f"/registry/{aino}/retire")
    nothing = await intake.said()
    await intake.browser.post(f"/registry/{aino}/retire", data=filled_form(asked))
    hidden = await intake.browser.get("/registry")
    shown = await intake.browser.get("/registry?retired=retired")
    await intake.open_round([aino])
    back = filled_form(await intake.browser.get(f"/registry/{aino}/retire"))
    await intake.browser.post(f"/registry/{aino}/retire", data=back)

    assert nothing == []
    assert "Hattulan Martat" not in hidden.text
    assert "Hattulan Martat" in shown.text
    assert await intake.said("bulk") == []
    assert [one["retired"] for one in await intake.said("association_changed")] == [True, False]
    acts = [deed.act for deed in await deeds(intake)]
    assert acts[:2] == [Act.ASSOCIATION_RESTORED, Act.ASSOCIATION_RETIRED]
