"""What the whole process needs: memory, devices, settings."""
