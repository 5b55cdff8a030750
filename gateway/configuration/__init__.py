"""What an installation is told: settings, profiles, agreements."""
