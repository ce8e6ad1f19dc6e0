"""``/docs`` without the internet: the page's script and style come from an installed package."""

from __future__ import annotations

from importlib.resources import files

import fastapi_offline
from fastapi import APIRouter
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import FileResponse, Response

__all__ = ["docs_router"]

_ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon.png": "image/png",
}
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:"
)


def docs_router(title: str) -> APIRouter:
    """``/docs`` and the three files it loads, from the static folder of ``fastapi_offline``."""
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    async def docs(request: Request) -> Response:
        root = request.scope.get("root_path", "")
        page = get_swagger_ui_html(
            openapi_url=f"{root}/openapi.json",
            title=title,
            swagger_js_url=f"{root}/docs/swagger-ui-bundle.js",
            swagger_css_url=f"{root}/docs/swagger-ui.css",
            swagger_favicon_url=f"{root}/docs/favicon.png",
        )
        page.headers["content-security-policy"] = _POLICY
        return page

    @router.get("/docs/{asset}")
    async def docs_asset(asset: str) -> Response:
        if asset not in _ASSETS:
            return Response(status_code=404)
        path = str(files(fastapi_offline).joinpath("static", asset))
        return FileResponse(
            path, media_type=_ASSETS[asset], headers={"cache-control": "max-age=86400"}
        )

    return router
