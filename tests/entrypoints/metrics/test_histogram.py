from entrypoints.metrics.histogram import Histogram


def samples(histogram: Histogram) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for sample in histogram.family().samples
    }


class TestHistogram:
    def test_adds_up_what_is_at_most_each_bound(self) -> None:
        histogram = Histogram(name="h", help="", bounds=(1.0, 2.5))
        for value in (0.5, 1.0, 1.5, 4.0):
            histogram.add([((), value)])
        assert samples(histogram) == {
            ("h_bucket", "1.0"): 2,
            ("h_bucket", "2.5"): 3,
            ("h_bucket", "+Inf"): 4,
            ("h_count",): 4,
            ("h_sum",): 7.0,
        }

    def test_keeps_labels_apart(self) -> None:
        histogram = Histogram(name="h", help="", labels=("code",), bounds=(1.0,))
        histogram.add([(("a",), 0.5)])
        histogram.add([(("b",), 2.0)])
        found = samples(histogram)
        assert (found["h_bucket", "a", "1.0"], found["h_bucket", "b", "1.0"]) == (1, 0)
        assert (found["h_sum", "a"], found["h_sum", "b"]) == (0.5, 2.0)

    def test_shows_what_an_alert_waits_for_from_the_start(self) -> None:
        histogram = Histogram(name="h", help="", labels=("code",), initial=[("a",)])
        assert samples(histogram)["h_count", "a"] == 0
        histogram.add([(("a",), 1.0)])
        assert samples(histogram)["h_count", "a"] == 1
