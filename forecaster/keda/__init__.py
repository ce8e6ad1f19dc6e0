"""KEDA's objects: made from the settings or from what is there, and looked through for traps."""
