"""The HTTP API: one table of operations makes the routes and the OpenAPI document."""
