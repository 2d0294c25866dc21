"""The register: what is looked for is found."""

from services.intake.registry.model import Wanted
from tests.intake.house import AINO, BERTTA, CECILIA, Intake


async def test_associations_are_found_by_part_of_a_name_place_and_sector(intake: Intake) -> None:
    await intake.take_in(AINO, BERTTA, CECILIA, "Sata%;1004;Loppi;Muut")
    find = intake.app.state.registry.find

    async def names(**wanted: object) -> list[str]:
        return [one.name for one in (await find(Wanted(**wanted))).associations]  # type: ignore[arg-type]

    assert await names(text="KYLÄ") == ["Lopen Kyläseura"]
    assert await names(text="%") == ["Sata%"]
    assert await names(municipality="433") == ["Lopen Kyläseura", "Sata%"]
    assert await names(municipality="433", sector="village") == ["Lopen Kyläseura"]
    assert await names(within=frozenset({"061"})) == ["Forssa Byalag"]
