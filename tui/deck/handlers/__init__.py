"""What each action does, by its id."""
