"""Lists that a caller may have from a replica."""

import re
from functools import partial
from math import inf
from typing import Any

from rest_framework import mixins
from rest_framework.request import Request
from rest_framework.response import Response

from core.db import replica

MAX_STALE = re.compile(r"\bmax-stale\b(?:=(\d{1,9}))?")


class ListModelMixin(mixins.ListModelMixin):
    """As DRF's. `Cache-Control: max-stale=SECONDS` (RFC 9111, 5.2.1.2) says that the answer may be so old."""

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        listed = partial(super().list, request, *args, **kwargs)
        if found := MAX_STALE.search(request.headers.get("Cache-Control", "")):
            return replica.read(listed, max_age=float(found[1] or inf))
        return listed()
