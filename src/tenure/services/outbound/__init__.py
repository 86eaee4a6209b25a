"""What leaves Tenure for the outside: webhooks and e-mail, and what becomes of each attempt."""
