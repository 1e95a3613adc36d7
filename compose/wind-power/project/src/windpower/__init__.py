"""Predicts a wind turbine's power from its SCADA data, and watches how far the turbine falls behind."""
