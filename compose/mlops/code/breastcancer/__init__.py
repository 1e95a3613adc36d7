"""Learns to tell malignant tumours from benign ones, by measurements of their cells' nuclei; a champion is kept."""
