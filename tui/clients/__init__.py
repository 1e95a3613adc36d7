"""Small typed HTTP clients, one module for each system that a stack may run."""
