"""What commands print, in Chinese and English."""
