import pytest

from entrypoints.settings.settings import load_settings
from entrypoints.workers.shares import share_of

BOUNDS = {"MAX_CONNECTIONS": "100", "MAX_IN_FLIGHT": "11", "LIVEKIT_MAX_CONNECTIONS": "3"}


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_shares_add_up_to_the_bounds_of_the_service(workers: int) -> None:
    settings = load_settings(BOUNDS)
    shares = [share_of(settings, slot, workers) for slot in range(workers)]
    assert sum(each.limits.max_connections for each in shares) == 100
    assert sum(each.livekit.limits.max_connections for each in shares) == 3
    in_flight = [each.limits.max_in_flight for each in shares]
    assert sum(in_flight) == 11
    assert in_flight == sorted(in_flight, reverse=True)
    assert max(in_flight) - min(in_flight) <= 1
    of_a_tenant = [each.limits.max_in_flight_per_tenant for each in shares]
    assert sum(of_a_tenant) == max(workers, settings.limits.max_in_flight_per_tenant)


def test_a_share_is_never_nothing() -> None:
    share = share_of(load_settings(BOUNDS), 3, 4)
    assert share.livekit.limits.max_connections == 1


def test_a_share_has_all_other_settings() -> None:
    settings = load_settings({**BOUNDS, "REQUEST_TIMEOUT_SECONDS": "7"})
    assert share_of(settings, 0, 1) == settings
    assert share_of(settings, 0, 2).limits.request_timeout_s == 7
