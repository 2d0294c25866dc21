"""What docker-compose.yml describes works: its commands and environments as processes, and the main story."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import asyncpg
import httpx
import pytest

from shared.guard import UPLOAD_LIMIT
from shared.ids import new_id
from shared.region import REGION
from tests.containers import EXAMPLE, ROOT, Containers, Place, Post, Proxy, composed
from tests.postgres import Postgres
from tests.servers import pause, program

pytestmark = [pytest.mark.connected, pytest.mark.postgres, pytest.mark.slow]

AINO = "aino@valmius.example.org"
REGISTRY = """Nimi;Rekisterinumero;Kotipaikka;Sähköposti;Kieli
Hattulan Kyläyhdistys;1.001;Hattula;hattula@example.org;suomi
Forssan Partio;1.002;Forssa;forssa@example.org;suomi
Riihimäen Martat;1.003;Riihimäki;riihimaki@example.org;suomi
"""


@pytest.fixture(scope="module")
def containers(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containers]:
    """All containers, started once for this module."""
    services = composed()
    started = Containers(services, Place(tmp_path_factory.mktemp("compose"), postgres_server.port))
    prepare(postgres_server, started)
    try:
        started.start()
        yield started
    finally:
        started.stop()


def prepare(server: Postgres, containers: Containers) -> None:
    """Run what the image of PostgreSQL finds in its folder for new databases, as it would."""
    told = containers.services["postgres"]
    [script] = [mount.split(":")[0] for mount in told["volumes"] if "/docker-entrypoint-initdb.d/" in mount]
    here = {"PGHOST": "127.0.0.1", "PGPORT": str(server.port)}
    program("psql")
    subprocess.run(
        [script],
        env={**containers.place.environment(told["environment"], "postgres"), **here},
        check=True,
        capture_output=True,
    )


@pytest.fixture
def browser(containers: Containers) -> Iterator[httpx.Client]:
    """A browser that reads English and sees one site, as everybody does behind the reverse proxy."""
    address = containers.services["intake"]["environment"]["VALMIUS_PUBLIC_URL"]
    with httpx.Client(
        base_url=address,
        transport=Proxy(containers.place),
        headers={"accept-language": "en"},
        timeout=30,
    ) as opened:
        yield opened


@pytest.fixture
def post(containers: Containers) -> Iterator[Post]:
    opened = Post(containers.place)
    yield opened
    opened.close()


def soon(true: Callable[[], bool], containers: Containers) -> None:
    """Return as soon as it is true; fail with the logs when it is not within half a minute."""
    for _ in range(600):
        if true():
            return
        pause(0.05)
    pytest.fail(f"it did not become true in time\n{containers.logs()}")


def test_every_container_becomes_healthy(containers: Containers) -> None:
    def ready(name: str) -> bool:
        try:
            answer = httpx.get(f"http://127.0.0.1:{containers.place.pages[name]}/{name}/readyz", timeout=10)
        except httpx.TransportError:
            return False
        return answer.status_code == httpx.codes.OK

    for name in ("intake", "status", "exercise", "notify"):
        soon(partial(ready, name), containers)
        containers.check_health(name)


@pytest.mark.parametrize(("role", "database"), [("status", "intake"), ("notify", "intake"), ("intake", "notify")])
async def test_a_service_cannot_open_the_database_of_another(
    containers: Containers, postgres_server: Postgres, role: str, database: str
) -> None:
    assert containers.services
    port = postgres_server.port

    own = await asyncpg.connect(host="127.0.0.1", port=port, user=f"valmius_{role}", database=f"valmius_{role}")
    await own.close()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(host="127.0.0.1", port=port, user=f"valmius_{role}", database=f"valmius_{database}")


def test_no_container_knows_the_password_of_another(containers: Containers) -> None:
    passwords = dict(re.findall(r"^(\w+_PASSWORD)=(.+)$", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE))
    known = {
        name: {owner for owner, password in passwords.items() if password in json.dumps(told.get("environment", {}))}
        for name, told in containers.services.items()
    }

    assert {name: owners for name, owners in known.items() if owners} == {
        "postgres": set(passwords),
        "intake": {"INTAKE_PASSWORD"},
        "status": {"STATUS_PASSWORD"},
        "notify": {"NOTIFY_PASSWORD"},
        "exercise": {"EXERCISE_PASSWORD"},
    }


def test_the_main_story_goes_through_all_containers(
    containers: Containers, browser: httpx.Client, post: Post, tmp_path: Path
) -> None:
    registry = tmp_path / "registry.csv"
    registry.write_text(REGISTRY, encoding="utf-8")
    imported = json.loads(containers.execute("intake", "registry", "import", str(registry), "--json"))
    containers.execute("intake", "people", "add", AINO, "Aino", "--role", "liaison")

    sign_in(browser, post)
    situation = open_situation(browser)
    ask_all(browser, situation, containers)
    links = post.links("/c/", wanted=3)
    answer(browser, links["forssa@example.org"])

    assert (imported["imported"], imported["new"]) == (True, 3)
    assert set(links) == {"hattula@example.org", "forssa@example.org", "riihimaki@example.org"}
    soon(lambda: "1 of 3 answered" in browser.get(f"/situations/{situation}").text, containers)
    assert browser.get("/").status_code == httpx.codes.OK
    assert examined(containers) == []


def sign_in(browser: httpx.Client, post: Post) -> None:
    """By the link in the letter, in the browser that asked for it."""
    assert browser.post("/sign-in", data={"email": AINO}).status_code == httpx.codes.OK
    link = post.links("/sign-in/", wanted=1)[AINO]
    assert browser.get(link).status_code == httpx.codes.OK
    assert browser.post(link).status_code == httpx.codes.SEE_OTHER


def open_situation(browser: httpx.Client) -> str:
    situation = str(new_id())
    opened = browser.post(
        "/situations/new",
        data={
            "situation_id": situation,
            "name_fi": "Myrsky",
            "kind": "storm",
            "freshness_hours": "12",
            "municipalities": REGION.code,
        },
    )
    assert opened.status_code == httpx.codes.SEE_OTHER, opened.text
    return situation


def ask_all(browser: httpx.Client, situation: str, containers: Containers) -> None:
    """Open a round once status has heard of all three."""
    form = {"round_id": str(new_id()), "municipalities": REGION.code, "sectors": "all", "hours": "24"}
    path = f"/situations/{situation}/rounds/new"
    soon(lambda: "Ask 3 associations?" in browser.post(path, data={**form, "step": "confirm"}).text, containers)
    assert browser.post(path, data={**form, "step": "open"}).status_code == httpx.codes.SEE_OTHER


def answer(browser: httpx.Client, link: str) -> None:
    """Opening the link shows the form; sending it records the answer."""
    assert browser.get(link).status_code == httpx.codes.OK
    sent = browser.post(link, data={"status": "limited", "checkin_id": str(new_id())})
    assert sent.status_code == httpx.codes.OK, sent.text


def examined(containers: Containers) -> list[str]:
    """What the doctor finds wrong when intake's container asks about intake."""
    findings = json.loads(containers.execute("intake", "doctor", "intake", "--json"))
    assert {finding["part"] for finding in findings} > {"database of intake", "bus for intake", "mail relay"}
    return [finding["problem"] for finding in findings if not finding["ok"]]


def test_the_reverse_proxy_takes_as_much_as_the_services_do() -> None:
    caddy = (ROOT / "deploy" / "Caddyfile").read_text(encoding="utf-8")

    assert re.findall(r"max_size (\w+)", caddy) == [f"{UPLOAD_LIMIT // 1024**2}MiB"]
    assert "@inside path /*/healthz /*/readyz\n\thandle @inside {\n\t\trespond 404" in caddy


def test_the_script_for_new_databases_can_be_run() -> None:
    assert os.access(ROOT / "deploy" / "postgres-init.sh", os.X_OK)
