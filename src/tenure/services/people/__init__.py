"""People signing in: invitations, sessions, second factors, step-ups, recovery; see `facade`."""
