# The service, and nothing else: models come from the store at run time.
#
#   docker build -t my-model .
#   docker run -p 8000:8000 -e POINTSMAN_STORE=s3://bucket -e POINTSMAN_MODEL=my-model … my-model

FROM python:3.13-slim AS build
WORKDIR /build
# uv is the installer here as in the Makefile; it stays in this stage.
RUN python -m pip install --no-cache-dir uv==0.13.9
COPY requirements.lock ./
COPY registry ./registry
COPY service ./service
# A relocatable environment without bytecode: the second stage needs no compiler, pip or uv.
# The system's certificates, so that a build behind a company's proxy works too.
ENV UV_SYSTEM_CERTS=1
RUN uv venv --relocatable /opt/pointsman \
    && uv pip install --no-cache --python /opt/pointsman/bin/python \
        --constraint requirements.lock --build-constraint requirements.lock \
        "./registry[runtime]" ./service

FROM python:3.13-slim
LABEL org.opencontainers.image.title="pointsman service" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /var/cache/pointsman pointsman \
    && install --directory --owner pointsman --group pointsman /var/cache/pointsman
COPY --from=build /opt/pointsman /opt/pointsman
ENV PATH=/opt/pointsman/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ORT_DISABLE_TELEMETRY=1 \
    POINTSMAN_CACHE_DIR=/var/cache/pointsman \
    POINTSMAN_LOG_FORMAT=json \
    PORT=8000
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/health\", timeout=2)"]
STOPSIGNAL SIGTERM
# One process: ONNX Runtime uses the cores, and more capacity is more instances.
ENTRYPOINT ["python", "-m", "pointsman_service"]
