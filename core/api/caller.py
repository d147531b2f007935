from rest_framework.request import Request


def caller_name(request: Request) -> str:
    """The caller's name in the history: the key, or "API" for a call without one."""
    return f"key {request.auth}" if request.auth else "API"
