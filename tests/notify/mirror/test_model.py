"""Which files of a copy change."""

import pytest

from services.notify.mirror.model import changes, digest, listed_in, manifest_of


def test_only_what_differs_is_written_and_only_what_was_ours_is_removed() -> None:
    files = {"same.html": b"1", "new.html": b"2", "changed.html": b"3"}

    found = changes(
        files,
        present={"same.html": digest(b"1"), "changed.html": digest(b"old")},
        ours=frozenset({"same.html", "gone.html"}),
    )

    assert found.write == ("changed.html", "new.html")
    assert found.remove == ("gone.html",)


def test_a_manifest_lists_what_was_written() -> None:
    assert listed_in(manifest_of({"fi/index.html": b"x"}, made_at="now")) == {"fi/index.html"}


@pytest.mark.parametrize(
    "manifest",
    [b"", b"[]", b"{}", b'{"sha256": {"../x": "", "/etc/x": "", "a/../../x": "", "": "", "..\\\\x": ""}}'],
)
def test_a_manifest_that_was_tampered_with_leads_nowhere(manifest: bytes) -> None:
    assert listed_in(manifest) == frozenset()
