"""The engine that runs a stack with Docker and its compose."""
