"""The second factor: a code from an authenticator app, or a recovery code. django-otp keeps and checks both.

Of recovery codes it is given digests only. They are 80 random bits, so that no slow hash is needed.
"""

import secrets
from base64 import b32encode, urlsafe_b64encode
from hashlib import sha256
from typing import Any

import django_otp
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import roles
from accounts.account_changes import record_account
from core import retry
from core.changes.recording import Author

DIGITS = 6
RECOVERY_CODES = 10
RECOVERY_BITS = 80


def is_on(user: Any) -> bool:
    return TOTPDevice.objects.filter(user=user, confirmed=True).exists()


def is_demanded_of(user: Any) -> bool:
    """Whether a role of this user requires it. Superusers need it where any role does."""
    if not settings.TWO_FACTOR_ROLES:
        return False
    return user.is_superuser or not roles.role_names(user).isdisjoint(settings.TWO_FACTOR_ROLES)


def draft_device(user: User) -> Any:
    """The app that the user is about to set up; without effect until it is confirmed."""
    drafts = TOTPDevice.objects.filter(user=user, confirmed=False)
    for attempt in retry.attempts():
        with attempt:
            draft = drafts.order_by("pk").first() or drafts.create(user=user, confirmed=False, name="app")
    return draft


def device_secret(device: Any) -> str:
    """The secret to type in: base32."""
    return group_by_four(b32encode(device.bin_key).decode())


def group_by_four(text: str) -> str:
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def qr_code(device: Any) -> str:
    """The secret to scan: an SVG."""
    import qrcode  # not at every start, for a page that each account sees once
    from qrcode.image.svg import SvgPathImage

    image = qrcode.make(device.config_url, image_factory=SvgPathImage, border=2)
    drawn: str = image.to_string(encoding="unicode")
    return drawn


def turn_on(request: HttpRequest, code: str) -> list[str] | None:
    """Confirms the app by a code from it, which counts as the second factor of this session. Gives recovery codes.

    None when the code is not right.
    """
    for attempt in retry.attempts():
        with attempt:
            device = TOTPDevice.objects.select_for_update().filter(user=request.user, confirmed=False).first()
            is_right = device is not None and device.verify_token(code)
            if is_right:
                turn_off(request.user, but=device)
                device.confirmed = True
                device.save(update_fields=["confirmed"])
                codes = fresh_recovery_codes(request.user)
    if not is_right:
        return None
    remember_device(request, device)
    return codes


def verify_code(request: HttpRequest, code: str) -> bool:
    """Whether this is a code of the user's; then the session has its second factor."""
    device = matching_device(request.user, code)
    if device:
        remember_device(request, device)
    return device is not None


def matching_device(user: Any, code: str) -> Any:
    """The device that this code is of. Each wrong code makes the same device wait twice as long as the one before.

    The app's codes are six digits, recovery codes never are: one does not count as a failure of the other.
    """
    is_of_app = len(code) == DIGITS and code.isdecimal()
    kind, token = (TOTPDevice, code) if is_of_app else (StaticDevice, digest_code(code))
    for attempt in retry.attempts():
        with attempt:
            device = kind.objects.select_for_update().filter(user=user, confirmed=True).first()
            is_right = device is not None and device.verify_token(token)
    return device if is_right else None


def remember_device(request: HttpRequest, device: Any) -> None:
    """With a new session key, so that one known from before the second factor is useless."""
    request.session.cycle_key()
    django_otp.login(request, device)


def fresh_recovery_codes(user: Any) -> list[str]:
    """Replaces the existing codes. Each is valid once."""
    codes = [b32encode(secrets.token_bytes(RECOVERY_BITS // 8)).decode().lower() for _ in range(RECOVERY_CODES)]
    for attempt in retry.attempts():
        with attempt:
            device, _ = StaticDevice.objects.get_or_create(user=user, defaults={"name": "recovery codes"})
            device.token_set.all().delete()
            StaticToken.objects.bulk_create(StaticToken(device=device, token=digest_code(code)) for code in codes)
    return codes


@sensitive_variables("code")
def digest_code(code: str) -> str:
    """As much of the SHA-256 as django-otp has room for: 96 bits, in 16 characters."""
    return urlsafe_b64encode(sha256(code.encode()).digest()[:12]).decode()


def reset_second_factor(user: User, author: Author) -> None:
    """Turns it off for somebody who has lost the app, or on their own wish, and records who did it."""
    for attempt in retry.attempts():
        with attempt:
            was_on = is_on(user)
            turn_off(user)
            before, after = {"second_factor": was_on}, {"second_factor": False}
            record_account("second_factor_reset", author, user, before=before, after=after)


def turn_off(user: Any, but: Any = None) -> None:
    """Afterwards the password is enough, or the user must set up another app if the role requires it."""
    for attempt in retry.attempts():
        with attempt:
            TOTPDevice.objects.filter(user=user).exclude(pk=but and but.pk).delete()
            StaticDevice.objects.filter(user=user).delete()
