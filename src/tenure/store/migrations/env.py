"""How Alembic reaches the store: always through a connection that `db.migrate` hands in."""

from alembic import context

from tenure.store import schema, schema_approvals, schema_leaks, schema_notices, schema_people

EVERYTHING = (
    schema,
    schema_approvals,
    schema_leaks,
    schema_notices,
    schema_people,
)  # Each adds its tables to the one metadata.

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=schema.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
)
context.run_migrations()
