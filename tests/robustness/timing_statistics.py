"""Statistics that show whether two kinds of requests take different times."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from statistics import fmean, quantiles

PERCENTILES = (100, 99, 95, 90, 75, 50)
"""Times above each of these percentiles are discarded in turn, as dudect does.

See "Dude, is my code constant time?", https://eprint.iacr.org/2016/1123.
"""

Times = Sequence[float]


def greatest_t(times: Mapping[str, Times]) -> Mapping[str, float]:
    """Return the greatest |t| of each pair of kinds, with outliers and without."""
    return {
        f"{one} and {other}": max(
            abs(welch_t(*pair)) for pair in _cropped(times[one], times[other])
        )
        for one, other in combinations(times, 2)
    }


def welch_t(one: Times, other: Times) -> float:
    """Return Welch's t: the difference of two means in units of its standard error."""
    means = fmean(one), fmean(other)
    error = math.sqrt(_variance(one, means[0]) / len(one) + _variance(other, means[1]) / len(other))
    return (means[0] - means[1]) / error if error else math.copysign(math.inf, means[0] - means[1])


def _variance(times: Times, mean: float) -> float:
    return fmean([(each - mean) ** 2 for each in times])


def _cropped(one: Times, other: Times) -> Iterator[tuple[Times, Times]]:
    """Discard the longest times of both, unless fewer than a tenth of either would remain."""
    cuts = [*quantiles([*one, *other], n=100), math.inf]
    for percentile in PERCENTILES:
        bound = cuts[percentile - 1]
        both = [each for each in one if each <= bound], [each for each in other if each <= bound]
        if min(map(len, both)) >= len(one) / 10:
            yield both
