"""Whether a request has arrived whole, told from its bytes alone. No thread is spent on one that has not."""

import re
from http import HTTPStatus

HEAD = 64 * 1024  # bytes; request line and headers together, and likewise what follows the last chunk
LINE = 8 * 1024  # bytes; the line before a chunk, which says its size
LENGTH = re.compile(rb"^content-length:[ \t]*(\d+)[ \t]*\r$", re.IGNORECASE | re.MULTILINE)
CHUNKED = re.compile(rb"^transfer-encoding:.*chunked.*\r$", re.IGNORECASE | re.MULTILINE)
EXPECT = re.compile(rb"^expect:[ \t]*100-continue[ \t]*\r\n", re.IGNORECASE | re.MULTILINE)
REQUEST_ID = re.compile(rb"^x-request-id:[ \t]*(\S+)[ \t]*\r$", re.IGNORECASE | re.MULTILINE)
CHUNK = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(;.*)?")


class Refused(Exception):
    """This can become no request that anybody would serve."""

    def __init__(self, status: HTTPStatus) -> None:
        self.status = status


class Arrival:
    """One request under way. What follows it on the same connection stays in `received`, too.

    It only finds the end; whether the request is a good one, the server's own parser says later.
    """

    def __init__(self, *, most: int) -> None:
        self.most = most  # bytes of a body
        self.received = bytearray()
        self.head_is_read = False
        self.is_chunked = False
        self.waits_for_go_ahead = False  # Expect: 100-continue
        self.next_at = 0  # where the body ends, or its next chunk begins

    def is_whole(self) -> bool:
        """Raises Refused when it is broken, or larger than it may be."""
        if not self.head_is_read and not self.read_head():
            return False
        if self.is_chunked and not self.follow_chunks():
            return False
        return len(self.received) >= self.next_at

    def read_head(self) -> bool:
        end = self.received.find(b"\r\n\r\n")
        if end == 0:
            raise Refused(HTTPStatus.BAD_REQUEST)  # the server's parser would wait for more
        if end > HEAD or (end < 0 and len(self.received) > HEAD):
            raise Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        if end < 0:
            return False
        head = bytes(self.received[: end + 2])
        if expected := EXPECT.search(head):
            # Whoever reads the request later finds it whole, and need not ask for the rest again.
            del self.received[expected.start() : expected.end()]
            end -= len(expected[0])
            self.waits_for_go_ahead = True
        self.head_is_read = True
        self.is_chunked = bool(CHUNKED.search(head))
        self.next_at = end + 4 + (0 if self.is_chunked else self.announced(head))
        return True

    def beginning(self) -> tuple[str, str]:
        """The method and the `X-Request-ID`, as far as they have come: for the log of what no parser will see."""
        end = self.received.find(b"\r\n\r\n")
        head = bytes(self.received[: end + 2 if end >= 0 else HEAD])
        given = REQUEST_ID.search(head)
        return head.partition(b" ")[0].decode("latin-1"), given[1].decode("latin-1") if given else ""

    def announced(self, head: bytes) -> int:
        found = LENGTH.search(head)
        digits = found[1].lstrip(b"0") if found else b""
        if len(digits) > len(str(self.most)) or int(digits or b"0") > self.most:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return int(digits or b"0")

    def follow_chunks(self) -> bool:
        """Goes on where it stopped the last time, so that many small chunks are not read again and again."""
        while len(self.received) > self.next_at:
            if len(self.received) > 2 * self.most + HEAD:
                raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            line_end = self.received.find(b"\r\n", self.next_at, self.next_at + LINE)
            if line_end < 0:
                if len(self.received) - self.next_at >= LINE:
                    raise Refused(HTTPStatus.BAD_REQUEST)
                return False
            size = CHUNK.fullmatch(self.received, self.next_at, line_end)
            if size is None:
                raise Refused(HTTPStatus.BAD_REQUEST)
            if int(size[1], 16) == 0:
                end = self.received.find(b"\r\n\r\n", line_end, line_end + HEAD)  # trailers may stand before the end
                if end < 0 and len(self.received) - line_end >= HEAD:
                    raise Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
                return end >= 0
            self.next_at = line_end + 2 + int(size[1], 16) + 2
            if self.next_at > 2 * self.most + HEAD:
                raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return False
