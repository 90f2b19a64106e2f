# The service, and nothing else: models come from the store at run time.
#
# `pointsman build` lays beside it what is copied here, wherever pointsman was installed from; in
# a checkout of pointsman itself, `docker build .` works too.
#
#   docker run -p 8000:8000 --read-only --tmpfs /var/cache/pointsman \
#     -e POINTSMAN_STORE=s3://bucket -e POINTSMAN_MODEL=my-model … IMAGE

ARG BASE=docker.io/library/python:3.13-slim

# What others wrote. Its layer stays the same until the lock does: a change of code moves kilobytes.
FROM ${BASE} AS dependencies
# hadolint ignore=DL3008
RUN apt-get update -qq && apt-get install -qq --no-install-recommends binutils \
    && rm -rf /var/lib/apt/lists/*
# The system's certificates, so that a build behind a company's proxy works too.
ENV UV_SYSTEM_CERTS=1 UV_NO_CACHE=1 UV_NO_PROGRESS=1
RUN python -m venv /opt/uv && /opt/uv/bin/python -m pip install --quiet --no-cache-dir uv==0.13.9
COPY service/pointsman_service/requirements.lock /opt/
RUN /opt/uv/bin/uv pip install --quiet --python "$(command -v python)" --target /opt/dependencies \
        --require-hashes --only-binary :all: --requirements /opt/requirements.lock
WORKDIR /opt/dependencies
# What no service imports (of ONNX Runtime also the library for C programs: Python's has all of it
# inside), and what only debuggers read. Stripping numpy.libs would break it. The bytecode of the
# rest is compiled here, which halves the time until the service listens.
RUN rm -rf bin onnxruntime/tools onnxruntime/transformers onnxruntime/quantization \
        onnxruntime/datasets onnxruntime/capi/libonnxruntime.so.* numpy/f2py numpy/_core/include \
        simdjson/*.cpp simdjson/*.h simdjson/*.pyx simdjson/*.pxd \
    && find . -type d -name tests -prune -exec rm -rf {} + \
    && find . -name '*.pyi' -delete \
    && find uvloop httptools obstore orjson onnxruntime -name '*.so*' -exec strip {} + \
    && find . -name 'csimdjson*.so' -exec strip {} + \
    && python -m compileall -q --invalidation-mode unchecked-hash . \
    && find . -exec touch --no-dereference --date=@0 {} +

FROM ${BASE} AS code
COPY registry/pointsman /opt/code/pointsman
COPY service/pointsman_service /opt/code/pointsman_service
RUN python -m compileall -q --invalidation-mode unchecked-hash /opt/code \
    && find /opt/code -exec touch --no-dereference --date=@0 {} +

FROM ${BASE}
RUN rm -rf /usr/local/lib/python3*/*-packages/pip /usr/local/lib/python3*/*-packages/pip-* \
        /usr/local/bin/pip* \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /var/cache/pointsman pointsman \
    && install --directory --owner pointsman --group pointsman /var/cache/pointsman
COPY --from=dependencies /opt/dependencies /opt/dependencies
COPY --from=code /opt/code /opt/code
ENV PYTHONPATH=/opt/code:/opt/dependencies \
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
