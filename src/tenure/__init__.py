"""Tenure: an API-key authority for trading platforms. A permission is held for a term."""
