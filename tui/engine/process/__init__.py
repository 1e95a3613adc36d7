"""The same stack as plain processes of this machine: no Docker, no root."""
