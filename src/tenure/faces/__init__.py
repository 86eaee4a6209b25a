"""How the outside reaches Tenure; translates between it and the services: no SQL, no rules."""
