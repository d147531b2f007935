from django.db import models


class FeedPosition(models.Model):
    """How far one consumer has read the feed. Whoever reads on for it holds the lock of the row."""

    name = models.CharField(max_length=60, unique=True)
    cursor = models.CharField(max_length=200)

    def __str__(self) -> str:
        return f"{self.name}: {self.cursor}"
