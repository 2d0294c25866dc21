"""Notify as it is, by a clock that runs faster than time from the moment named on the command line."""

import sys
from datetime import datetime

from services.notify.app import make_app
from tests.faults.children.dying import live, settings_of_child
from tests.faults.hastened import Hastened

LIFE = 3600.0


def main() -> None:
    live(make_app(settings_of_child(), clock=Hastened(datetime.fromisoformat(sys.argv[1]))), life=LIFE)


if __name__ == "__main__":
    main()
