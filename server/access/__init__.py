"""Who may do what: keys and their roles, sign-in, limits. ``gate`` stands before every route."""
