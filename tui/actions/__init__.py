"""What a person does with a stack, the same for the command line and the deck: start it, scale it, fill it."""
