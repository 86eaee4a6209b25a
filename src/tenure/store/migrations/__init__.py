"""The steps that lead a store to `schema`; run by `db.migrate`, forward only."""
