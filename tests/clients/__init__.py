"""Bots of others, as their users install them, at a venue that asks Tenure."""
