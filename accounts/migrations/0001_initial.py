import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    # Databases of the time before 0.1.0 have these.
    replaces = [("accounts", "0005_people")]

    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("operators", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Profile",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="profile",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("time_zone", models.CharField(blank=True, default="", max_length=64, verbose_name="time zone")),
                (
                    "shows_notifications",
                    models.BooleanField(default=False, verbose_name="notifications in the browser"),
                ),
                ("plays_sound", models.BooleanField(default=False, verbose_name="sound for new contacts")),
            ],
            options={
                "verbose_name": "profile",
                "verbose_name_plural": "profiles",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("email", models.EmailField(blank=True, default="", max_length=254, verbose_name="e-mail")),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                ("invited_by", models.CharField(max_length=200, verbose_name="invited by")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("expires_at", models.DateTimeField(verbose_name="expires at")),
                ("used_at", models.DateTimeField(blank=True, null=True, verbose_name="used at")),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True, verbose_name="withdrawn at")),
                (
                    "operator",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="operators.operator",
                        verbose_name="operator",
                    ),
                ),
                (
                    "role",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="auth.group", verbose_name="role"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "invitation",
                "verbose_name_plural": "invitations",
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("used_at__isnull", True), ("withdrawn_at__isnull", True)),
                        fields=["expires_at"],
                        name="invitation_pending",
                    )
                ],
            },
        ),
    ]
