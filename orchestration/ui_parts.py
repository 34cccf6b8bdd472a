"""What ``stegvis ui`` starts, and where the reverse proxy of ``deploy/`` serves it."""

from __future__ import annotations

from enum import StrEnum

LOCAL = "127.0.0.1"
# Of a token that somebody chose, and that stays the same at each start.
SHORTEST_TOKEN = 24


class Part(StrEnum):
    """All but the viewer are started together, or one of them with ``--only``."""

    WEBSERVER = "webserver"
    VIEWER = "viewer"
    DAEMON = "daemon"
    REPORTS = "reports"

    @property
    def is_webserver(self) -> bool:
        return self in PREFIX


# The path of each webserver. The proxy decides by the path who may enter.
PREFIX = {Part.WEBSERVER: "/operate", Part.VIEWER: "/view"}
