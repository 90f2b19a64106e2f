"""Every key of a fly.toml, as flyctl 0.4.87 reads it; what is not here, flyctl ignores silently.

From flyctl's `internal/appconfig` (config.go, service.go, toplevelcheck.go) and fly-go's
`machine_types.go`. A list of tables is described like one table. flyctl says nothing of a key
that it does not know, unless it is asked to (`fly config validate --strict`).
"""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

_ANY: dict[str, Any] = {"*": None}
"""A table whose keys are the user's own."""


def _names(text: str) -> dict[str, Any]:
    return dict.fromkeys(text.split())


_MACHINE_CHECK = _names("command image entrypoint kill_signal kill_timeout")
_TIMES = _names("interval timeout grace_period restart_limit")
_HTTP = _names("method path protocol tls_skip_verify tls_server_name") | {"headers": _ANY}
_CHECK = _TIMES | _HTTP
_CONCURRENCY = _names("type soft_limit hard_limit")
_TLS = _names("alpn versions default_self_signed")
_HTTP_OPTIONS = _names("compress h2_backend idle_timeout headers_read_timeout") | {
    "response": {"headers": _ANY, "pristine": None},
    "replay_cache": _names("path_prefix ttl_seconds type name allow_bypass"),
}
_VM = _names(
    "size memory cpu_kind cpus memory_mb max_memory_mb gpus gpu_kind host_dedication_id "
    "persist_rootfs kernel_args processes"
)
_SERVICE = _names(
    "internal_port processes auto_stop_machines auto_start_machines min_machines_running"
) | {"concurrency": _CONCURRENCY, "machine_checks": _MACHINE_CHECK}
_PORT = _names("port start_port end_port handlers force_https") | {
    "tls_options": _TLS,
    "http_options": _HTTP_OPTIONS,
    "proxy_proto_options": _names("version"),
}

KEYS: dict[str, Any] = _names(
    "app primary_region kill_signal kill_timeout swap_size_mb console_command host_dedication_id "
    "machine_config container"
) | {
    "experimental": _names(
        "cmd entrypoint exec auto_rollback enable_consul enable_etcd lazy_load_images "
        "machine_config"
    )
    | {"attached": {"secrets": {"export": _ANY}}},
    "build": _names(
        "builder image builtin dockerfile ignorefile build-target buildpacks compression "
        "compression_level"
    )
    | {"args": _ANY, "settings": _ANY, "compose": _names("file")},
    "deploy": _names(
        "strategy max_unavailable wait_timeout release_command release_command_timeout seed_command"
    )
    | {"release_command_vm": _VM},
    "env": _ANY,
    "processes": _ANY,
    "mounts": _names(
        "source destination initial_size snapshot_retention scheduled_snapshots "
        "auto_extend_size_threshold auto_extend_size_increment auto_extend_size_limit processes"
    ),
    "http_service": _SERVICE
    | {"force_https": None, "tls_options": _TLS, "http_options": _HTTP_OPTIONS, "checks": _CHECK},
    "services": _SERVICE
    | {"protocol": None, "ports": _PORT, "tcp_checks": _TIMES, "http_checks": _CHECK},
    "checks": {"*": _CHECK | _names("port type processes")},
    "machine_checks": _MACHINE_CHECK,
    "files": _names("guest_path local_path secret_name raw_value processes"),
    "restart": _names("policy retries processes"),
    "vm": _VM,
    "statics": _names("guest_path url_prefix tigris_bucket index_document"),
    "metrics": _names("port path https processes"),
}


def unknown(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield every key that flyctl ignores, with the key that was probably meant, or ""."""
    yield from _unknown(values, KEYS, "")


def _unknown(values: Any, known: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    if isinstance(values, list):
        for each in values:
            yield from _unknown(each, known, path)
    if not isinstance(values, dict):
        return
    for key, value in values.items():
        if key not in known and "*" not in known:
            close = difflib.get_close_matches(key, known, n=1)
            yield path + key, path + close[0] if close else ""
        elif below := known.get(key, known.get("*")):
            yield from _unknown(value, below, f"{path}{key}.")
