"""Mutes by scripts, and what is to come of each."""

from collections.abc import Mapping

from tests.adapters.livekit.scripted_livekit import (
    ABSENT,
    DOWN,
    HANGS,
    MUTED,
    NO_TRACK,
    NO_UNMUTE,
    REFUSED,
    THERE,
    Script,
)

Cases = Mapping[str, tuple[Script, str]]
"""Scripts, and what is to come of each: after how many seconds, after which calls."""

ANSWERED_BY_THE_MUTE: Cases = {
    "before the probe": (Script([(0.05, MUTED)]), "muted at 0.05 after M"),
    "no track twice": (
        Script([(0.05, NO_TRACK), (0.01, NO_TRACK)]),
        "no track at 0.06 after MM",
    ),
    "no track once": (Script([(0.05, NO_TRACK), (0.01, MUTED)]), "muted at 0.06 after MM"),
    "no track, then denied": (
        Script([(0.05, NO_TRACK), (0.01, ABSENT)]),
        "unavailable at 0.06 after MM",
    ),
    "no track, then never": (
        Script([(0.05, NO_TRACK), HANGS]),
        "unavailable at 5 after MM",
    ),
    "no track at the deadline": (
        Script([(0.05, NO_TRACK), HANGS], deadline_s=0.05),
        "unavailable at 0.05 after M",
    ),
    "unavailable": (Script([(0.05, DOWN)]), "unavailable at 0.05 after M"),
    "the deadline": (Script([HANGS], deadline_s=0.05), "unavailable at 0.05 after M"),
    "there, then muted": (Script([(3, MUTED)], get=(0.01, THERE)), "muted at 3 after MG"),
    "there, then unavailable": (
        Script([(3, DOWN)], get=(0.01, THERE)),
        "unavailable at 3 after MG",
    ),
    "the probe hangs": (Script([(3, MUTED)]), "muted at 3 after MG"),
    "the probe fails": (Script([(3, MUTED)], get=(0.01, DOWN)), "muted at 3 after MG"),
    "the probe is refused": (Script([(3, DOWN)], get=(0, REFUSED)), "unavailable at 3 after MG"),
    "never": (Script([HANGS], get=(0.01, THERE)), "unavailable at 5 after MG"),
}
DENIED_BY_THE_PROBE: Cases = {
    "at the end of the grace": (
        Script([HANGS], get=(0.01, ABSENT)),
        "no participant at 0.21 after MG",
    ),
    "the grace counts from its answer": (
        Script([HANGS], get=(2, ABSENT)),
        "no participant at 2.6 after MG",
    ),
    "the grace is as long as the probe took": (
        Script([HANGS], get=(0.3, ABSENT)),
        "no participant at 0.7 after MG",
    ),
    "muted in the grace": (Script([(0.19, MUTED)], get=(0, ABSENT)), "muted at 0.19 after MG"),
    "muted at the end of the grace": (
        Script([(0.2, MUTED)], get=(0, ABSENT)),
        "muted at 0.2 after MG",
    ),
    "muted late in the grace": (Script([(2.19, MUTED)], get=(2, ABSENT)), "muted at 2.19 after MG"),
    "muted after the grace": (
        Script([(0.25, MUTED)], get=(0, ABSENT)),
        "no participant at 0.2 after MG",
    ),
    "no track in the grace": (
        Script([(0.15, NO_TRACK), (0.01, NO_TRACK)], get=(0, ABSENT)),
        "no track at 0.16 after MGM",
    ),
    "unavailable in the grace": (
        Script([(0.15, DOWN)], get=(0, ABSENT)),
        "unavailable at 0.15 after MG",
    ),
    "denied by the mute in the grace": (
        Script([(0.15, ABSENT)], get=(0, ABSENT)),
        "no participant at 0.15 after MG",
    ),
    "the deadline in the grace": (
        Script([HANGS], get=(0, ABSENT), deadline_s=0.15),
        "unavailable at 0.15 after MG",
    ),
}
DENIED_BY_THE_MUTE: Cases = {
    "and by the check": (
        Script([(0.01, ABSENT)], get=(0.01, ABSENT)),
        "no participant at 0.02 after MG",
    ),
    "the check fails": (Script([(0.01, ABSENT)], get=(0.01, DOWN)), "unavailable at 0.02 after MG"),
    "the check is refused": (
        Script([(0.01, ABSENT)], get=(0.01, REFUSED)),
        "unavailable at 0.02 after MG",
    ),
    "the check hangs": (Script([(0.01, ABSENT)], get=HANGS), "unavailable at 5 after MG"),
    "there, then muted": (
        Script([(0.01, ABSENT), (0.01, MUTED)], get=(0.01, THERE)),
        "muted at 0.03 after MGM",
    ),
    "there, then muted late": (
        Script([(0.01, ABSENT), (2, MUTED)], get=(0.01, THERE)),
        "muted at 2.02 after MGM",
    ),
    "there, then no track": (
        Script([(0.01, ABSENT), (0.01, NO_TRACK)], get=(0.01, THERE)),
        "no track at 0.03 after MGM",
    ),
    "there, then no unmute": (
        Script([(0.01, ABSENT), (0.01, NO_UNMUTE)], get=(0.01, THERE), muted=False),
        "no unmute at 0.03 after MGM",
    ),
    "there, then refused": (
        Script([(0.01, ABSENT), (0.01, REFUSED)], get=(0.01, THERE)),
        "refused at 0.03 after MGM",
    ),
    "there, then unavailable": (
        Script([(0.01, ABSENT), (3, DOWN)], get=(0.01, THERE)),
        "unavailable at 3.02 after MGM",
    ),
    "there, then denied again": (
        Script([(0.01, ABSENT), (0.01, ABSENT)], get=(0.01, THERE)),
        "unavailable at 0.03 after MGM",
    ),
    "there, then never": (
        Script([(0.01, ABSENT), HANGS], get=(0.01, THERE)),
        "unavailable at 5 after MGM",
    ),
    "there, at the deadline": (
        Script([(0.01, ABSENT), HANGS], get=(0.04, THERE), deadline_s=0.04),
        "unavailable at 0.04 after MG",
    ),
}
DENIED_BY_THE_MUTE_BESIDE_THE_PROBE: Cases = {
    "found before": (
        Script([(3, ABSENT), (0.01, MUTED)], get=(0.01, THERE)),
        "muted at 3.01 after MGM",
    ),
    "found before, then denied again": (
        Script([(3, ABSENT), (0.01, ABSENT)], get=(0.01, THERE)),
        "unavailable at 3.01 after MGM",
    ),
    "failed before": (Script([(3, ABSENT)], get=(0.01, DOWN)), "unavailable at 3 after MG"),
    "found after": (
        Script([(0.3, ABSENT), (0.01, MUTED)], get=(0.5, THERE)),
        "muted at 0.61 after MGM",
    ),
    "denied after": (Script([(0.3, ABSENT)], get=(0.5, ABSENT)), "no participant at 0.6 after MG"),
    "failed after": (Script([(0.3, ABSENT)], get=(0.5, DOWN)), "unavailable at 0.6 after MG"),
    "never": (Script([(0.3, ABSENT)]), "unavailable at 5 after MG"),
}
WITHOUT_AN_ID: Cases = {
    "before the probe": (Script([(0.05, MUTED)], rooms=(0, None)), "muted at 0.05 after M"),
    "the room is missing, and GetParticipant hangs": (
        Script([HANGS], rooms=(0.01, None)),
        "no participant at 0.21 after MGL",
    ),
    "the room is missing, and GetParticipant fails": (
        Script([HANGS], get=(0.005, DOWN), rooms=(0.01, None)),
        "unavailable at 5 after MGL",
    ),
    "the room is missing, and GetParticipant fails in the grace": (
        Script([HANGS], get=(0.05, REFUSED), rooms=(0.01, None)),
        "unavailable at 5 after MGL",
    ),
    "the room is missing, and GetParticipant denies too": (
        Script([HANGS], get=(0.05, ABSENT), rooms=(0.01, None)),
        "no participant at 0.21 after MGL",
    ),
    "GetParticipant denies, and the room is missing too": (
        Script([HANGS], get=(0.01, ABSENT), rooms=(0.05, None)),
        "no participant at 0.21 after MGL",
    ),
    "GetParticipant denies, and the room is there": (
        Script([HANGS], get=(0.05, ABSENT), rooms=(0.01, THERE)),
        "no participant at 0.25 after MGL",
    ),
    "muted in the grace": (Script([(0.2, MUTED)], rooms=(0.01, None)), "muted at 0.2 after MGL"),
    "muted after GetParticipant failed in the grace": (
        Script([(0.2, MUTED)], get=(0.05, DOWN), rooms=(0.01, None)),
        "muted at 0.2 after MGL",
    ),
    "a missing room whose participant is found after": (
        Script([(3, MUTED)], get=(0.05, THERE), rooms=(0.01, None)),
        "muted at 3 after MGL",
    ),
    "a missing room whose participant was found before": (
        Script([(3, MUTED)], get=(0.01, THERE), rooms=(0.05, None)),
        "muted at 3 after MGL",
    ),
    "a missing room whose participant is found too late": (
        Script([HANGS], get=(0.5, THERE), rooms=(0.01, None)),
        "no participant at 0.21 after MGL",
    ),
    "the room is there": (Script([(3, DOWN)], rooms=(0.01, THERE)), "unavailable at 3 after MGL"),
    "the room cannot be read": (Script([(3, MUTED)], rooms=(0.01, DOWN)), "muted at 3 after MGL"),
    "neither can be read": (
        Script([(3, MUTED)], get=(0.01, REFUSED), rooms=(0.01, REFUSED)),
        "muted at 3 after MGL",
    ),
    "nothing answers": (Script([HANGS], rooms=HANGS), "unavailable at 5 after MGL"),
    "denied by the mute, and by the check": (
        Script([(0.01, ABSENT)], get=(0.01, ABSENT), rooms=(0, None)),
        "no participant at 0.02 after MG",
    ),
    "denied by the mute, and the check fails": (
        Script([(0.01, ABSENT)], get=(0.01, DOWN), rooms=(0, None)),
        "unavailable at 0.02 after MG",
    ),
    "denied by the mute in a missing room": (
        Script([(0.01, ABSENT)], rooms=(0.01, None)),
        "no participant at 0.21 after MGL",
    ),
    "denied by the mute in the grace": (
        Script([(0.15, ABSENT)], rooms=(0.01, None)),
        "no participant at 0.21 after MGL",
    ),
    "denied by the mute in a missing room, and the check has failed": (
        Script([(0.15, ABSENT)], get=(0.005, DOWN), rooms=(0.01, None)),
        "unavailable at 0.15 after MGL",
    ),
    "denied by the mute in a missing room, and the check fails": (
        Script([(0.01, ABSENT)], get=(0.15, DOWN), rooms=(0.01, None)),
        "unavailable at 0.16 after MGL",
    ),
    "denied by the mute in a missing room, and the deadline in the grace": (
        Script([(0.01, ABSENT)], rooms=(0.01, None), deadline_s=0.15),
        "unavailable at 0.15 after MGL",
    ),
    "denied by the mute, and found late": (
        Script([(0.01, ABSENT), (0.01, MUTED)], get=(0.5, THERE), rooms=(0.01, THERE)),
        "muted at 0.52 after MGLM",
    ),
    "denied by the mute in a missing room, and found in the grace": (
        Script([(0.15, ABSENT), (0.01, MUTED)], get=(0.08, THERE), rooms=(0.01, None)),
        "muted at 0.19 after MGLM",
    ),
    "denied by the mute twice, and found": (
        Script([(0.01, ABSENT), (0.01, ABSENT)], get=(0.5, THERE), rooms=(0.01, THERE)),
        "unavailable at 0.52 after MGLM",
    ),
    "the deadline in the grace": (
        Script([HANGS], rooms=(0.01, None), deadline_s=0.15),
        "unavailable at 0.15 after MGL",
    ),
    "the deadline before the room is looked for": (
        Script([(0.01, ABSENT)], rooms=(0.01, None), deadline_s=0.05),
        "unavailable at 0.05 after MG",
    ),
}
ALL = {
    (group, name): case
    for group, cases in {
        "answered by the mute": ANSWERED_BY_THE_MUTE,
        "denied by the probe": DENIED_BY_THE_PROBE,
        "denied by the mute": DENIED_BY_THE_MUTE,
        "denied by the mute beside the probe": DENIED_BY_THE_MUTE_BESIDE_THE_PROBE,
        "without an id": WITHOUT_AN_ID,
    }.items()
    for name, case in cases.items()
}
