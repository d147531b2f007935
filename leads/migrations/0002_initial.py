import django.db.models.deletion
from django.db import migrations, models

from core.db.search import index_trigrams

INDEXES = {
    "lead_name_parts": "leads_lead USING gin (upper(name) gin_trgm_ops)",
    "identity_value_parts": "leads_identity USING gin (upper(value) gin_trgm_ops)",
}


class Migration(migrations.Migration):
    # Databases of the time before 0.1.0 have these.
    replaces = [
        ("leads", "0002_search_indexes"),
        ("leads", "0003_former_names"),
        ("leads", "0004_shared_identities"),
        ("leads", "0005_name_provenance"),
    ]

    initial = True

    dependencies = [
        ("leads", "0001_initial"),
        ("routing", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="formername",
            name="added_through",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="routing.source",
                verbose_name="through source",
            ),
        ),
        migrations.AddField(
            model_name="identity",
            name="added_through",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="routing.source",
                verbose_name="through source",
            ),
        ),
        migrations.AddField(
            model_name="identity",
            name="copy_of",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="copies",
                to="leads.identity",
            ),
        ),
        migrations.AddField(
            model_name="identity",
            name="source",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="An id in a channel is valid only in that channel.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="routing.source",
                verbose_name="source",
            ),
        ),
        migrations.AddField(
            model_name="lead",
            name="merged_into",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="leads.lead",
                verbose_name="merged into",
            ),
        ),
        migrations.AddField(
            model_name="lead",
            name="name_added_through",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="routing.source",
                verbose_name="through source",
            ),
        ),
        migrations.AddField(
            model_name="identity",
            name="lead",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="identities",
                to="leads.lead",
                verbose_name="lead",
            ),
        ),
        migrations.AddField(
            model_name="formername",
            name="lead",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="former_names",
                to="leads.lead",
                verbose_name="lead",
            ),
        ),
        migrations.AddField(
            model_name="merge",
            name="merged",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="leads.lead",
                verbose_name="merged lead",
            ),
        ),
        migrations.AddField(
            model_name="merge",
            name="survivor",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="leads.lead", verbose_name="survivor"
            ),
        ),
        migrations.AddField(
            model_name="possibleduplicate",
            name="lead",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="leads.lead", verbose_name="lead"
            ),
        ),
        migrations.AddField(
            model_name="possibleduplicate",
            name="other",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="leads.lead",
                verbose_name="other lead",
            ),
        ),
        migrations.AddIndex(
            model_name="lead",
            index=models.Index(condition=models.Q(("merged_into__isnull", False)), fields=["id"], name="lead_merged"),
        ),
        migrations.AddIndex(
            model_name="lead",
            index=models.Index(condition=models.Q(("erased_at__isnull", False)), fields=["id"], name="lead_erased"),
        ),
        migrations.AddIndex(
            model_name="identity",
            index=models.Index(
                condition=models.Q(("copy_of__isnull", False)), fields=["copy_of", "lead"], name="identity_copies"
            ),
        ),
        migrations.AddConstraint(
            model_name="identity",
            constraint=models.UniqueConstraint(
                condition=models.Q(("copy_of__isnull", True), ("source__isnull", True)),
                fields=("kind", "value"),
                name="identity_unique_everywhere",
            ),
        ),
        migrations.AddConstraint(
            model_name="identity",
            constraint=models.UniqueConstraint(
                condition=models.Q(("copy_of__isnull", True), ("source__isnull", False)),
                fields=("source", "value"),
                name="identity_unique_in_its_source",
            ),
        ),
        migrations.AddConstraint(
            model_name="identity",
            constraint=models.CheckConstraint(
                condition=models.Q(("copy_of__isnull", True), ("is_shared", True), _connector="OR"),
                name="identity_only_shared_ones_have_copies",
            ),
        ),
        migrations.AddConstraint(
            model_name="identity",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "external"), ("source__isnull", False)),
                    models.Q(models.Q(("kind", "external"), _negated=True), ("source__isnull", True)),
                    _connector="OR",
                ),
                name="identity_scoped_by_source_only_if_external",
            ),
        ),
        migrations.AddConstraint(
            model_name="formername",
            constraint=models.UniqueConstraint(fields=("lead", "name"), name="former_name_once_per_lead"),
        ),
        migrations.AddConstraint(
            model_name="merge",
            constraint=models.UniqueConstraint(
                condition=models.Q(("undone_at__isnull", True)),
                fields=("merged",),
                name="merge_into_one_lead_at_a_time",
            ),
        ),
        migrations.AddIndex(
            model_name="possibleduplicate",
            index=models.Index(
                condition=models.Q(("dismissed_at__isnull", True), ("is_merged", False)),
                fields=["id"],
                name="duplicate_undecided",
            ),
        ),
        migrations.AddConstraint(
            model_name="possibleduplicate",
            constraint=models.UniqueConstraint(fields=("lead", "other"), name="duplicate_pair_once"),
        ),
        migrations.AddConstraint(
            model_name="possibleduplicate",
            constraint=models.CheckConstraint(
                condition=models.Q(("lead__lt", models.F("other"))), name="duplicate_pair_older_lead_first"
            ),
        ),
        index_trigrams(INDEXES),
    ]
