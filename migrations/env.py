"""Runs the migrations over the engine that siems hands in."""

from alembic import context

engine = context.config.attributes["engine"]

with engine.connect() as connection:
    # PostgreSQL and SQLite both take schema changes back: a migration that fails leaves nothing
    context.configure(connection=connection, transactional_ddl=True, render_as_batch=False)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
