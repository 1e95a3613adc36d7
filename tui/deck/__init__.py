"""The terminal UI: panes of a stack's services, their logs, and every action one key away."""

import os

# Textual reads both when it is imported. What a key changes is often drawn in two frames: at 60 a second these alone
# take up to 33 ms. Nothing is drawn more often for it, the tick sees to that. An Esc alone is known by its delay (ms).
os.environ.setdefault("TEXTUAL_FPS", "240")
os.environ.setdefault("ESCDELAY", "25")
