"""The forms behind one-time links, and the one that asks for such a link."""

from typing import Any

from django import forms
from django.contrib.auth.forms import SetPasswordForm, UsernameField
from django.contrib.auth.models import User
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from accounts.models import Invitation

LETTERS = str.maketrans(
    {
        **dict(zip("абвгдезийклмнопрстуфыэ", "abvgdeziyklmnoprstufye", strict=True)),
        "ё": "e",
        "ж": "zh",
        "х": "kh",
        "ц": "ts",
        "ч": "ch",
        "ш": "sh",
        "щ": "shch",
        "ъ": "",
        "ь": "",
        "ю": "yu",
        "я": "ya",
    }
)


class NewPasswordForm(SetPasswordForm):  # type: ignore[type-arg] # not subscriptable at run time
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("new_password1", "new_password2"):
            self.fields[name].widget = UnfoldAdminPasswordWidget({"autocomplete": "new-password"})


class AcceptForm(NewPasswordForm):
    """A user name, which is suggested, and a password twice, judged by Django's validators."""

    username = UsernameField(
        label=_("User name"),
        max_length=User._meta.get_field("username").max_length,
        validators=User._meta.get_field("username").validators,
        help_text=_("With which you will sign in. You may choose another one."),
        widget=UnfoldAdminTextInputWidget({"autocomplete": "username", "spellcheck": "false"}),
    )
    field_order = ["username", "new_password1", "new_password2"]

    def __init__(self, invitation: Invitation, *args: Any, **kwargs: Any) -> None:
        first, _blank, last = invitation.name.partition(" ")
        draft = User(first_name=first, last_name=last, email=invitation.email)
        super().__init__(draft, *args, initial={"username": suggested_username(invitation)}, **kwargs)

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"]
        self.user.username = username  # the validators compare the password with it
        if is_taken(username):
            raise forms.ValidationError(_("Somebody has this user name already. Please choose another one."))
        return username


class ForgottenForm(forms.Form):
    claimed = forms.CharField(
        label=_("User name or e-mail"),
        max_length=254,
        widget=UnfoldAdminTextInputWidget({"autocomplete": "username", "autofocus": True, "spellcheck": "false"}),
    )


def suggested_username(invitation: Invitation) -> str:
    """A free user name: what stands before the @, else the name in Latin letters: "anna.petrova"."""
    local = invitation.email.partition("@")[0]
    words = slugify(local or invitation.name.lower().translate(LETTERS)).split("-")
    stem = ".".join(filter(None, words))[:100] or "user"
    names = (stem if number == 1 else f"{stem}{number}" for number in range(1, 100))
    return next((name for name in names if not is_taken(name)), "")


def is_taken(username: str) -> bool:
    return User.objects.filter(username__iexact=username).exists()
