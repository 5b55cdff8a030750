"""For the engineer who writes a layout: documents beside the paper, comparisons, a schema for editors."""
