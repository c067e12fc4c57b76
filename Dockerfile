FROM python:3.13-slim AS build
WORKDIR /src
COPY . .
ENV PIP_CONSTRAINT=/src/constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv && /venv/bin/pip install --quiet '.[otel]'

FROM python:3.13-slim
COPY --from=build /venv /venv
USER 65532:65532
ENV HOST=0.0.0.0 PORT=3001 PATH=/venv/bin:$PATH
EXPOSE 3001
# The service alone: if LiveKit's state counted, an outage of LiveKit would restart it.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["livekit-mute", "check", "--live"]
ENTRYPOINT ["livekit-mute"]
CMD ["serve"]
