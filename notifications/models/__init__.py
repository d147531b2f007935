from notifications.models.feed_position import FeedPosition
from notifications.models.webhook import Attempt, Delivery, DeliveryCount, Replay, Webhook

__all__ = ["Attempt", "Delivery", "DeliveryCount", "FeedPosition", "Replay", "Webhook"]
