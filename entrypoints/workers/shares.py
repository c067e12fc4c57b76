"""The part of each bound that one worker has."""

from attrs import evolve

from entrypoints.settings.settings import Settings


def share_of(settings: Settings, slot: int, workers: int) -> Settings:
    """Return the settings of one worker, whose bounds add up to those of the whole service.

    The remainder goes to the first workers. No bound is less than 1, so that more workers than a
    bound exceed it.

    Args:
        settings: of the service.
        slot: the worker's place, from 0 on.
        workers: how many there are.
    """

    def part(bound: int) -> int:
        return max(1, bound // workers + (slot < bound % workers))

    limits, livekit = settings.limits, settings.livekit
    return evolve(
        settings,
        limits=evolve(
            limits,
            max_connections=part(limits.max_connections),
            max_in_flight=part(limits.max_in_flight),
            max_in_flight_per_tenant=part(limits.max_in_flight_per_tenant),
        ),
        livekit=evolve(
            livekit,
            limits=evolve(livekit.limits, max_connections=part(livekit.limits.max_connections)),
        ),
    )
