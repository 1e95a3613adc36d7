"""Flight-delay prediction on Spark: load, preprocess, train. The entry point is ../flight_delay.py."""
