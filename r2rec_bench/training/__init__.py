"""Training stages: each maps a checkpoint to a checkpoint. TRL stays inside this room."""
