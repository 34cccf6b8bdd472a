"""What a viewer may send: queries, and nothing that changes or starts anything.

``dagster-webserver --read-only`` asks for a permission in each mutation by itself, so one that a later version forgets
would be open. Belongs here: an ASGI application in front of it that lets no mutation through at all. Does not belong
here: who a request is from (``ui_guard.py``).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from graphql import GraphQLError, OperationDefinitionNode, OperationType, parse
from starlette.requests import Request
from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MOST_BYTES = 10_000_000
_READS = ("GET", "HEAD")


class ReadOnly:
    """Passes reads to an application; of what is posted, GraphQL queries alone."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse or pass on one request. GraphQL's websocket carries subscriptions only, which change nothing."""
        if scope["type"] != "http" or scope["method"] in _READS:
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        content = b""
        async for part in request.stream():
            content += part
            if len(content) > _MOST_BYTES:
                break
        if scope["method"] != "POST" or not _is_graphql(scope["path"]) or not is_query(content):
            answer = JSONResponse({"error": "viewers may read, and change or start nothing"}, status_code=403)
            await answer(scope, receive, send)
            return
        parts: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]

        async def again() -> Message:
            return parts.pop() if parts else await receive()

        await self.app(scope, again, send)


def _is_graphql(path: str) -> bool:
    return path.rstrip("/").endswith("/graphql")


def is_query(content: bytes) -> bool:
    """Whether the content of a request to GraphQL is one document without a mutation.

    What cannot be read is none: it is refused here, so that nobody reads it in another way.
    """
    try:
        document = parse(json.loads(content)["query"])
    except (ValueError, KeyError, TypeError, RecursionError, GraphQLError):
        return False
    return not any(
        isinstance(each, OperationDefinitionNode) and each.operation is OperationType.MUTATION
        for each in document.definitions
    )
