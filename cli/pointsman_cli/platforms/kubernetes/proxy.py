"""A way to a service that has no public address: `kubectl proxy`, through the API server."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from pointsman_cli import process
from pointsman_cli.platforms.base import Way
from pointsman_cli.platforms.kubernetes import cluster
from pointsman_cli.platforms.kubernetes.kubectl import Kubectl

_SERVING = re.compile(r"Starting to serve on (\S+:\d+)")


@contextmanager
def through(kubectl: Kubectl, namespace: str) -> Iterator[Way]:
    """Yield a way to the Service while the block runs; raises `CommandError` if there is none.

    Source: Kubernetes "Access Services Running on Clusters". The API server keeps the header
    `Authorization` for itself: a key of the service's own goes into another one.
    """
    with process.stream(kubectl.proxy()) as running:
        for line in running.lines:
            if match := _SERVING.search(line.text):
                path = f"api/v1/namespaces/{namespace}/services/{kubectl.name}:http/proxy"
                yield Way(f"http://{match[1]}/{path}")
                return
        raise cluster.refusal(running.said())
