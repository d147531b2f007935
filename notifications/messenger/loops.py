"""What a worker does for messages, in loops of `notifications.worker`."""

from notifications.messenger import alarms, fan_out, state, updates, weekly_notices
from notifications.messenger.sending import Senders
from notifications.worker import Loop


def build_loops() -> list[Loop]:
    senders = Senders()
    return [
        Loop("make_notices", fan_out.fan_out_notices, seconds=0.25, resting=1, wakes=("send_messages",)),
        Loop("send_messages", senders.send_due, seconds=0.25, resting=1, finish=senders.finish),
        # Waits in the call of Telegram itself, if this worker serves the bot.
        Loop("read_telegram", updates.read_updates, seconds=0.5, finish=state.release_bot),
        Loop("weekly_report", weekly_notices.make_weekly_notices, seconds=300, wakes=("send_messages",)),
        Loop("alarms", alarms.update_alarms, seconds=10, wakes=("send_messages",)),
    ]
