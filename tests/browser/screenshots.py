"""`make screenshots`: walks the storm evening and an exercise, and keeps the pictures of the README and the guides."""

import subprocess
import sys
import tempfile
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import QUIET
from tests.browser.exercise_walk import ExerciseWalk
from tests.browser.walk import DESK, PHONE, Walk
from tests.servers import program
from tests.system import ROOT, System

PICTURES = ROOT / "docs" / "pictures"
KEPT = {"letter", "answer-form", "answer-thanks", "guidance-approval", "guidance-progress", "public"}
KEPT_OF_EXERCISES = {"exercise-form", "exercise-board"}


class Camera:
    """Keeps a picture of the pages that the README and the guides show, as high as the screen."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, page: Page, name: str) -> None:
        if name in KEPT | KEPT_OF_EXERCISES:
            self.take(page, name)

    def take(self, page: Page, name: str, *, height: int = 0) -> None:
        """Take it now; `height` in CSS pixels where the page should show more than its screen."""
        size = page.viewport_size
        if height and size:
            page.set_viewport_size({"width": size["width"], "height": height})
        page.screenshot(path=self._folder / f"{name}.png")


def _play(system: System) -> None:
    where = ("--url", system.url, "--mail-url", system.mail_url)
    command = [sys.executable, "-m", "services.cli", "demo", "storm", "--speed", "3600", *where]
    subprocess.run(command, check=True, cwd=ROOT)


def main() -> None:
    """Start a system of its own, walk, and stop it."""
    camera = Camera(PICTURES)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        system = System(Path(folder) / "var")
        system.start()
        try:
            browser = playwright.chromium.launch(executable_path=program("chromium"), args=QUIET)
            walk = Walk(system, browser, camera)
            for name in ("Liisa", "Eero", "Aino"):
                walk.sign_in(name)
            walk.open_situation()
            walk.ask_everybody()
            walk.answer_in_two_taps(str(walk.read_mail(limit="1")[0]["to"]))
            _play(system)
            _keep_the_picture(walk, camera)
            walk.write_guidance()
            walk.approve_guidance()
            walk.read_public_page()
            _keep_an_exercise(system, browser, camera)
            browser.close()
        finally:
            system.stop()


def _keep_the_picture(walk: Walk, camera: Camera) -> None:
    page = walk.pages["Liisa"]
    page.goto(walk.situation)
    page.set_viewport_size(DESK)
    camera.take(page, "picture", height=1250)
    page.emulate_media(color_scheme="dark")
    camera.take(page, "picture-dark", height=900)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(PHONE)
    camera.take(page, "picture-phone", height=1400)
    page.set_viewport_size(DESK)
    assert httpx.get(f"{walk.system.url}/status/readyz").status_code == 200


def _keep_an_exercise(system: System, browser: Browser, camera: Camera) -> None:
    """The pages that the guide for leaders shows."""
    walk = ExerciseWalk(system, browser, camera)
    walk.sign_in("Helga")
    walk.plan_a_storm()
    walk.start()
    walk.lead()


if __name__ == "__main__":
    main()
