"""The main job from end to end on real payments, and the report about it."""
