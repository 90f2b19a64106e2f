"""The image as a container on this machine: what it is told, how it is started, tried, replaced."""
