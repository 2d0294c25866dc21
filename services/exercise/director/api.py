"""API: the live board of an exercise as server-sent events, one rendering for all who look."""

from uuid import UUID

from starlette.requests import Request
from starlette.routing import Route

from services.exercise.director.model import BoardLook
from services.exercise.exercise.store import ExerciseStore, NoSuchExerciseError
from shared import live
from shared.clock import Clock
from shared.identity import Role, Sessions, Staff


class LiveBoard(live.LiveEndpoint[BoardLook]):
    """`/exercises/{exercise_id}/live`: for those who lead exercises."""

    roles = (Role.EXERCISE_LEADER,)

    def __init__(self, hub: live.Hub[BoardLook], *, exercises: ExerciseStore, sessions: Sessions, clock: Clock) -> None:
        super().__init__(hub, sessions=sessions, clock=clock)
        self._exercises = exercises

    def route(self) -> Route:
        """The route at which it is served."""
        return Route("/exercises/{exercise_id:uuid}/live", self, methods=["GET"])

    async def key(self, request: Request, staff: Staff) -> BoardLook | None:  # noqa: ARG002 - every leader sees the same
        """The exercise, in the reader's language."""
        exercise_id: UUID = request.path_params["exercise_id"]
        try:
            await self._exercises.one(exercise_id)
        except NoSuchExerciseError:
            return None
        return BoardLook(exercise_id, request.state.locale)
