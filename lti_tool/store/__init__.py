"""Where rows live: the database session, the base model, migrations, and work that waits for a worker."""
