"""What the recipe for next frames is made of: windows of clips, rivals, measures, and drawings."""
