"""The settings of limits and timeouts of the HTTP server."""

from entrypoints.http.limits import Limits
from entrypoints.settings.environment import Setting, SettingGroup
from entrypoints.settings.parsers import integer, seconds

LIMITS = SettingGroup(
    Limits,
    {
        "max_connections": Setting(
            "MAX_CONNECTIONS",
            integer(1, 65536),
            "Maximum client connections."
            " The next 256 get 503 `OVERLOADED`; further ones are closed immediately.",
        ),
        "max_in_flight": Setting(
            "MAX_IN_FLIGHT",
            integer(1, 65536),
            "Maximum concurrent requests; further ones get 503 `OVERLOADED`. A request counts"
            " once its body is complete; as many again may be receiving theirs."
            " Liveness probes (`/` and `/livez`) are exempt.",
        ),
        "max_in_flight_per_tenant": Setting(
            "MAX_IN_FLIGHT_PER_TENANT",
            integer(1, 65536),
            "Each tenant's share of `MAX_IN_FLIGHT`, see [`operation.md`](docs/operation.md"
            "#a-fair-share-for-each-tenant). It binds only while others want in."
            " Default: a quarter, at least 1.",
        ),
        "max_line_bytes": Setting(
            "MAX_LINE_BYTES",
            integer(256, 65536),
            "Maximum length of the request line and of each header.",
        ),
        "max_body_bytes": Setting(
            "MAX_BODY_BYTES", integer(256, 1 << 20), "Maximum size of a request body."
        ),
        "max_token_bytes": Setting(
            "MAX_TOKEN_BYTES", integer(1, 65536), "Maximum length of a caller's token."
        ),
        "max_track_sid_characters": Setting(
            "MAX_TRACK_SID_CHARACTERS",
            integer(1, 1024),
            "Maximum length of `track_sid`, which LiveKit forwards to the participant's client.",
        ),
        "headers_timeout_s": Setting(
            "HEADERS_TIMEOUT_SECONDS",
            seconds(300),
            "Timeout for receiving a request's headers; then the connection is closed."
            " For the first request it starts when the connection is made.",
        ),
        "body_timeout_s": Setting(
            "BODY_TIMEOUT_SECONDS",
            seconds(300),
            "Timeout for receiving a request's body; then 408 `REQUEST_TIMEOUT` is sent."
            " Also the timeout for the client to receive the response;"
            " then the connection is closed.",
        ),
        "idle_timeout_s": Setting(
            "IDLE_TIMEOUT_SECONDS",
            seconds(3600),
            "How long a connection may be idle between two requests; then it is closed.",
        ),
        "request_timeout_s": Setting(
            "REQUEST_TIMEOUT_SECONDS",
            seconds(300),
            "Timeout of a whole request: receiving the body, authentication and LiveKit."
            " It starts when the request arrives or, if it was pipelined, when its turn comes.",
        ),
        "ready_timeout_s": Setting(
            "READY_TIMEOUT_SECONDS",
            seconds(60),
            "Timeout of a readiness probe (`/readyz`), at most 60; then 503 `NOT_READY` is sent."
            " Keep it below the timeout of whoever probes: that of a kubelet is 1 by default.",
        ),
        "leave_delay_s": Setting(
            "LEAVE_DELAY_SECONDS",
            seconds(300),
            "Graceful shutdown: how long new requests are still served, until load balancers have"
            " learned that this instance leaves.",
        ),
        "drain_timeout_s": Setting(
            "DRAIN_TIMEOUT_SECONDS",
            seconds(300),
            "Graceful shutdown: how long requests in flight may take to finish.",
        ),
    },
)
