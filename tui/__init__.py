"""SparkDeck: the terminal cockpit for a local Spark and ML stack."""
