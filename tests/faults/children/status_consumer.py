"""Status that dies when its transaction is committed and the event is not acked yet."""

from services.status.app import make_app
from services.status.readiness.model import Verdict
from services.status.readiness.store import News, ReadinessStore
from tests.faults.children.dying import die, live, settings_of_child


def main() -> None:
    app = make_app(settings_of_child())
    readiness: ReadinessStore = app.state.readiness
    hear = readiness.hear

    async def hear_and_die(news: News) -> Verdict:
        verdict = await hear(news)
        die(f"committed, not acked: {verdict.name}")

    readiness.hear = hear_and_die  # type: ignore[method-assign]
    live(app)


if __name__ == "__main__":
    main()
