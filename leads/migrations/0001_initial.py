from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="FormerName",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=255, verbose_name="name")),
                ("added_by", models.CharField(max_length=160, null=True, verbose_name="added by")),
                ("added_at", models.DateTimeField(null=True, verbose_name="added at")),
                ("replaced_at", models.DateTimeField(auto_now_add=True, verbose_name="replaced at")),
                ("replaced_by", models.CharField(max_length=160, verbose_name="replaced by")),
            ],
            options={
                "verbose_name": "former name",
                "verbose_name_plural": "former names",
            },
        ),
        migrations.CreateModel(
            name="Identity",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("external", "id in the channel"), ("phone", "phone"), ("email", "e-mail")],
                        max_length=8,
                        verbose_name="kind",
                    ),
                ),
                ("value", models.CharField(max_length=254, verbose_name="value")),
                ("raw", models.CharField(max_length=254, verbose_name="as given")),
                ("rank", models.IntegerField(db_default=0, default=0, editable=False)),
                ("is_shared", models.BooleanField(db_default=False, default=False, verbose_name="shared")),
                (
                    "added_by",
                    models.CharField(
                        db_default="system", default="system", editable=False, max_length=160, verbose_name="added by"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
            ],
            options={
                "verbose_name": "identity",
                "verbose_name_plural": "identities",
            },
        ),
        migrations.CreateModel(
            name="Lead",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(blank=True, max_length=255, null=True, verbose_name="name")),
                ("name_added_by", models.CharField(editable=False, max_length=160, null=True, verbose_name="added by")),
                ("name_added_at", models.DateTimeField(editable=False, null=True, verbose_name="added at")),
                ("erased_at", models.DateTimeField(editable=False, null=True, verbose_name="erased at")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated at")),
            ],
            options={
                "verbose_name": "lead",
                "verbose_name_plural": "leads",
            },
        ),
        migrations.CreateModel(
            name="Merge",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(verbose_name="when")),
                ("by", models.CharField(max_length=160, verbose_name="by whom")),
                ("undone_at", models.DateTimeField(null=True, verbose_name="undone at")),
                ("undone_by", models.CharField(max_length=160, null=True, verbose_name="undone by")),
                ("name_given", models.BooleanField(default=False)),
                ("survivor_updated_at", models.DateTimeField()),
                ("rank_added", models.PositiveIntegerField()),
                ("identities", models.JSONField(default=list)),
                ("contacts", models.JSONField(default=list)),
                ("pairs", models.JSONField(default=list)),
            ],
            options={
                "verbose_name": "merge",
                "verbose_name_plural": "merges",
            },
        ),
        migrations.CreateModel(
            name="PossibleDuplicate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "dismissed_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="not the same person, said at"),
                ),
                ("is_merged", models.BooleanField(db_default=False, default=False, editable=False)),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
            ],
            options={
                "verbose_name": "possible duplicate",
                "verbose_name_plural": "possible duplicates",
            },
        ),
    ]
