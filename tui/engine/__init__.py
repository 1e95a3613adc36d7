"""What runs services: one interface, and its implementations. Nothing outside knows which one it talks to."""
