"""Decisions carried out in the media path, and taken back: the only place where a case turns into silence.

Whatever takes sound away goes the way of the hosts' own acts (:meth:`media.server.spaces.Spaces.silence`): the
relay first, the store after it.
"""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from media.moderation.case import Case
from media.moderation.decision import Action
from media.moderation.errors import ModerationError
from media.server.database_faults import UnwrittenError
from media.server.errors import Problem
from media.server.events.hub import Hub
from media.server.events.schema import WarningData
from media.server.guard import Guard
from media.server.sessions import Sessions
from media.server.spaces import Spaces
from media.space.errors import SpaceError
from media.space.space import Events, Space

log = logging.getLogger(__name__)

_OF_A_PERSON: Final = frozenset({Action.MUTE, Action.REVOKE_SPEECH, Action.REMOVE})
_MILDEST_FIRST: Final = tuple(Action)
"""So the first that takes sound away does, and none finds a person gone whom another one has taken out."""


@dataclass(slots=True)
class Effect:
    """What an action has come to."""

    action: Action
    done: bool
    said: str = ""
    """Why it could not be done, in one sentence."""
    before: bool = False
    """Whether it was so already, so that taking it back changes nothing."""

    def to_json(self) -> dict[str, Any]:
        """Return what the store keeps."""
        return {"action": self.action.value, "done": self.done, "said": self.said, "before": self.before}


def effects_of(kept: Sequence[dict[str, Any]]) -> list[Effect]:
    """Read what the store keeps."""
    return [Effect(Action(each["action"]), each["done"], each["said"], each["before"]) for each in kept]


def check_actions(case: Case, actions: Collection[Action]) -> None:
    """Pass if actions suit what a case is about.

    :raises ModerationError: they are about a person, and the case is about a Space
    """
    if case.subject.user_id is None and (wrong := _OF_A_PERSON & set(actions)):
        raise ModerationError(f"This case is about a Space, not a person; «{min(wrong)}» cannot be done about it.")
    if case.subject.affected is None and (wrong := {Action.WARN, Action.SUSPEND} & set(actions)):
        raise ModerationError(f"Nobody is known to whom «{min(wrong)}» could be done; end the Space instead.")


class Effects:
    """Carries decisions out and takes them back."""

    def __init__(self, spaces: Spaces, sessions: Sessions, guard: Guard, hub: Hub) -> None:
        self._spaces = spaces
        self._sessions = sessions
        self._guard = guard
        self._hub = hub

    async def carry_out(self, case: Case, actions: Collection[Action], by: str) -> list[Effect]:
        """Do what was decided; what cannot be done any more says why."""
        return [
            await self._try(action, lambda effect: self._do(effect, case, by))
            for action in sorted(actions, key=_MILDEST_FIRST.index)
            if action is not Action.NO_VIOLATION
        ]

    async def take_back(self, case: Case, effects: Sequence[Effect]) -> list[Effect]:
        """Undo what was done, as far as there is a way back."""
        return [
            await self._try(effect.action, lambda undone, was=effect: self._undo(undone, was, case))
            for effect in reversed(effects)
            if effect.done
        ]

    async def _try(self, action: Action, do: Callable[[Effect], Any]) -> Effect:
        effect = Effect(action, done=True)
        try:
            await do(effect)
        except UnwrittenError:
            pass  # it holds, and is written as soon as the store is back
        except (SpaceError, Problem) as refusal:
            effect.done, effect.said = False, str(refusal)
        except Exception:
            log.exception("«%s» could not be carried out.", action)
            effect.done, effect.said = False, "The server failed at this; it has noted why."
        return effect

    async def _do(self, effect: Effect, case: Case, by: str) -> None:
        space_id, person = case.subject.space_id, case.subject.affected or ""

        def mute(space: Space, now: float) -> Events:
            effect.before = space.people.known(person).muted_by_admin
            return space.mute(None, person, now)

        def remove(space: Space, now: float) -> Events:
            return space.remove(None, person, now, present=self._sessions.present(space_id, person))

        match effect.action:
            case Action.WARN:
                space = await self._spaces.get(space_id)
                warning = WarningData(space_id=space_id, title=space.title, category=case.category)
                self._hub.publish_to_user(person, "warning", warning)
            case Action.MUTE:
                await self._spaces.silence(space_id, mute)
            case Action.REVOKE_SPEECH:
                await self._spaces.silence(space_id, lambda s, now: s.step_down(None, person, now))
            case Action.REMOVE:
                await self._spaces.silence(space_id, remove)
            case Action.END_SPACE:
                await self._spaces.silence(space_id, lambda s, now: s.end(None, now))
            case Action.SUSPEND:
                effect.before = self._guard.reason(person) is not None
                if not effect.before:
                    await self._guard.suspend(person, by, f"Moderation: {case.category}.")
            case Action.NO_VIOLATION:
                pass

    async def _undo(self, effect: Effect, was: Effect, case: Case) -> None:
        space_id, person = case.subject.space_id, case.subject.affected or ""

        def restore(space: Space, now: float) -> Events:
            return space.restore(person, now, present=self._sessions.present(space_id, person))

        match was.action:
            case Action.MUTE if not was.before:
                await self._spaces.act(space_id, lambda s, now: s.unmute(None, person, now))
            case Action.REVOKE_SPEECH | Action.REMOVE:
                await self._spaces.act(space_id, restore)
            case Action.SUSPEND if not was.before:
                await self._guard.lift(person)
            case Action.END_SPACE:
                effect.done, effect.said = (
                    False,
                    "A Space that has ended does not go on; its host can start another.",
                )
            case _:
                pass
