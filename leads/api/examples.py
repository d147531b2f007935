"""The examples of the original brief, shown in the API documentation."""

from drf_spectacular.utils import OpenApiExample

from core.api.examples import example

NEW_CONTACT = [
    OpenApiExample(
        "Request", {"lead_phone": "+79991234567", "source_id": 1, "message": "Здравствуйте!"}, request_only=True
    )
]
LEAD = example(
    {"email": "anna@example.com"},
    {"phone": "+79991234567", "email": "anna@example.com", "name": "Анна", "id": 1},
)
