"""From a bank's folder to outcomes: files fetched, verified, matched, judged."""
