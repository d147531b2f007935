from base64 import b64decode
from typing import Any

from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.serializers import IntegerField

from core.db import long_texts
from core.ids import is_id


class CursorPages(CursorPagination):
    """Newest first, by the order of the list (an id or a moment), by id otherwise.

    Pages stay correct while rows are added, and a deep page costs as much as the first.
    """

    ordering = "-id"
    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    page_size_query_description = f"Results per page, at most {max_page_size}."
    cursor_query_description = "Taken from `next` or `previous` of another page."

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: Any) -> Any:
        return queryset.query.order_by or ("-id",)

    def decode_cursor(self, request: Request) -> Cursor | None:
        try:
            b64decode(request.query_params.get(self.cursor_query_param, ""), validate=True)
            cursor: Cursor | None = super().decode_cursor(request)
            if cursor and cursor.position is not None and not self.is_position(str(cursor.position)):
                raise NotFound
        except (ValueError, NotFound) as error:
            raise ValidationError({"cursor": [self.invalid_cursor_message]}) from error
        return cursor

    def is_position(self, text: str) -> bool:
        return is_id(text) if self.ordering[0] in ("-id", "-pk") else is_moment(text)

    def get_page_size(self, request: Request) -> int:
        if not (given := request.query_params.get(self.page_size_query_param)):
            return self.page_size
        try:
            wanted = IntegerField(min_value=1).run_validation(given)
        except ValidationError as error:
            raise ValidationError({self.page_size_query_param: error.detail}) from error
        return min(int(wanted), self.max_page_size)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        page: dict[str, Any] = super().get_paginated_response_schema(schema)
        fields = page["properties"]
        fields["next"]["example"] = "http://localhost:8000/api/v1/contacts?cursor=cD00Mg%3D%3D"
        fields["previous"]["example"] = None
        return page | {"required": list(fields)}

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        cursor, page_size = super().get_schema_operation_parameters(view)
        cursor["schema"]["format"] = "cursor"
        page_size["schema"] |= {"minimum": 1, "default": self.page_size}
        return [cursor, page_size]


class PagesOfTexts(CursorPages):
    """Pages of rows with a long text, `text`: a page ends early where the texts would be larger than a megabyte."""

    text = "message"
    fitting: int | None = None  # rows

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        rows = long_texts.without_text(queryset, self.text)
        page = super().paginate_queryset(rows, request, view) or []
        is_backwards = self.cursor and self.cursor.reverse
        fitting = long_texts.count_fitting(row.text_bytes for row in (reversed(page) if is_backwards else page))
        if fitting < len(page):
            self.fitting = fitting
            page = super().paginate_queryset(rows, request, view) or []
        long_texts.load_texts(page, self.text)
        return page

    def get_page_size(self, request: Request) -> int:
        return self.fitting or super().get_page_size(request)


def is_moment(text: str) -> bool:
    moment = parse_datetime(text)
    return moment is not None and moment.tzinfo is not None
