"""The API that serves the champion."""
