"""The asynchronous shell: lives of connections in, durable events out. Thin around the pure engine."""
