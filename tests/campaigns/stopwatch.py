"""Times of kinds of the same thing, taken in turns, and whether they tell the kinds apart."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from statistics import fmean, quantiles

KEPT = (100, 99, 95, 90, 75, 50)
"""How many of a hundred times are kept, the longest left out, as dudect does.

See "Dude, is my code constant time?", https://eprint.iacr.org/2016/1123.
"""

Times = Sequence[float]


def apart(times: Mapping[str, Times]) -> Mapping[str, float]:
    """Tell of each two kinds how far apart they are at most: |t|, outliers left out or not."""
    return {
        f"{one} and {other}": max(abs(welch_t(*kept)) for kept in _kept(times[one], times[other]))
        for one, other in combinations(times, 2)
    }


def welch_t(one: Times, other: Times) -> float:
    """Tell by how much two means differ, in units of what chance makes of them."""
    means = fmean(one), fmean(other)
    spread = math.sqrt(
        _variance(one, means[0]) / len(one) + _variance(other, means[1]) / len(other)
    )
    return (
        (means[0] - means[1]) / spread if spread else math.copysign(math.inf, means[0] - means[1])
    )


def _variance(times: Times, mean: float) -> float:
    return fmean([(each - mean) ** 2 for each in times])


def _kept(one: Times, other: Times) -> Iterator[tuple[Times, Times]]:
    """Leave out the longest of both; not where little but one of the two would be left."""
    cuts = [*quantiles([*one, *other], n=100), math.inf]
    for kept in KEPT:
        bound = cuts[kept - 1]
        both = [each for each in one if each <= bound], [each for each in other if each <= bound]
        if min(map(len, both)) >= len(one) / 10:
            yield both
