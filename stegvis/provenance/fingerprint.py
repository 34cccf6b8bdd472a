"""Short digests of texts and of named parts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping


def short(content: str | bytes) -> str:
    """The first 16 hexadecimal digits of a content's SHA-256."""
    raw = content.encode() if isinstance(content, str) else content
    return hashlib.sha256(raw).hexdigest()[:16]


def fingerprint(parts: Mapping[str, str]) -> str:
    """A short digest of named parts, independent of their order."""
    return short(json.dumps(dict(sorted(parts.items()))))
