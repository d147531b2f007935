"""The HTTP edge: serializers hold shapes, views make one domain call each."""
