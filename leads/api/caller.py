from rest_framework.request import Request


def caller(request: Request) -> str:
    """Who asks, as the history will tell it: the key, where keys are required."""
    return f"key {request.auth}" if request.auth else "API"
