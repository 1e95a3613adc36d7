"""The terminal UI: panes of a stack's services, their logs, and every action one key away."""
