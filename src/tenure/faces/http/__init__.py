"""The faces that speak HTTP: the hot path, the compatible surface, and the management API."""
