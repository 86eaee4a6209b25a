"""The console: pages for account owners and for operators, in HTML that works without scripts."""
