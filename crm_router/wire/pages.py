from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request


class CursorPages(CursorPagination):
    """Newest first, by id: pages stay right while new rows come in, and deep pages cost what the first costs."""

    ordering = "-id"
    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"

    def decode_cursor(self, request: Request) -> Cursor | None:
        cursor: Cursor | None = super().decode_cursor(request)
        if cursor and cursor.position is not None and not is_id(str(cursor.position)):
            raise NotFound(self.invalid_cursor_message)
        return cursor


def is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 18
