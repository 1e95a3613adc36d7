"""Live state of one stack: joins what the engine and the services' own APIs say."""
