"""Pictures and videos: where they are, their frames, and how these become pixels of one size."""
