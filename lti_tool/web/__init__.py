"""What every page shares: the app factory, errors, headers, the signed-in person, language, static files."""
