"""The metadata service of a cloud machine, looked for before anybody waits for it.

Where there is none, packets to its address may vanish: obstore would retry for half a minute and
then talk of timeouts. One question with a short deadline tells in time, and in words.
Source: EC2 User Guide, "Use the Instance Metadata Service", version 2.
"""

from threading import Lock

from pointsman.errors import StoreMisconfigured

_TIMEOUT_SECONDS = 1.0
_TTL = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
_ROLES = "latest/meta-data/iam/security-credentials/"


class MetadataService:
    """The service at `url`; `hint` is what to do where there is none."""

    def __init__(self, url: str, hint: str) -> None:
        self.url = url
        self._hint = hint
        self._lock = Lock()
        self._found = False

    def require(self) -> None:
        """Raise `StoreMisconfigured` unless it gives this machine a role."""
        with self._lock:
            if not self._found:
                self._ask()
                self._found = True

    def _ask(self) -> None:
        from http.client import HTTPException

        try:
            token = self._answer("PUT", "latest/api/token", _TTL)
        except (OSError, HTTPException, ValueError) as error:
            raise StoreMisconfigured(
                "there are no credentials for the store in the environment, and no metadata "
                "service that could give some",
                self._hint,
            ) from error
        try:
            self._answer("GET", _ROLES, {"X-aws-ec2-metadata-token": token})
        except (OSError, HTTPException) as error:
            raise StoreMisconfigured(
                "this machine's metadata service gives no credentials: it has no role",
                f"Attach an instance profile. Or: {self._hint}",
            ) from error

    def _answer(self, method: str, path: str, headers: dict[str, str]) -> str:
        import urllib.request
        from urllib.error import HTTPError

        request = urllib.request.Request(  # noqa: S310 — http(s) only
            f"{self.url}/{path}", method=method, headers=headers
        )
        # A proxy must never see this: it would answer for another machine, or be given a token.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=_TIMEOUT_SECONDS) as answer:
                return str(answer.read(4096).decode(errors="replace"))
        except HTTPError as error:
            error.close()
            raise
