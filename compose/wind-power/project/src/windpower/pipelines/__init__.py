"""The three pipelines: features, training, inference. Each module makes one with create_pipeline()."""
