"""The server: API, console and health, over the services."""
