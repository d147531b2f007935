"""Sends notices by e-mail: one mail for each new contact, or one for many if more than EMAIL_DIGEST_AFTER come within a
minute."""

import smtplib
from datetime import datetime, timedelta
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone, translation
from django.utils.translation import ngettext

from notifications.messenger.channels import switch_off_channel
from notifications.messenger.leases import (
    fail_notice,
    finish_notice,
    postpone_notice,
    skip_notice,
    try_again,
    while_leased,
)
from notifications.messenger.messages import Content
from notifications.messenger.models import LEASE, Channel, Notice
from notifications.messenger.quiet_hours import quiet_until
from notifications.messenger.truth import content_of, is_still_true

MINUTE = timedelta(minutes=1)
ENOUGH = LEASE.total_seconds() / 2  # seconds; the last mail that is begun may take the rest


def send_mails(channel: Channel, notices: list[Notice]) -> None:
    """Sends these notices, each in a mail of its own or all in one. None overtakes those that wait for their mail: a
    steady flow of single mails would put that off again and again."""
    quiet = quiet_until(timezone.now(), channel.quiet_from, channel.quiet_to)
    wanted = [notice for notice in notices if is_still_true(notice, channel)]
    for notice in notices:
        if notice not in wanted:
            skip_notice(notice)
        elif quiet:
            postpone_notice(notice, quiet)
    if not wanted or quiet:
        return
    now = timezone.now()
    recent = Notice.objects.filter(channel=channel, sent_at__gt=now - MINUTE, sent_at__lte=now).order_by("sent_at")
    moments = list(recent.values_list("sent_at", flat=True))
    if next_mail_at := when_next_mail_is_due(channel, now):
        for notice in wanted:
            postpone_notice(notice, next_mail_at)
    elif len(wanted) + len(moments) <= settings.EMAIL_DIGEST_AFTER:
        for notice in while_leased(wanted, seconds=ENOUGH):
            send_mail(channel, [notice])
    elif moments:
        for notice in wanted:
            postpone_notice(notice, (moments[-1] or now) + MINUTE)
    else:
        send_mail(channel, wanted)


def when_next_mail_is_due(channel: Channel, now: datetime) -> datetime | None:
    """The moment in the next minute for which notices of this channel wait, if there are any."""
    waiting = Notice.objects.filter(
        channel=channel, state=Notice.State.PENDING, due_at__gt=now, due_at__lte=now + MINUTE
    )
    return waiting.order_by("due_at").values_list("due_at", flat=True).first()


def send_mail(channel: Channel, notices: list[Notice]) -> None:
    """One mail with all of these, and what became of it noted in each."""
    if not settings.IS_EMAIL_CONFIGURED:
        for notice in notices:
            fail_notice(notice, "No mail server: EMAIL_URL is not set")
        return
    content = mail_content(channel, [content_of(notice, channel) for notice in notices])
    mail = EmailMessage(
        subject=" ".join(content.title.split()),  # names may have line breaks, which Django refuses in a header
        body=content.text,
        to=[channel.address],
        # The same again if it is sent again, so that mailboxes can recognise it.
        headers={"Message-ID": f"<notice-{notices[0].pk}-{len(notices)}@{sender_domain()}>"},
    )
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        note_refusal(channel, notices, code=min(code for code, _ in error.recipients.values()))
    except (smtplib.SMTPException, OSError) as error:
        code = f" {error.smtp_code}" if isinstance(error, smtplib.SMTPResponseException) else ""
        for notice in notices:
            try_again(notice, f"The mail server refused it or was not reached ({type(error).__name__}{code})")
    else:
        for notice in notices:
            finish_notice(notice, state=Notice.State.SENT, sent_at=timezone.now())


def mail_content(channel: Channel, contents: list[Content]) -> Content:
    if len(contents) == 1:
        return contents[0]
    with translation.override(channel.language or settings.LANGUAGE_CODE):
        title = ngettext("%(number)d notification", "%(number)d notifications", len(contents))
    return Content(title % {"number": len(contents)}, tuple(line for one in contents for line in ("", one.text)))


def note_refusal(channel: Channel, notices: list[Notice], code: int) -> None:
    """A mailbox that does not exist is switched off; one that is full, or asks to wait, is tried again."""
    error = f"The mail server refused the address ({code})"
    for notice in notices:
        if code >= 500:
            fail_notice(notice, error)
        else:
            try_again(notice, error)
    if code >= 500:
        switch_off_channel(channel_id=channel.pk, address=channel.address, reason=error)


def sender_domain() -> str:
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].partition("@")[2] or "localhost"
