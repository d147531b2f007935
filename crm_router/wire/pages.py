from rest_framework.pagination import CursorPagination


class CursorPages(CursorPagination):
    """Newest first, by id: pages stay right while new rows come in, and deep pages cost what the first costs."""

    ordering = "-id"
    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
