"""The HTTP API of leads: serializers hold shapes, each view makes one domain call."""
