from collections.abc import Mapping

import pytest

from entrypoints.tracing.tracing import TracingProblemError, make_tracing, makes_spans

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}


class TestSpans:
    @pytest.mark.parametrize(
        ("variables", "are_made"),
        [
            ({}, False),
            ({"OTEL_SERVICE_NAME": "mute", "OTEL_TRACES_SAMPLER": "always_on"}, False),
            ({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, False),
            (ENDPOINT, True),
            ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
            ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
            (ENDPOINT | {"OTEL_TRACES_EXPORTER": "none"}, False),
            (ENDPOINT | {"OTEL_SDK_DISABLED": "true"}, False),
            (ENDPOINT | {"OTEL_SDK_DISABLED": "TRUE", "OTEL_TRACES_EXPORTER": "zipkin"}, False),
            (ENDPOINT | {"OTEL_SDK_DISABLED": "false"}, True),
            (ENDPOINT | {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, True),
            (
                ENDPOINT
                | {
                    "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
                    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
                },
                True,
            ),
            ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, False),
        ],
    )
    def test_are_made_where_the_standard_variables_say_so(
        self, variables: Mapping[str, str], are_made: bool
    ) -> None:
        assert makes_spans(variables) is are_made

    @pytest.mark.parametrize(
        ("variables", "name"),
        [
            ({"OTEL_TRACES_EXPORTER": "console"}, "OTEL_TRACES_EXPORTER"),
            (ENDPOINT | {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL"),
        ],
    )
    def test_are_not_made_in_ways_that_are_not_supported(
        self, variables: Mapping[str, str], name: str
    ) -> None:
        with pytest.raises(TracingProblemError, match=name):
            makes_spans(variables)
        [problem] = make_tracing(variables, urls={}, version="").problems
        assert name in problem
