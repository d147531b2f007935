"""Operations for migrations that build indexes on large tables while the service writes to them."""

from typing import Any

from django.db.migrations import AddIndex


class AddIndexLive(AddIndex):
    """Concurrently on PostgreSQL, so that nobody waits for it. Its migration needs `atomic = False`.

    One that breaks off leaves an invalid index behind, which the next attempt removes first. SQLite has one writer at a
    time anyway, and builds the index as always.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            model = to_state.apps.get_model(app_label, self.model_name)
            schema_editor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{self.index.name}"')
            schema_editor.add_index(model, self.index, concurrently=True)
        else:
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            model = from_state.apps.get_model(app_label, self.model_name)
            schema_editor.remove_index(model, self.index, concurrently=True)
        else:
            super().database_backwards(app_label, schema_editor, from_state, to_state)
