"""The only place that knows SQL: one text for SQLite and PostgreSQL (SQLAlchemy Core, no ORM)."""
