"""What FastAPI does here: `/docs`, `/redoc`, `/openapi.json`, and every path that is not there.

Importing it takes longer than loading a small model, so the front imports this module when the
first such request comes.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import Request

from pointsman_service.api import openapi
from pointsman_service.service import Service


def application(service: Service) -> FastAPI:
    """Return the FastAPI application that stands behind the front."""
    app = FastAPI(title=service.settings.model)

    def schema() -> dict[str, Any]:
        stable = service.router.stable
        manifest = stable.version.manifest if stable else None
        return openapi.document(
            service.settings.model,
            manifest,
            api_keys=bool(service.api_keys),
            admin_keys=bool(service.admin_keys),
        )

    app.openapi = schema  # type: ignore[method-assign]
    app.add_exception_handler(HTTPException, _refuse)
    return app


async def _refuse(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 — registered for nothing else
    return JSONResponse({"error": str(error.detail)}, error.status_code, error.headers)
