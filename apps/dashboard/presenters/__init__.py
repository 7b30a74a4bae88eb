"""What pages show of rows and trace nodes: pure code, no queries."""
