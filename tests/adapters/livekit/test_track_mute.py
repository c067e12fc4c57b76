"""Whom LiveKit denies, and whether that is believed; in virtual time."""

import asyncio
import random

from tests.adapters.livekit.mute_scripts import ALL, DENIED_BY_THE_MUTE
from tests.adapters.livekit.scripted_livekit import (
    ABSENT,
    DEADLINE_S,
    DOWN,
    MUTED,
    NO_TRACK,
    PROBE_DELAY_S,
    REFUSED,
    THERE,
    Outcome,
    Script,
    ScriptedLiveKit,
    outcome_of,
)
from tests.support.virtual_time import run_in_virtual_time


def random_script(chance: random.Random) -> Script:
    def answer(*possible: object) -> tuple[float, object]:
        return chance.choice((0.0, 0.01, 0.09, 0.1, 0.15, 0.2, 0.3, 3, 9)), chance.choice(possible)

    return Script(
        [answer(MUTED, NO_TRACK, ABSENT, ABSENT, DOWN, REFUSED) for _ in range(2)],
        get=answer(THERE, ABSENT, DOWN, REFUSED),
        rooms=answer(THERE, None, DOWN) if chance.random() < 0.5 else None,
        deadline_s=chance.choice((0.05, 0.15, 0.25, DEADLINE_S)),
    )


def is_within_bounds(script: Script, outcome: Outcome) -> bool:
    calls = outcome.calls
    return (
        outcome.what in ("muted", "no track", "no participant", "unavailable", "refused")
        and outcome.at_s <= script.deadline_s
        and outcome.under_way == 0
        and calls.count("M") <= 2
        and calls.count("G") <= 1
        and calls.count("L") <= (script.rooms is not None)
    )


def is_certain(script: Script, outcome: Outcome) -> bool:
    """Return whether GetParticipant denied the participant, or ListRooms the room before it."""
    after_s, found = script.get
    has_answered = PROBE_DELAY_S + after_s < outcome.at_s
    denies_room = script.rooms is not None and script.rooms[1] is None
    return found is ABSENT or (denies_room and not has_answered)


async def cancelled(script: Script, after_s: float) -> Outcome:
    livekit = ScriptedLiveKit(script)
    mute = asyncio.create_task(livekit.mute())
    await asyncio.sleep(after_s)
    mute.cancel()
    await asyncio.wait({mute})
    return await livekit.outcome(asyncio.CancelledError() if mute.cancelled() else mute.result())


class TestTrackMute:
    def test_reports_an_absence_only_where_no_answer_contradicts_it(self) -> None:
        wrong = {}
        for name, (script, expected) in ALL.items():
            found = str(outcome_of(script))
            if found != expected:
                wrong[name] = found
        assert wrong == {}

    def test_says_why_it_does_not_know(self) -> None:
        why = "answered not_found, and the participant is unknown: "
        twice = "answered not_found about a participant who was there just before"
        reasons = {
            "the check fails": f"{why}answered 503 with unavailable",
            "the check is refused": f"{why}answered 401 with unauthenticated",
            "the check hangs": f"{why}no answer before the deadline",
            "there, then denied again": twice,
        }
        found = {name: outcome_of(DENIED_BY_THE_MUTE[name][0]).reason for name in reasons}
        assert found == reasons

    def test_keeps_its_bounds_whatever_livekit_answers(self) -> None:
        chance = random.Random(1)  # noqa: S311 - it only has to be the same again
        absences, wrong = 0, []
        for _ in range(2000):
            script = random_script(chance)
            outcome = outcome_of(script)
            is_absence = outcome.what == "no participant"
            absences += is_absence
            is_good = is_within_bounds(script, outcome)
            if not is_good or (is_absence and not is_certain(script, outcome)):
                wrong.append((script, outcome))
        assert wrong == []
        assert absences > 100

    def test_ends_all_calls_when_it_is_cancelled(self) -> None:
        """Every 10 ms of the first half second, in which most events are."""
        wrong = {}
        for name, (script, _) in ALL.items():
            ends_ms = round(outcome_of(script).at_s * 1000)
            for after_ms in range(0, min(500, ends_ms), 10):
                ended = run_in_virtual_time(cancelled(script, after_ms / 1000))
                if (ended.what, ended.at_s, ended.under_way) != ("cancelled", after_ms / 1000, 0):
                    wrong[name, after_ms] = ended
        assert wrong == {}
