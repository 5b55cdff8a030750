"""What is kept on disk, for how long, and how it comes back."""
